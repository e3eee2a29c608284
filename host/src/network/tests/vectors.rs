//! The examples in `host/tests/vectors/network.json`. `BITBOOT_BLESS=1 cargo test -p bitboot --lib vectors` writes them anew; that breaks
//! whoever has implemented them.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/network.json");
const MEDIA: [&str; 2] = ["bt", "émile's folder"];

#[test]
fn the_committed_vectors_are_what_the_code_makes() {
    let made = all();
    if std::env::var_os("BITBOOT_BLESS").is_some() {
        std::fs::write(FILE, format!("{made:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(committed == made, "{FILE} is out of date: bless with BITBOOT_BLESS=1");
}

/// A byte counting up from another, so that a wrong order shows.
fn counting<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|at| from.wrapping_add(u8::try_from(at).unwrap()))
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// One secret network, one whose name is an info hash, and the open one of the first's name.
fn networks() -> [Network; 3] {
    let hash = "89e495e7941cf9e40e6980d14a16bf023ccd4c91";
    [
        Network::with_secret("Zoë & friends", Secret::new(counting(0))).unwrap(),
        Network::with_secret(hash, Secret::new(counting(0x80))).unwrap(),
        open_network("Zoë & friends"),
    ]
}

fn identities() -> [Identity; 3] {
    [counting(0x20), counting(0x40), counting(0x60)].map(|seed| Identity::new(&seed))
}

fn all() -> Value {
    let networks = networks();
    let seconds = [0, 599, 3599, 3900, 4200, 5399];
    json!({
        "about": "Made by host/src/network/tests/vectors.rs, checked by check.py; host/src/network/README.md says what all of it means.",
        "passphrases": [passphrase("demo", "correct horse battery staple"), passphrase("Zoë & friends", "Grüße, Zoë")],
        "invites": networks[..2].iter().map(invite).collect::<Vec<_>>(),
        "networks": networks.iter().map(network).collect::<Vec<_>>(),
        "epochs": seconds.map(|second| epochs(NOW.as_secs() + second)),
        "records": records().iter().map(|(said, _)| said).collect::<Vec<_>>(),
        "refused": refused(),
        "notes": [note(&networks[0], "203.0.113.7:4001", 7200), note(&networks[2], "[2001:db8::7]:65535", 60), note(&networks[0], "", 2_000_000)],
        "bundles": [bundle(&networks[0], Some(Slot { level: 1, index: 0 }), 996), bundle(&networks[0], None, 300), bundle(&networks[2], None, 996)],
    })
}

fn passphrase(network: &str, passphrase: &str) -> Value {
    let secret = Secret::of_passphrase(passphrase, network).unwrap();
    json!({ "network": network, "passphrase": passphrase, "secret": hex(secret.expose()) })
}

fn invite(network: &Network) -> Value {
    let invite = network.invite().unwrap();
    assert_eq!(Network::of_invite(&invite).as_ref(), Ok(network));
    json!({ "name": network.name(), "secret": network.secret().map(|secret| hex(secret.expose())), "invite": invite })
}

fn network(network: &Network) -> Value {
    let epochs = [Epoch::at(NOW), Epoch::at(NOW + HOUR)];
    let places = MEDIA.iter().flat_map(|medium| epochs.map(|epoch| place(network, medium, epoch)));
    json!({
        "name": network.name(),
        "secret": network.secret().map(|secret| hex(secret.expose())),
        "binding": hex(super::place(network).binding()),
        "places": places.collect::<Vec<_>>(),
    })
}

fn place(network: &Network, medium: &str, epoch: Epoch) -> Value {
    let place = Place::new(network, medium, epoch);
    let slot = |slot: Slot| json!({ "level": slot.level, "index": slot.index, "locator": hex(place.slot(slot).as_bytes()) });
    let slots = [Slot::ROOT, Slot { level: 1, index: 1 }, Slot { level: 6, index: 63 }];
    let of = |identity: Identity| {
        let signer = identity.public();
        let slots = [0, 1, Slot::DEEPEST].map(|level| Slot::of(&signer, level).index);
        json!({ "key": hex(&signer.0), "slots_on_0_1_6": slots, "pseudonym": hex(&place.pseudonym(&signer)) })
    };
    json!({
        "medium": medium,
        "hour": epoch.0,
        "locator": hex(place.locator().as_bytes()),
        "slots_key": hex(&place.slots),
        "seal_key": hex(&place.seal),
        "slots": slots.map(slot),
        "signers": identities().map(of),
    })
}

fn epochs(second: u64) -> Value {
    let since_1970 = Duration::from_secs(second);
    let window: Vec<u64> = Epoch::window(since_1970).iter().map(|epoch| epoch.0).collect();
    json!({ "second": second, "written": Epoch::at(since_1970).0, "read": window })
}

/// Of the first network: each kind of address, metadata, a withdrawal.
fn records() -> [(Value, Record); 5] {
    let [first, second, third] = identities();
    let mut rich = claim(&["peer.example:80", "203.0.113.7:4001", "[2001:db8::7]:65535"]);
    rich.metadata = [("name".into(), "Zoë".into()), ("empty".into(), String::new())].into();
    let gone = Claim { withdrawn: true, ..claim(&[]) };
    let whole = Claim { lifetime: Duration::MAX, ..claim(&["192.0.2.1:1"]) };
    [
        record(&first, counting(0x20), &claim(&["203.0.113.7:4001"]), 0),
        record(&second, counting(0x40), &claim(&["[2001:db8::7]:4001"]), 1),
        record(&third, counting(0x60), &rich, 2),
        record(&first, counting(0x20), &gone, 3),
        record(&second, counting(0x40), &whole, 4),
    ]
}

fn record(identity: &Identity, seed: [u8; 32], claim: &Claim, second: i64) -> (Value, Record) {
    let binding = *super::place(&networks()[0]).binding();
    let record = Record::sign(identity, &binding, claim, at(second)).unwrap();
    let said = &record.as_bytes()[..record.as_bytes().len() - 64];
    let value = json!({
        "seed": hex(&seed),
        "key": hex(&identity.public().0),
        "time": record.time,
        "lifetime_s": record.lifetime.as_secs(),
        "withdrawn": record.withdrawn,
        "endpoints": record.endpoints,
        "metadata": record.metadata,
        "signed": hex(&[b"bitboot/1 record", &binding[..], said].concat()),
        "record": hex(record.as_bytes()),
    });
    (value, record)
}

/// What is no record of the first network.
fn refused() -> Vec<Value> {
    let (first, binding) = (&identities()[0], *super::place(&networks()[0]).binding());
    let [(_, record), ..] = records();
    let mut flipped = record.as_bytes().to_vec();
    flipped[40] ^= 1;
    let signed =
        |head: u8, rest: &[u8]| signed(first, &binding, &[&self::head(first, head)[..], rest].concat());
    let refused = [
        ("S of the signature is not below the group's order", refused::second_form(&record)),
        ("the key is of small order", refused::signed_by_nobody()),
        ("a bit is flipped", flipped),
        ("signed for another network", super::record(1, &BINDING, NOW).as_bytes().to_vec()),
        ("signed as another version", signed(0x20, &[0, 0])),
        ("signed with a byte left over", signed(0x10, &[0, 0, 0])),
        ("signed with an address that is cut", signed(0x10, &[1, 1, 6, 1, 2, 3])),
    ];
    let value = |(why, bytes): (&str, Vec<u8>)| {
        assert!(Record::verify(&bytes, &binding).is_err(), "{why}");
        json!({ "why": why, "record": hex(&bytes) })
    };
    refused.into_iter().map(value).collect()
}

fn note(network: &Network, endpoint: &str, seconds: u64) -> Value {
    let place = Place::new(network, MEDIA[0], Epoch::at(NOW));
    let author = bitboot_plugin_api::Author::new(&counting::<33>(2)).unwrap();
    let claim = claim(if endpoint.is_empty() { &[] } else { std::slice::from_ref(&endpoint) });
    let claim = Claim { withdrawn: endpoint.is_empty(), lifetime: Duration::from_secs(seconds), ..claim };
    let note = Note::of_claim(&claim, author.clone(), NOW).unwrap();
    let sealed = place.seal_note(&note);
    assert_eq!(place.open_note(&author, &sealed).as_ref(), Some(&note));
    json!({
        "name": network.name(),
        "secret": network.secret().map(|secret| hex(secret.expose())),
        "medium": MEDIA[0],
        "hour": Epoch::at(NOW).0,
        "author": author.to_string(),
        "time": note.time,
        "wanted_s": seconds,
        "lifetime_s": note.lifetime.as_secs(),
        "endpoint": note.endpoint,
        "note": hex(&sealed),
    })
}

/// The records of the first network, sealed for another place, are bad there.
fn bundle(network: &Network, slot: Option<Slot>, room: usize) -> Value {
    let place = Place::new(network, MEDIA[0], Epoch::at(NOW));
    let at = slot.map_or_else(|| place.locator().clone(), |slot| place.slot(slot));
    let records = records().map(|(_, record)| record);
    let (bundle, count) = place.seal(&at, counting(0xc0), records.iter(), room);
    let (read, bad) = place.open(&at, &bundle).unwrap();
    json!({
        "name": network.name(),
        "secret": network.secret().map(|secret| hex(secret.expose())),
        "medium": MEDIA[0],
        "hour": Epoch::at(NOW).0,
        "slot": slot.map(|slot| [u16::from(slot.level), slot.index]),
        "nonce": hex(&counting::<24>(0xc0)),
        "room": room,
        "records": records[..count].iter().map(|record| hex(record.as_bytes())).collect::<Vec<_>>(),
        "bundle": hex(&bundle),
        "newest": read.iter().map(|record| hex(record.as_bytes())).collect::<Vec<_>>(),
        "bad": bad,
    })
}
