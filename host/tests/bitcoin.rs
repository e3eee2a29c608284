//! Announcing and looking up on a Bitcoin chain: real nodes, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../../plugins/bitcoin/tests/node/mod.rs"]
mod node;
mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use node::Bitcoind;
use node::proxy::{Answer, Proxy};
use serde_json::{Value, json};
use support::{Home, Ran, rig};

/// The backend's name.
const VIA: &str = "bitcoin-regtest";
const LIMIT: &str = "0.0001 BTC";

fn bitcoind() -> Option<PathBuf> {
    rig("bitcoind", "bitcoin/bitcoind")
}

/// A user with a key that may spend on the chain.
struct User {
    home: Home,
    passphrase: String,
}

impl User {
    /// Without a key: for looking up.
    fn reader(url: &str, cookie: &Path) -> Self {
        let home = Home::new();
        home.forget_the_world();
        home.ok(&["backend", "set", VIA, &format!("rpc={url}"), &format!("cookie={}", cookie.display())]);
        home.ok(&["backend", "set", VIA, "lookback_blocks=2000", "timeout_s=5"]);
        let passphrase = home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse battery staple").unwrap();
        let passphrase = passphrase.to_str().unwrap().to_owned();
        Self { home, passphrase }
    }

    fn new(url: &str, cookie: &Path) -> Self {
        let user = Self::reader(url, cookie);
        let store = ["--store", "file", "--passphrase-file", &user.passphrase];
        user.home.ok(&[&["key", "new", "mine", "--kind", "secp256k1"][..], &store].concat());
        user.home.ok(&[
            "key",
            "policy",
            "mine",
            "--allow",
            VIA,
            "--per-transaction",
            "0.001 BTC",
            "--per-day",
            "0.01 BTC",
        ]);
        user
    }

    /// With coins.
    fn rich(node: &Bitcoind) -> Self {
        let user = Self::new(&node.url(), &node.cookie());
        node.fund(user.wallet()["address"].as_str().unwrap(), 0.01);
        user
    }

    fn wallet(&self) -> Value {
        self.home.ok(&["backend", "run", VIA, "wallet", "--json"]).of_type("output")[0].clone()
    }

    fn public_key(&self) -> String {
        self.home.ok(&["key", "show", "mine", "--json"]).of_type("key")[0]["public_key"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn announce(&self, peer: &str, more: &[&str]) -> Ran {
        let words = [
            "announce",
            "demo",
            "--peer",
            peer,
            "--via",
            VIA,
            "--once",
            "--json",
            "--passphrase-file",
            &self.passphrase,
        ];
        self.home.run(&[&words[..], more].concat())
    }

    fn announced(&self, peer: &str) -> Ran {
        let ran = self.announce(peer, &["--yes", "--max-fee", LIMIT]);
        assert_eq!(ran.code(), 0, "{}\n{}", ran.out(), ran.err());
        ran
    }

    fn lookup(&self, network: &str) -> Ran {
        self.home.run(&["lookup", network, "--via", VIA, "--json"])
    }
}

#[test]
fn three_keys_are_found_and_one_is_taken_back() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let users: Vec<User> = (0..3).map(|_| User::rich(&node)).collect();
    for (user, port) in users.iter().zip(4001..) {
        user.announced(&format!("192.0.2.7:{port}"));
    }
    let reader = User::reader(&node.url(), &node.cookie());
    // Unconfirmed, then confirmed.
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"], "{}", found.err());
        for (user, line) in users.iter().zip(4001..).map(|(user, port)| {
            let peer = format!("192.0.2.7:{port}");
            (user, found.of_type("peer").into_iter().find(|line| line["peer"] == peer.as_str()).unwrap())
        }) {
            assert_eq!((&line["signed_by"], &line["verified"]), (&user.public_key().into(), &true.into()));
        }
        node.mine(1);
    }
}

