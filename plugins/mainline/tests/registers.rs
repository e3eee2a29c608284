//! Registers (BEP 44) among 50 nodes on loopback.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]
#![expect(clippy::print_stdout, reason = "how long it takes, with `--nocapture`")]

mod lab;
#[path = "lab/npm.rs"]
mod npm;

use std::ops::Range;
use std::time::{Duration, Instant};

use bitboot_conformance::Driver;
use bitboot_plugin_api::{ErrorKind, Held, Locator, Query, Receipt, Write};
use lab::{Lab, open};
use npm::Npm;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(15);
const NAMES: Range<u8> = 100..132;

fn slot(name: u8) -> Locator {
    Locator::new(&[name; Write::SLOT]).unwrap()
}

/// Says how long a step has taken; shown with `--nocapture`.
async fn timed<T>(what: &str, step: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let outcome = step.await;
    println!("{what}: {:?}", start.elapsed());
    outcome
}

async fn read(backend: &Driver, name: u8) -> Vec<Held> {
    let finds = backend.read(&Query::new(slot(name)), DEADLINE).await;
    finds.outcome.unwrap();
    finds.held
}

async fn registers_work(network: &str, config: Value) {
    println!("{network}:");
    let (one, two) = (open(config.clone()).await, open(config).await);
    assert!(timed("first read, of nothing", read(&one, 1)).await.is_empty());
    let first = Write::new(slot(1), [1; 996]);
    let receipt = timed("first write, 996 bytes", one.write(&first)).await.unwrap();
    println!("{receipt:?}");
    assert!(receipt.stored > 5 && receipt.asked >= receipt.stored && receipt.expires_in_s == Some(7200));
    for round in ["read by another", "read again"] {
        assert_eq!(timed(round, read(&two, 1)).await, [Held::new([1; 996], 1)]);
    }
    timed("write after revision 1", two.write(&Write::new(slot(1), [2]).with_after(1))).await.unwrap();
    assert!(timed("read of revision 2", read(&one, 1)).await.contains(&Held::new([2], 2)));
    for stale in [Write::new(slot(1), [3]), Write::new(slot(1), [3]).with_after(1)] {
        // Nodes beyond the nearest may have missed revision 2, and take it; those that have it do not.
        let outcome = timed("stale write", one.write(&stale)).await;
        println!("{outcome:?}");
        assert!(outcome.map_or_else(|error| error.kind == ErrorKind::Conflict, |receipt| receipt.stored > 0));
    }
    let held = read(&one, 1).await;
    assert!(held.contains(&Held::new([2], 2)) && held.iter().all(|held| held.revision <= 2), "{held:?}");
    many_at_once(&one, &two).await;
}

/// 32 registers at once, as a host does with a network of many slots.
async fn many_at_once(one: &Driver, two: &Driver) {
    let write = |name: u8| one.write_stream(&Write::new(slot(name), vec![name; 900]), DEADLINE);
    let writing = async {
        let mut fewest = u32::MAX;
        for stream in NAMES.map(write).collect::<Vec<_>>() {
            fewest = fewest.min(stream.finish::<Receipt>().await.unwrap().stored);
        }
        fewest
    };
    let fewest = timed("32 writes at once", writing).await;
    println!("stored at {fewest} nodes at least");
    assert!(fewest > 5);
    for round in ["32 reads at once", "32 reads again"] {
        let reading = async {
            let read = |name: u8| (name, two.read_stream(&Query::new(slot(name)), DEADLINE));
            for (name, stream) in NAMES.map(read).collect::<Vec<_>>() {
                let finds = stream.collect().await;
                finds.outcome.unwrap();
                assert!(finds.held.len() == 1 && finds.held[0].value == [name; 900]);
            }
        };
        timed(round, reading).await;
    }
}

#[tokio::test]
async fn registers_work_among_nodes_of_our_own() {
    registers_work("50 nodes of the crate", Lab::start(50).await.config()).await;
}

#[tokio::test]
async fn registers_work_among_strict_nodes_of_others() {
    let Some(npm) = Npm::start(50) else { return };
    registers_work("50 nodes of npm", npm.config()).await;
}
