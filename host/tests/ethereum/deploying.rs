//! The contract is put on a chain by an action, which costs money and is asked about like an announcement.

use super::*;

fn deploy(user: &Spender, more: &[&str]) -> Ran {
    let words = ["backend", "run", VIA, "deploy", "--json", "--passphrase-file", &user.passphrase];
    user.home.run(&[&words[..], more].concat())
}

#[test]
fn deploying_is_quoted_and_agreed_to_and_done_once() {
    let Some(anvil) = anvil() else { return };
    let node = Anvil::start(&anvil);
    let user = rich(&node);
    let ours = user.address();
    let missing = user.announce("192.0.2.7:4001", &user.agreed());
    assert!(missing.code() == 10 && missing.err().contains("deploy"), "{}", missing.err());
    let found = user.home.run(&["-v", "lookup", "demo", "--via", VIA]);
    assert!(found.err().contains("the contract is not on"), "{}", found.err());

    let health = || user.home.ok(&["backend", "ping", VIA, "--json"]).of_type("health")[0].clone();
    let told = health();
    assert!(told["summary"].as_str().unwrap().contains("not there yet"), "{told}");
    assert!(told["fix"].as_str().unwrap().contains("deploy"), "{told}");

    // What is not agreed to is not done.
    let dry = deploy(&user, &["--dry-run"]);
    let quote = dry.of_type("quote")[0].clone();
    assert_eq!((dry.code(), &quote["action"], &quote["network"]), (0, &"deploy".into(), &Value::Null));
    assert_eq!(deploy(&user, &[]).code(), 8);
    let limited = deploy(&user, &["--yes", "--max-fee", "0.000001 ETH"]);
    assert!(limited.code() == 12 && limited.err().contains("over the limit"), "{}", limited.err());
    let pauper = deploy(&poor(&node.url()), &user.agreed());
    assert!(pauper.code() == 11 && pauper.err().contains("the wallet has 0 ETH"), "{}", pauper.err());
    assert_eq!((node.sent(&ours), node.balance(&ours)), (0, 10_u128.pow(18)));

    let done = deploy(&user, &user.agreed());
    assert_eq!(done.code(), 0, "{}", done.err());
    let told = done.of_type("output")[0].clone();
    let (quoted, real) = (wei(&quote["fee"]), paid(&node, &told["note"]));
    assert!(
        real <= quoted && quoted * 10 <= real * 12 && real == wei(&told["fee"]),
        "{real} {quoted} {told}"
    );
    assert_eq!((node.sent(&ours), told["next"].is_null()), (1, true));
    user.announced("192.0.2.7:4001");
    assert_eq!(reader(&node.url()).lookup("demo").peers(), ["192.0.2.7:4001"]);

    assert!(health()["fix"].is_null());

    // By whomever, and without asking: there is nothing to do.
    let again = deploy(&user, &[]);
    assert_eq!(again.code(), 0, "{}", again.err());
    assert_eq!(again.of_type("output")[0]["contract"], told["contract"]);
    assert_eq!(node.sent(&ours), 2);
}

#[test]
fn where_the_contract_cannot_have_its_address_another_one_is_told() {
    let Some(anvil) = anvil() else { return };
    let node = Anvil::with(&anvil, &["--disable-default-create2-deployer"]);
    let user = rich(&node);
    let done = deploy(&user, &user.agreed());
    let told = done.of_type("output")[0].clone();
    let next = told["next"].as_str().unwrap_or_else(|| panic!("{told} {}", done.err()));
    let contract = told["contract"].as_str().unwrap();
    assert!(next.contains(&format!("contract={contract}")), "{next}");
    assert_eq!(user.announce("192.0.2.7:4001", &user.agreed()).code(), 10);
    let reader = reader(&node.url());
    for home in [&user, &reader] {
        home.set(&[&format!("contract={contract}")]);
    }
    user.announced("192.0.2.7:4001");
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    // An address at which something else is.
    user.set(&[&format!("contract={}", node::STRANGER)]);
    for ran in [user.announce("192.0.2.7:4001", &user.agreed()), deploy(&user, &user.agreed())] {
        assert_eq!(ran.code(), 10, "{}", ran.err());
    }
}