/// What the chain knows of a transaction that an announcement made: its fee, in satoshi.
fn paid(node: &Bitcoind, id: &str) -> u64 {
    let entry = node.ask("getmempoolentry", json!([id]));
    satoshi(&entry["fees"]["base"])
}

fn satoshi(coins: &Value) -> u64 {
    bitcoin_amount(&coins.to_string())
}

/// Whole coins as decimal text, without a float in between.
fn bitcoin_amount(text: &str) -> u64 {
    let text = text.trim_matches('"').trim_end_matches(" BTC");
    if let Some((digits, power)) = text.split_once(['e', 'E']) {
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let power = 8 + power.parse::<i32>().unwrap() - i32::try_from(places).unwrap();
        return digits.replace('.', "").parse::<u64>().unwrap() * 10u64.pow(power.try_into().unwrap());
    }
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<8}").parse().unwrap()
}

#[test]
fn one_that_is_withdrawn_or_expired_is_not_found() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [first, second] = [User::rich(&node), User::rich(&node)];
    first.announced("192.0.2.7:4001");
    second.announced("192.0.2.7:4002");
    node.mine(1);
    let reader = User::reader(&node.url(), &node.cookie());
    assert_eq!(reader.lookup("demo").peers().len(), 2);
    // Without a word about spending nothing is spent.
    let before = node.waiting();
    let free = first.home.ok(&["withdraw", "demo", "--json"]);
    assert!(
        free.of_type("receipt")[0]["notes"][0].as_str().unwrap().contains("costs money"),
        "{}",
        free.out()
    );
    assert_eq!(node.waiting(), before);

    first.announced("192.0.2.7:4001");
    let words =
        ["withdraw", "demo", "--yes", "--max-fee", LIMIT, "--json", "--passphrase-file", &first.passphrase];
    let taken = first.home.ok(&words);
    assert!(taken.of_type("receipt")[0]["fee"].as_str().unwrap().ends_with(" BTC"), "{}", taken.out());
    for _ in 0..2 {
        assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4002"]);
        node.mine(1);
    }
    // A minute is the shortest life of a note.
    let short = User::rich(&node);
    let ran = short.announce("192.0.2.7:4003", &["--ttl", "60s", "--yes", "--max-fee", LIMIT]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert!(reader.lookup("demo").peers().contains(&"192.0.2.7:4003".to_owned()));
    std::thread::sleep(Duration::from_secs(61));
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4002"]);
}

#[test]
fn a_quote_spends_nothing_and_holds() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    let before = (node.waiting(), user.wallet());
    let dry = user.announce("192.0.2.7:4001", &["--dry-run"]);
    let quote = dry.of_type("quote")[0].clone();
    assert_eq!((dry.code(), &quote["test_network"]), (0, &true.into()), "{}", dry.err());
    assert_eq!((node.waiting(), user.wallet()), before);

    for (peer, bytes) in [("192.0.2.7:4001", 35), ("[2001:db8::7]:4001", 47)] {
        let quoted =
            bitcoin_amount(user.announce(peer, &["--dry-run"]).of_type("quote")[0]["fee"].as_str().unwrap());
        let ran = user.announced(peer);
        let [id] = &node.waiting()[..] else { panic!("{:?}", node.waiting()) };
        let (real, told) =
            (paid(&node, id), bitcoin_amount(ran.of_type("receipt")[0]["fee"].as_str().unwrap()));
        assert!(real <= quoted && quoted * 10 <= real * 12 && real == told, "{real} {told} {quoted}");
        let transaction = node.ask("getrawtransaction", json!([id, 2]));
        let script = transaction["vout"][0]["scriptPubKey"]["hex"].as_str().unwrap();
        assert_eq!((&script[..4], script.len() / 2 - 2), (format!("6a{bytes:02x}").as_str(), bytes));
        node.mine(1);
    }
}

