//! Puts a plugin to the contract in other processes, so that whatever it does there breaks a clause and nothing else.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitboot_conformance::{OPENS, Outcome, Suite};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout_at;

use super::job::{Asked, Job, Said};
use super::world::World;
use crate::error::{Error, Kind, Result};
use crate::worker;

/// The clause that only somebody outside can judge.
const STDOUT: &str = "standard_output_is_left_alone";
/// The longest line that its process says: the largest noise, in numbers and commas.
const LONGEST_LINE: u64 = 4 << 20;
/// The most of what a plugin wrote that is repeated.
const MOST: usize = 200;

/// The names of all clauses, in order.
pub(crate) fn clauses() -> impl Iterator<Item = &'static str> + Clone {
    let inside: Vec<_> = Suite::clauses().collect();
    std::iter::once(OPENS).chain(inside).chain([STDOUT])
}

/// A plugin on trial, clause by clause.
pub(crate) struct Trial {
    job: Job,
    /// The longest that a clause may take.
    longest: Duration,
    left: VecDeque<String>,
    judges_stdout: bool,
    opened: bool,
    world: Arc<World>,
    sitting: Option<Sitting>,
}

/// What became of a clause.
pub(crate) struct Verdict {
    pub(crate) clause: String,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

impl Trial {
    /// Of the job's clauses, those that the job itself is not told included.
    pub(crate) fn new(mut job: Job, longest: Duration) -> Result<Self> {
        let world = Arc::new(World::of(&job)?);
        let judges_stdout = job.clauses.iter().any(|clause| clause == STDOUT);
        job.clauses.retain(|clause| clause != STDOUT && clause != OPENS);
        let left = job.clauses.iter().cloned().collect();
        Ok(Self { job, longest, left, judges_stdout, opened: false, world, sitting: None })
    }

    /// The next verdict; `None` when all are told. Safe to be dropped: the process ends with it.
    pub(crate) async fn next(&mut self, begun: impl Fn(&str)) -> Result<Option<Verdict>> {
        loop {
            if self.opened && self.left.is_empty() {
                // What it says at its very end is heard too.
                if let Some(sitting) = self.sitting.take() {
                    sitting.end().await;
                }
                return Ok(std::mem::take(&mut self.judges_stdout).then(|| self.stdout()));
            }
            if self.sitting.is_none() {
                self.job.clauses = self.left.iter().cloned().collect();
                self.sitting = Some(Sitting::start(&self.job, &self.world).await?);
            }
            let Some(sitting) = &mut self.sitting else { continue };
            let verdict = sitting.next(self.longest, &begun).await?;
            if verdict.clause == OPENS {
                let is_first = !std::mem::replace(&mut self.opened, true);
                if matches!(verdict.outcome, Outcome::Broken(_)) {
                    // Nothing can be said of the others.
                    self.left.clear();
                    self.sitting = None;
                } else if !is_first {
                    continue;
                }
                return Ok(Some(verdict));
            }
            self.left.retain(|clause| *clause != verdict.clause);
            if matches!(verdict.outcome, Outcome::Broken(_)) {
                // Who knows what is left in that process: the next clause gets one of its own.
                self.sitting = None;
            }
            return Ok(Some(verdict));
        }
    }

