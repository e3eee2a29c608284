//! Who runs on which processor, so that luck does not decide whether a network and its client share one.

use std::future::Future;

/// Has `start` make its threads on the last processor, and leaves the others to this thread and whatever it starts from now on. On a machine
/// with one processor, or a system that does not say, everything stays where the system puts it.
pub(crate) async fn apart<T>(start: impl Future<Output = T>) -> T {
    let Some([network, clients]) = sets() else { return start.await };
    confine(&network);
    let started = start.await;
    confine(&clients);
    started
}

#[cfg(target_os = "linux")]
type Set = rustix::thread::CpuSet;

/// The last processor that this process may use, and the others.
#[cfg(target_os = "linux")]
fn sets() -> Option<[Set; 2]> {
    use std::sync::LazyLock;

    /// Before anything is confined.
    static ALL: LazyLock<Option<Set>> = LazyLock::new(|| rustix::thread::sched_getaffinity(None).ok());
    let mut clients = (*ALL)?;
    let last = (0..Set::MAX_CPU).rev().find(|at| clients.is_set(*at))?;
    clients.unset(last);
    let mut network = Set::new();
    network.set(last);
    (clients.count() > 0).then_some([network, clients])
}

/// This thread and those that it starts.
#[cfg(target_os = "linux")]
fn confine(set: &Set) {
    rustix::thread::sched_setaffinity(None, set).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn sets() -> Option<[(); 2]> {
    None
}

#[cfg(not(target_os = "linux"))]
fn confine((): &()) {}
