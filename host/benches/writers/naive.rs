use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{ErrorKind, Locator, Query, Write};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::backend::{self, Step};
use crate::foreign::Foreign;
use crate::measure::Plugin;

const DEADLINE: Duration = Duration::from_secs(30);
/// As long as a bundle of one record of one address.
const SEALED: usize = 168;
/// How often a writer whose write is refused reads and writes again.
const TRIES: u32 = 8;

/// What a store makes of many writers that keeps one value, as `put` and `get` without bitboot would: each puts its own over what is
/// there. How many writers a reader sees afterwards.
pub(crate) async fn seen(plugin: &Plugin, writers: usize) -> usize {
    let slot = Locator::new(&std::array::from_fn::<u8, 32, _>(|_| fastrand::u8(..))).unwrap();
    let together = Arc::new(Barrier::new(writers));
    let mut writing = JoinSet::new();
    for number in 0..writers {
        let (plugin, slot, together) = (plugin.clone(), slot.clone(), Arc::clone(&together));
        writing.spawn(async move {
            let node = plugin.open().await.unwrap();
            let mut value = vec![0; SEALED];
            value[..8].copy_from_slice(&(number as u64).to_be_bytes());
            together.wait().await;
            for _ in 0..TRIES {
                let mut write = Write::new(slot.clone(), value.clone());
                write.after = values(&node, &slot).await.into_iter().map(|(_, revision)| revision).max();
                match backend::write(&node, &write, DEADLINE).await {
                    Err(error) if error.kind == ErrorKind::Conflict => {}
                    _ => break,
                }
            }
        });
    }
    writing.join_all().await;
    let reader = plugin.open().await.unwrap();
    let seen: HashSet<_> = values(&reader, &slot).await.into_iter().map(|(value, _)| value).collect();
    seen.len()
}

async fn values(node: &Foreign, slot: &Locator) -> Vec<(Vec<u8>, u64)> {
    let mut reading = backend::read(node, &Query::new(slot.clone()), DEADLINE);
    let mut values = Vec::new();
    while let Ok(step) = reading.next().await {
        match step {
            Step::Held(held) => values.push((held.value, held.revision)),
            Step::Done(_) => break,
            _ => {}
        }
    }
    values
}
