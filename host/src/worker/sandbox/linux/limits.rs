use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, geteuid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use super::Confine;

/// The largest file that it may write. Not 0: the signal of that limit would also end a worker whose standard error is a file.
const FILE_SIZE: u64 = 1 << 30;

pub(super) fn set(confine: &Confine) -> io::Result<()> {
    // Whatever its threads do. The host starts it from a thread that lives as long as the host does.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // A process of the same user must not look into it, nor may it leave a core: the plugin's settings are in its memory.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Data, confine.memory)?;
    limit(Resource::Nofile, confine.descriptors)?;
    limit(Resource::Fsize, FILE_SIZE)
}

/// At most so much, and no more than was allowed before.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let before = getrlimit(resource);
    let most = before.maximum.map_or(most, |before| before.min(most));
    let current = before.current.map_or(most, |before| before.min(most));
    // Of descriptors a process gets few unless it asks for more.
    let current = if matches!(resource, Resource::Nofile) { current } else { most };
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum: Some(most) })?)
}

/// What an administrator's process may do beyond others'.
pub(super) fn drop_capabilities(library: &Path) {
    // The library of another user has still to be read.
    let is_ours = std::fs::metadata(library).is_ok_and(|about| about.uid() == geteuid().as_raw());
    let kept = if is_ours { CapabilitySet::empty() } else { CapabilitySet::DAC_READ_SEARCH };
    let now = rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.permitted);
    let (effective, permitted, inheritable) = (now & kept, now & kept, CapabilitySet::empty());
    // Giving something up is never refused.
    let _ = set_capabilities(None, CapabilitySets { effective, permitted, inheritable });
}