#[test]
fn coins_that_are_only_enough_together_are_signed_for_one_by_one() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::new(&node.url(), &node.cookie());
    let address = user.wallet()["address"].as_str().unwrap().to_owned();
    (0..2).for_each(|_| node.fund(&address, 0.000_004));
    let dry = user.announce("192.0.2.7:4001", &["--dry-run"]);
    assert_eq!(dry.of_type("quote")[0]["signatures"], 2, "{}", dry.err());
    user.announced("192.0.2.7:4001");
    let transaction = node.ask("getrawtransaction", json!([node.waiting()[0], 2]));
    assert_eq!(transaction["vin"].as_array().unwrap().len(), 2);
}

#[test]
fn what_must_not_be_spent_is_not() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    let refused = |ran: &Ran, code: i32, says: &str| {
        assert!(
            ran.code() == code && ran.err().contains(says),
            "{} {}\n{}",
            ran.code(),
            ran.out(),
            ran.err()
        );
        assert_eq!(node.waiting(), Vec::<String>::new());
    };
    let all = ["--yes", "--max-fee", LIMIT];
    refused(&user.announce("192.0.2.7:4001", &["--yes", "--max-fee", "0.00000001 BTC"]), 8, "over the limit");
    refused(&user.announce("192.0.2.7:4001", &[]), 8, "was not confirmed");
    refused(&user.announce("peer.example:4001", &all), 2, "room for one IPv4 or IPv6 address only");

    // Another chain, and a real one: by the first block, whatever it calls itself.
    user.home.ok(&["backend", "set", VIA, "chain=signet"]);
    refused(&user.announce("192.0.2.7:4001", &all), 10, "is on another chain");
    let real = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    let lie = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| {
            let is_first = question.contains("getblockhash") && question.contains("[0]");
            Answer::Body(if is_first {
                format!(r#"{{"id":0,"result":"{real}"}}"#).into_bytes()
            } else {
                body
            })
        }),
    );
    user.home.ok(&["backend", "set", VIA, "chain=main", &format!("rpc={}", lie.url())]);
    refused(&user.announce("192.0.2.7:4001", &all), 8, "would spend real money");
    user.home.ok(&["backend", "set", VIA, "chain=regtest", &format!("rpc={}", node.url())]);

    let poor = User::new(&node.url(), &node.cookie());
    refused(&poor.announce("192.0.2.7:4001", &all), 1, "which is not enough");
    std::fs::write(&user.passphrase, "another passphrase").unwrap();
    refused(&user.announce("192.0.2.7:4001", &all), 4, "");
    let keyless = User::reader(&node.url(), &node.cookie());
    refused(&keyless.announce("192.0.2.7:4001", &all), 4, "there is no secp256k1 key");
    let stranger = User::new(&node.url(), &node.cookie());
    stranger.home.ok(&["key", "policy", "mine", "--deny", VIA]);
    refused(&stranger.announce("192.0.2.7:4001", &all), 8, "may not use the key");
}

/// The data of the announcement that waits.
fn data_of(node: &Bitcoind) -> String {
    let id = &node.waiting()[0];
    let transaction = node.ask("getrawtransaction", json!([id, 2]));
    transaction["vout"][0]["scriptPubKey"]["hex"].as_str().unwrap()[4..].to_owned()
}

#[test]
fn junk_and_the_records_of_others_hide_nobody() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [user, other] = [User::rich(&node), User::rich(&node)];
    user.announced("192.0.2.7:4001");
    let data = data_of(&node);
    let words =
        ["announce", "another", "--peer", "192.0.2.8:1", "--via", VIA, "--once", "--yes", "--max-fee", LIMIT];
    other.home.ok(&[&words[..], &["--passphrase-file", &other.passphrase]].concat());
    node.mine(1);

    // Under the same tag: nothing, noise, a note that somebody copied, one that was changed, another length, another program's.
    let tag = &data[..16];
    let changed = format!("{}{}", &data[..data.len() - 2], "00");
    let strange =
        [tag.to_owned(), format!("{tag}ff"), format!("{tag}{}", "5a".repeat(27)), data.clone(), changed];
    node.write(&strange);
    node.write(&["626974626f6f74".into()]);
    for some in 0..4 {
        let spam: Vec<String> =
            (0..250).map(|number| format!("{tag}{}{:06x}", "5a".repeat(24), some * 250 + number)).collect();
        node.write(&spam);
    }
    let reader = User::reader(&node.url(), &node.cookie());
    for _ in 0..2 {
        let found = reader.home.ok(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "60s"]);
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.public_key());
    }
    assert_eq!(reader.lookup("another").peers(), ["192.0.2.8:1"]);
}

