use std::fs;

use serde::{Deserialize, Serialize};

/// A process that keeps an announcement alive, told apart from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    /// When it began, in words of the system that no other process can have; none where the system tells nothing.
    birth: Option<String>,
}

impl Owner {
    /// This process.
    pub(crate) fn this() -> Self {
        Self::of(std::process::id())
    }

    /// A process that runs now.
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, birth: birth(pid) }
    }

    /// Whether it still runs; `None` where the system tells nothing.
    pub(crate) fn runs(&self) -> Option<bool> {
        let known = self.birth.as_ref()?;
        Some(birth(self.pid).as_ref() == Some(known))
    }
}

/// The boot's own name and the clock tick of the process' start (proc(5), `stat`, field 22): after a reboot, or in a container in which each
/// bitboot has the same number, it differs.
fn birth(pid: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, a program's name in brackets, may hold anything; the third one follows the last bracket.
    let tick = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?;
    Some(format!("{} {tick}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn another_process_of_the_same_number_is_another() {
        let this = Owner::this();
        assert_eq!(this.runs(), Some(true));
        let earlier = Owner { birth: Some("another boot 7".into()), ..this.clone() };
        assert_eq!(earlier.runs(), Some(false));
        let gone = Owner { pid: u32::MAX, ..this };
        assert_eq!(gone.runs(), Some(false));
    }
}
