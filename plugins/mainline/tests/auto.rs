//! A backend that is used for a while becomes a node which others use.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod lab;

use std::time::{Duration, Instant};

use bitboot_plugin_api::{Announcement, Health, Locator, Query};
use lab::{Lab, open};
use serde_json::json;

const DEADLINE: Duration = Duration::from_secs(60);

fn at(locator: u8) -> Locator {
    Locator::new(&[locator; 20]).unwrap()
}

fn is_reached(health: &Health) -> bool {
    health.facts["mode"] == "server" && health.facts["reachable"].starts_with("yes")
}

#[tokio::test]
async fn a_backend_that_others_reach_serves_them_unless_it_is_told_not_to() {
    let lab = Lab::start(20).await;
    let [auto, client, server] = ["auto", "client", "server"].map(|mode| {
        let mut config = lab.config();
        config["mode"] = json!(mode);
        open(config)
    });
    let (auto, client, server) = (auto.await, client.await, server.await);
    for backend in [&auto, &client, &server] {
        backend.announce(&Announcement::new(at(1)).with_port(4001)).await.unwrap();
    }
    for (backend, mode) in [(&auto, "client"), (&client, "client"), (&server, "server")] {
        assert_eq!(backend.health().await.unwrap().facts["mode"], mode);
    }

    let start = Instant::now();
    for round in 0_u8.. {
        assert!(start.elapsed() < Duration::from_secs(300), "{:?}", auto.health().await);
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Somebody new, as there are always: of whoever has asked before, the network's nodes alone would tell.
        let somebody = open(lab.config()).await;
        somebody.lookup(&Query::new(at(round.wrapping_mul(37))), DEADLINE).await.outcome.unwrap();
        if is_reached(&auto.health().await.unwrap()) {
            println!("a server after {:?}", start.elapsed());
            break;
        }
    }
    assert_eq!(client.health().await.unwrap().facts["mode"], "client");
}
