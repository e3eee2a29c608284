use std::collections::VecDeque;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind};
use tokio::io::AsyncReadExt;

use super::pipes::Told;

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Death {
    /// What happened, in a few words that follow "its process".
    pub cause: String,
    /// The plugin's own doing: its code ended the process. Else it was ended by the host, by somebody, or by the system.
    pub is_fault: bool,
    /// The last lines that it wrote to standard error.
    pub last_lines: Vec<String>,
}

impl Death {
    /// By how a process ended that the host had not ended.
    pub(super) fn of_status(status: Option<ExitStatus>) -> Self {
        #[cfg(unix)]
        if let Some(signal) = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status))
        {
            return Self::of_signal(signal);
        }
        let cause = match status.and_then(|status| status.code()) {
            Some(code) => format!("ended itself with code {}", exit_code(code)),
            None => "ended".into(),
        };
        Self { cause, is_fault: true, last_lines: Vec::new() }
    }

    #[cfg(unix)]
    fn of_signal(signal: i32) -> Self {
        const KILL: i32 = 9;
        const NAMES: [(i32, &str); 9] = [
            (4, "SIGILL"),
            (5, "SIGTRAP"),
            (6, "SIGABRT"),
            (7, if cfg!(target_os = "linux") { "SIGBUS" } else { "SIGEMT" }),
            (8, "SIGFPE"),
            (10, if cfg!(target_os = "linux") { "SIGUSR1" } else { "SIGBUS" }),
            (11, "SIGSEGV"),
            (25, if cfg!(target_os = "linux") { "SIGXFSZ" } else { "SIGXFSZ or SIGCONT" }),
            (31, "SIGSYS"),
        ];
        if signal == KILL {
            let cause = "was killed, by somebody or by a system that is short of memory (SIGKILL)";
            return Self { cause: cause.into(), is_fault: false, last_lines: Vec::new() };
        }
        let name = NAMES.iter().find(|(number, _)| *number == signal).map_or("unknown", |(_, name)| name);
        Self {
            cause: format!("was ended by signal {signal} ({name})"),
            is_fault: true,
            last_lines: Vec::new(),
        }
    }

    /// Ended by the host, for a reason that follows "its process".
    pub(super) fn by_host(cause: &str, is_fault: bool) -> Self {
        Self { cause: cause.into(), is_fault, last_lines: Vec::new() }
    }

    #[cfg(test)]
    pub(crate) fn of_test(cause: &str) -> Self {
        Self { cause: cause.into(), is_fault: true, last_lines: vec!["the last words".into()] }
    }

    /// What a call is told that was under way.
    pub(crate) fn error(&self) -> Error {
        let error = Error::new(ErrorKind::Panicked, format!("the plugin's process {}", self.cause));
        match self.last_words() {
            Some(words) => error.because(words),
            None => error,
        }
    }

    /// The end of what it wrote, as a sentence.
    pub(crate) fn last_words(&self) -> Option<String> {
        last_words(&self.last_lines)
    }
}

/// An exit code as people look it up. On Windows a process that crashes ends with an NTSTATUS, whose numbers and names are those of Microsoft's
/// \[MS-ERREF\].
pub(crate) fn exit_code(code: i32) -> String {
    if cfg!(windows) { windows_exit_code(code) } else { code.to_string() }
}

fn windows_exit_code(code: i32) -> String {
    const NAMES: [(&str, &str); 7] = [
        ("0xC0000005", "STATUS_ACCESS_VIOLATION"),
        ("0xC000001D", "STATUS_ILLEGAL_INSTRUCTION"),
        ("0xC0000017", "STATUS_NO_MEMORY"),
        ("0xC0000094", "STATUS_INTEGER_DIVIDE_BY_ZERO"),
        ("0xC00000FD", "STATUS_STACK_OVERFLOW"),
        ("0xC0000374", "STATUS_HEAP_CORRUPTION"),
        ("0xC0000409", "STATUS_STACK_BUFFER_OVERRUN, which is also what abort() leaves"),
    ];
    if code >= 0 {
        return code.to_string();
    }
    let number = format!("{code:#010X}");
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("{number} ({name})"),
        None => number,
    }
}

/// The end of what a plugin wrote, as a sentence.
pub(crate) fn last_words(lines: &[String]) -> Option<String> {
    let lines = lines.get(lines.len().saturating_sub(2)..).filter(|lines| !lines.is_empty())?;
    Some(format!("its last words were: {}", lines.join(" | ")))
}

/// Somebody who is told what becomes of a worker.
pub trait Witness: Send + Sync {
    /// A line that the plugin wrote to its standard output or error; it may hold control characters.
    fn line(&self, _line: &str) {}

    /// It died by its own fault. Told before whoever waits for it; may read and write files.
    fn died(&self, _death: &Death) {}
}

/// The last lines of a worker's standard error.
#[derive(Debug, Default)]
pub(super) struct LastLines(Mutex<VecDeque<String>>);

/// A line is cut there.
const LONGEST: usize = 400;
const KEPT: usize = 20;

impl LastLines {
    pub(super) fn get(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Hears until the worker is gone; what it writes takes no more memory than a line.
    pub(super) async fn hear(&self, mut pipe: Told, witness: Arc<dyn Witness>) {
        let (mut piece, mut line) = ([0; 4096], Vec::new());
        while let Ok(read @ 1..) = pipe.read(&mut piece).await {
            for part in piece[..read].split_inclusive(|byte| *byte == b'\n') {
                let room = LONGEST.saturating_sub(line.len());
                line.extend(part.iter().filter(|byte| **byte != b'\n').take(room));
                if part.ends_with(b"\n") {
                    self.keep(&line, &*witness);
                    line.clear();
                }
            }
            // One that prints without end waits for its own pipe, and takes nothing from others. What it said is told before that, as the command
            // may end meanwhile.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if !line.is_empty() {
            self.keep(&line, &*witness);
        }
    }

    fn keep(&self, line: &[u8], witness: &dyn Witness) {
        let line = String::from_utf8_lossy(line).into_owned();
        witness.line(&line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        if lines.len() > KEPT {
            lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::windows_exit_code;

    #[test]
    fn codes_of_windows_are_those_that_people_look_up() {
        assert_eq!(windows_exit_code(3), "3");
        assert_eq!(windows_exit_code(-1_073_741_819), "0xC0000005 (STATUS_ACCESS_VIOLATION)");
        assert_eq!(windows_exit_code(-1), "0xFFFFFFFF");
    }
}