/// What is made of a node's answer.
type Lie = fn(Vec<u8>) -> Answer;

#[test]
fn a_node_that_is_down_or_lies_makes_no_announcement_twice() {
    let Some(bitcoind) = bitcoind() else { return };
    let mut node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    let set = |url: &str| drop(user.home.ok(&["backend", "set", VIA, &format!("rpc={url}"), "timeout_s=1"]));
    let nowhere = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    set(&format!("http://{nowhere}"));
    for ran in [user.announce("192.0.2.7:4001", &["--yes", "--max-fee", LIMIT]), user.lookup("demo")] {
        assert!(ran.code() == 5 && ran.err().contains("no node answers at"), "{}", ran.err());
    }
    // Each lie about everything: told, within the bounds of the retries.
    let lies: [(Lie, &str); 8] = [
        (|_| Answer::Close, "no node answers at"),
        (|_| Answer::Silence(Duration::from_secs(2)), "did not answer in time"),
        (|_| Answer::Endless, "the node at"),
        (|body| Answer::Cut(body[..body.len() / 2].to_vec()), "node"),
        (|body| Answer::Body(body[..body.len() / 2].to_vec()), "its answer was cut"),
        (|_| Answer::Body(b"<html>".to_vec()), "is no Bitcoin node"),
        (|_| Answer::Body(br#"{"id":0,"result":{"a":[[[]]]}}"#.to_vec()), "not what was asked for"),
        (|_| Answer::Body(br#"{"id":7,"result":1}"#.to_vec()), "is no Bitcoin node"),
    ];
    for (lie, says) in lies {
        let proxy = Proxy::start(node.port(), Box::new(move |_, body, _| lie(body)));
        set(&proxy.url());
        let start = Instant::now();
        let ran = user.lookup("demo");
        assert!([5, 7].contains(&ran.code()) && ran.err().contains(says), "{says}: {}", ran.err());
        assert!(start.elapsed() < Duration::from_secs(9) && proxy.asked("") <= 3, "{says}");
    }
    // It happens, the answer is lost: the same transaction once, and it is told as done.
    for lost in [|| Answer::Close, || Answer::Silence(Duration::from_secs(2)), || Answer::Body(b"{".to_vec())]
    {
        let proxy = Proxy::start(
            node.port(),
            Box::new(
                move |question, body, _| {
                    if question.contains("sendrawtransaction") { lost() } else { Answer::Body(body) }
                },
            ),
        );
        set(&proxy.url());
        user.announced("192.0.2.7:4001");
        assert_eq!(node.waiting().len(), 1);
        assert!(proxy.asked("sendrawtransaction") <= 3);
        node.mine(1);
    }
    // Restarted in the middle: with another cookie, found again by itself.
    set(&node.url());
    node.restart();
    user.announced("192.0.2.7:4001");
    let found = user.lookup("demo");
    assert_eq!(
        (found.peers(), node.waiting().len()),
        (vec!["192.0.2.7:4001".to_owned()], 1),
        "{}",
        found.err()
    );
}

#[test]
fn a_reorganization_is_followed() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [stays, goes] = [User::rich(&node), User::rich(&node)];
    stays.announced("192.0.2.7:4001");
    node.mine(1);
    goes.announced("192.0.2.7:4002");
    let id = node.waiting()[0].clone();
    node.mine(3);
    let reader = User::reader(&node.url(), &node.cookie());
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
    // Three blocks are replaced by four others, in which the second announcement is not.
    let height = node.height();
    let hash = node.ask("getblockhash", json!([height - 2]));
    node.ask("invalidateblock", json!([hash]));
    for _ in 0..4 {
        node.ask("generateblock", json!([node.address(), []]));
    }
    assert_eq!(node.height(), height + 1);
    assert_eq!(node.waiting(), [id]);
    // It waits again; then it is confirmed in another block.
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
    reader.home.ok(&["backend", "set", VIA, "mempool=false"]);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    node.mine(1);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
}

#[test]
fn only_new_blocks_are_read_again() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(1000);
    let proxy = Proxy::counting(node.port());
    let reader = User::reader(&proxy.url(), &node.cookie());
    let look = || {
        let found = reader.home.ok(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "60s"]);
        assert_eq!(found.peers(), ["192.0.2.7:4001"]);
        proxy.counted()
    };
    let (all, _) = look();
    let (nothing, _) = look();
    node.mine(1);
    let (one, _) = look();
    assert!(all > 400_000 && nothing < 2_000 && one < nothing + 3_000, "{all} {nothing} {one}");
}

#[test]
fn several_nodes_are_read_and_told_and_none_hides_another() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    let nowhere = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    user.home.ok(&["backend", "set", VIA, &format!("rpc=http://{nowhere},{}", node.url())]);
    let ran = user.announced("192.0.2.7:4001");
    let receipt = &ran.of_type("receipt")[0];
    assert_eq!((&receipt["stored"], &receipt["asked"]), (&1.into(), &2.into()));
    let found = user.home.run(&["lookup", "demo", "--via", VIA, "--json", "-v"]);
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains("no node answers"), "{}", found.err());
    // Two that are not connected: both are read, and that they disagree is told.
    let other = Bitcoind::start(&bitcoind);
    let login = [("BITBOOT_PLUGIN_BITCOIN_RPC", "test:test")];
    user.home.ok(&["backend", "set", VIA, &format!("rpc={},{}", other.url(), node.url())]);
    let mut command = user.home.bitboot(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
    let found = Ran(command.envs(login).output().unwrap());
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains("the nodes disagree about block"), "{}", found.err());
    // What is told of credentials: where they are, never they.
    let cookie = std::fs::read_to_string(node.cookie()).unwrap();
    let secret = cookie.split(':').nth(1).unwrap();
    user.home.ok(&["backend", "set", VIA, &format!("rpc={}", node.url()), "cookie=/nowhere/.cookie"]);
    let ran = user.lookup("demo");
    assert!(ran.code() == 10 && ran.err().contains("refuses the credentials"), "{}", ran.err());
    let mut command = user.home.bitboot(&["-vv", "lookup", "demo", "--via", VIA, "--json"]);
    let ran = Ran(command.env("BITBOOT_PLUGIN_BITCOIN_RPC", &cookie).output().unwrap());
    assert_eq!(ran.peers(), ["192.0.2.7:4001"], "{}", ran.err());
    assert!(!ran.err().contains(secret) && !ran.out().contains(secret));
    let ran = user.home.run(&["backend", "set", VIA, &format!("rpc=http://{}@127.0.0.1:1", cookie.trim())]);
    assert!(ran.code() != 0 || user.lookup("demo").code() == 10);
}

#[test]
fn a_secret_network_is_found_by_its_members_only() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = User::rich(&node);
    user.home.ok(&["network", "add", "demo", "--secret", "new"]);
    user.announced("192.0.2.7:4001");
    let member = User::reader(&node.url(), &node.cookie());
    member.home.ok(&["network", "add", &user.home.invite("demo")]);
    for _ in 0..2 {
        let found = member.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.public_key());
        assert_eq!(User::reader(&node.url(), &node.cookie()).lookup("demo").peers(), Vec::<String>::new());
        node.mine(1);
    }
    let words =
        ["withdraw", "demo", "--yes", "--max-fee", LIMIT, "--json", "--passphrase-file", &user.passphrase];
    user.home.ok(&words);
    assert_eq!(member.lookup("demo").peers(), Vec::<String>::new());
}
