//! Writers who announce at the same moment on a medium that keeps one value a place: nobody is lost. `benches/writers.rs` has more of them.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitboot::{AnnounceOptions, Bitboot, Found, LookupOptions, Network, Paths, Secret, Signer};
use support::{Home, PATIENCE, Testnet};

const WRITERS: u16 = 8;

/// Somebody with an identity and a node of their own.
fn somebody(testnet: &Testnet) -> (Bitboot, Home) {
    let home = Home::new();
    home.add_lab_by_hand(&testnet.bootstrap);
    (Bitboot::with(Paths::inside(home.path()), |_, _, _| {}).unwrap(), home)
}

#[tokio::test]
async fn eight_writers_at_once_are_all_seen() {
    let home = Home::new();
    let testnet = Testnet::start(&home, 30);
    let network = Network::with_secret("eight", Secret::new([8; 32])).unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|_| somebody(&testnet)).collect();
    let start = Instant::now();
    for (number, (bitboot, _)) in (1..).zip(&writers) {
        let options = AnnounceOptions::port(4000 + number).via("lab");
        let mut announcing = bitboot.announce(&network, options).unwrap();
        tokio::spawn(async move { while announcing.next().await.is_some() {} });
    }
    let mut signers = BTreeSet::<Signer>::new();
    while signers.len() < usize::from(WRITERS) {
        assert!(start.elapsed() < 4 * PATIENCE, "of {WRITERS} writers {} are seen", signers.len());
        tokio::time::sleep(Duration::from_secs(1)).await;
        signers = seen(&testnet, &network).await;
    }
}

/// By a reader who has just come.
async fn seen(testnet: &Testnet, network: &Network) -> BTreeSet<Signer> {
    let (reader, _home) = somebody(testnet);
    let mut lookup = reader.lookup(network, &LookupOptions::default().via("lab")).unwrap();
    let mut signers = BTreeSet::new();
    while let Some(found) = lookup.next().await {
        if let Found::Peer(peer) = found {
            signers.extend(peer.signed_by);
        }
    }
    signers
}
