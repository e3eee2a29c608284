//! What strangers leave on a medium hides nobody and is told.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::Home;

/// The one folder of a locator in the folder of `local`, that of a network in which somebody announces.
fn place(folder: &Path) -> PathBuf {
    let mut places = fs::read_dir(folder).unwrap();
    let place = places.next().unwrap().unwrap().path();
    assert!(places.next().is_none());
    place
}

/// The one bundle that lies there.
fn bundle(place: &Path) -> Vec<u8> {
    let file = fs::read_dir(place).unwrap().next().unwrap().unwrap().path();
    let entry: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    serde_json::from_value(entry["value"].clone()).unwrap()
}

fn put(place: &Path, number: usize, value: &[u8], endpoints: &Value) {
    let entry = json!({ "endpoints": endpoints, "value": value, "expires": 4_000_000_000_u64 });
    fs::write(place.join(format!("{number:016x}.json")), entry.to_string()).unwrap();
}

#[test]
fn junk_of_every_sort_is_counted_and_hides_nothing() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [alice, bob] = Home::share(ours.path());
    let [mallory] = Home::share(theirs.path());
    alice.ok(&["network", "add", "club", "--secret", "new"]);
    bob.ok(&["network", "add", &alice.invite("club")]);
    mallory.ok(&["network", "add", "club", "--secret", "new"]);
    for home in [&alice, &mallory] {
        home.ok(&["announce", "club", "--port", "4001", "--via", "local", "--once"]);
    }
    let (place, foreign) = (place(ours.path()), bundle(&place(theirs.path())));
    let good = bundle(&place);
    let random: Vec<u8> = (0..1000).map(|_| fastrand::u8(..)).collect();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let longer = [&good[..], &[0]].concat();
    let oversize = vec![7; 20_000];
    let mut junk: Vec<&[u8]> = vec![&[], &[0], &random, &foreign, &flipped, &longer, &oversize];
    // Cut anywhere.
    junk.extend((1..good.len()).step_by(16).map(|at| &good[..at]));
    for (number, value) in junk.iter().enumerate() {
        put(&place, number, value, &json!([]));
    }
    // What is no entry at all is the plugin's to pass over.
    fs::write(place.join("junk.json"), &random).unwrap();
    fs::write(place.join("README"), "hello").unwrap();
    fs::write(place.join("huge.json"), vec![b' '; 200_000]).unwrap();

    let found = bob.ok(&["lookup", "club", "--via", "local", "--json"]);
    assert_eq!(found.peers(), ["127.0.0.1:4001"]);
    let told = format!("local: not shown: {} unreadable", junk.len());
    assert!(found.err().contains(&told), "{told}: {}", found.err());
    assert!(found.err().len() < 200, "{}", found.err());
    // The same bundle twice is the same node once.
    put(&place, junk.len(), &good, &json!([]));
    assert_eq!(bob.ok(&["lookup", "club", "--via", "local", "--json"]).peers(), ["127.0.0.1:4001"]);
}

#[test]
fn addresses_that_strangers_put_there_are_shown_on_demand_only() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = Home::share(folder.path());
    alice.ok(&["network", "add", "club", "--secret", "new"]);
    bob.ok(&["network", "add", &alice.invite("club")]);
    alice.ok(&["announce", "club", "--port", "4001", "--via", "local", "--once"]);
    let lair = json!(["203.0.113.66:1", "203.0.113.66:2", "[2001:db8::66]:3"]);
    put(&place(folder.path()), 1, &[1, 2, 3], &lair);

    let found = bob.ok(&["lookup", "club", "--via", "local", "--json"]);
    assert_eq!(found.peers(), ["127.0.0.1:4001"]);
    assert!(found.err().contains("not shown: 3 addresses that no member has signed for"), "{}", found.err());
    let all = bob.ok(&["lookup", "club", "--via", "local", "--unverified", "--json"]);
    assert_eq!(all.peers().len(), 4, "{}", all.out());
    let verified = all.of_type("peer").into_iter().filter(|peer| peer["verified"] == true);
    assert_eq!(verified.map(|peer| peer["peer"].clone()).collect::<Vec<_>>(), ["127.0.0.1:4001"]);
}

#[test]
fn processes_that_are_the_first_ones_together_make_one_identity() {
    let folder = tempfile::tempdir().unwrap();
    let [home] = Home::share(folder.path());
    let networks: Vec<_> = (0..8).map(|number| format!("network {number}")).collect();
    let words = |network| ["announce", network, "--port", "1", "--via", "local", "--once"];
    let children: Vec<_> =
        networks.iter().map(|network| home.bitboot(&words(network)).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let identity = home.identity();
    for network in &networks {
        let found = home.ok(&["lookup", network, "--via", "local", "--json"]);
        assert_eq!(found.of_type("peer")[0]["signed_by"], identity);
    }
    // It stays when all else changes.
    home.ok(&["withdraw", &networks[0]]);
    home.ok(&["announce", "another", "--port", "2", "--via", "local", "--once"]);
    assert_eq!(home.identity(), identity);
}