    fn stdout(&self) -> Verdict {
        let printed = std::fs::read(&self.job.printed).unwrap_or_default();
        let outcome = if cfg!(not(unix)) {
            Outcome::NotApplicable("this system does not tell who writes there".into())
        } else if printed.is_empty() {
            Outcome::Kept
        } else {
            Outcome::Broken(format!(
                "it wrote {} bytes there, such as \"{}\"",
                printed.len(),
                last_words(&printed)
            ))
        };
        Verdict { clause: STDOUT.into(), outcome, took: Duration::ZERO }
    }
}

/// One process that has the plugin in it.
struct Sitting {
    child: Child,
    told: BufReader<ChildStdout>,
    world: Arc<World>,
    words: Arc<Mutex<Vec<u8>>>,
}

impl Sitting {
    async fn start(job: &Job, world: &Arc<World>) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::new(Kind::Other, "bitboot cannot be started again").because(error);
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        worker::scrub(command.as_std_mut());
        command.arg("__conformance").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // Ctrl-C is for this process, which ends the other one itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let mut line = serde_json::to_vec(job).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let (Some(input), Some(told), Some(words)) =
            (&mut child.stdin, child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(std::io::Error::other("it has no pipes")));
        };
        // It may be dead already; then its silence is the verdict.
        let _ = input.write_all(&line).await;
        let _ = input.flush().await;
        let (told, world) = (BufReader::new(told), Arc::clone(world));
        let sitting = Self { child, told, world, words: Arc::default() };
        tokio::spawn(keep_last(words, Arc::clone(&sitting.words)));
        Ok(sitting)
    }

    async fn next(&mut self, longest: Duration, begun: &impl Fn(&str)) -> Result<Verdict> {
        let mut start = Instant::now();
        let mut clause = OPENS.to_owned();
        loop {
            let Ok(said) = timeout_at((start + longest).into(), self.said()).await else {
                let outcome = Outcome::Broken(format!("no end within {longest:?}; its process was ended"));
                return Ok(Verdict { clause, outcome, took: start.elapsed() });
            };
            match said {
                Some(Said::Begun(next)) => {
                    begun(&next);
                    (clause, start) = (next, Instant::now());
                }
                Some(Said::Told(clause, outcome)) => {
                    return Ok(Verdict { clause, outcome, took: start.elapsed() });
                }
                Some(Said::Unready(unready)) => return Err(unready.into()),
                Some(Said::Ended | Said::Asks(_)) | None => {
                    let outcome = Outcome::Broken(self.death().await);
                    return Ok(Verdict { clause, outcome, took: start.elapsed() });
                }
            }
        }
    }

    /// What it says next, after what it asked for on the way; `None` when that is nothing that can be understood.
    async fn said(&mut self) -> Option<Said> {
        loop {
            let mut line = Vec::new();
            (&mut self.told).take(LONGEST_LINE).read_until(b'\n', &mut line).await.ok()?;
            match serde_json::from_slice(&line).ok()? {
                Said::Asks(asked) => self.answer(asked).await?,
                said => return Some(said),
            }
        }
    }

    async fn answer(&mut self, asked: Asked) -> Option<()> {
        let world = Arc::clone(&self.world);
        let answer = tokio::task::spawn_blocking(move || world.answer(&asked)).await.ok()?;
        let mut line = serde_json::to_vec(&answer).ok()?;
        line.push(b'\n');
        let input = self.child.stdin.as_mut()?;
        input.write_all(&line).await.ok()?;
        input.flush().await.ok()
    }

    /// How it died. One that is silent and lives is ended first.
    async fn death(&mut self) -> String {
        let soon = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
        let how = soon.ok().and_then(Result::ok).map_or_else(|| "it fell silent".into(), cause);
        let words = last_words(&self.words.lock().unwrap_or_else(PoisonError::into_inner));
        if words.is_empty() { how } else { format!("{how}; it last wrote \"{words}\"") }
    }

    /// Lets it come to its own end, for a moment.
    async fn end(mut self) {
        drop(self.child.stdin.take());
        let _ = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
    }
}

/// The end of what is written to standard error, and no more of it than a person reads.
async fn keep_last(mut from: impl AsyncReadExt + Unpin, to: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let mut kept = to.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..count]);
        let much = kept.len().saturating_sub(buffer.len());
        kept.drain(..much);
    }
}

/// The last line with something in it, shortened.
fn last_words(written: &[u8]) -> String {
    let text = String::from_utf8_lossy(written);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    last.chars().take(MOST).collect()
}

fn cause(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (illegal instruction)",
            6 => " (abort)",
            9 => " (kill)",
            11 => " (segmentation fault)",
            _ => "",
        };
        return format!("its process was ended by signal {signal}{name}");
    }
    match status.code() {
        Some(code) => format!("it ended its process with exit code {}", worker::exit_code(code)),
        None => "its process ended".into(),
    }
}
