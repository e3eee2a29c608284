use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bitboot_plugin_api::Level;
use indicatif::{ProgressBar, ProgressStyle};

use super::paint::Paint;
use super::{ColorChoice, escape};
use crate::error::Error;
use crate::network::conceal;

/// What is said to a person while results go elsewhere.
pub(crate) struct Talk {
    color: bool,
    quiet: bool,
    verbose: u8,
    terminal: bool,
    bar: Mutex<Option<ProgressBar>>,
    /// What plugins have warned of lately.
    warned: Mutex<VecDeque<String>>,
}

/// So many warnings are remembered.
const REMEMBERED: usize = 64;

impl Talk {
    pub(super) fn new(color: ColorChoice, quiet: bool, verbose: u8) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            color: color.on(terminal),
            quiet,
            verbose,
            terminal,
            bar: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    /// A failure, with its cause and what helps.
    pub(crate) fn error(&self, error: &Error) {
        self.failure(&format!("error[{}]", error.code()), Paint::Red, error);
    }

    /// A failure that was told as a warning before, to whoever hears no warnings.
    pub(crate) fn error_when_quiet(&self, error: &Error) {
        if self.quiet {
            self.error(error);
        }
    }

    /// A failure that does not end the command.
    pub(crate) fn warning(&self, error: &Error) {
        if !self.quiet {
            self.failure(&format!("warning[{}]", error.code()), Paint::Yellow, error);
        }
    }

    /// Whether nothing but results and failures is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A sentence.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.line(&escape(text));
        }
    }

    /// A text of ours of many lines, as it is.
    pub(crate) fn page(&self, text: &str) {
        self.line(text.trim_end());
    }

    /// What a plugin logs; `-v` shows what goes on, `-vv` how. Without them a warning is said once.
    pub(crate) fn log(&self, backend: &str, level: Level, text: &str) {
        let shown = match level {
            Level::Error | Level::Warn => !self.quiet && (self.verbose > 0 || self.is_news(backend, text)),
            Level::Info => self.verbose >= 1,
            _ => self.verbose >= 2,
        };
        if shown {
            self.line(&format!(
                "{} {}",
                Paint::Dim.over(&format!("[{}]", escape(backend)), self.color),
                escape(text)
            ));
        }
    }

    fn is_news(&self, backend: &str, text: &str) -> bool {
        let warning = format!("{backend} {text}");
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.contains(&warning) {
            return false;
        }
        warned.push_back(warning);
        if warned.len() > REMEMBERED {
            warned.pop_front();
        }
        true
    }

    /// Shows that work goes on, until [`Talk::rest`].
    pub(crate) fn busy(&self, text: &str) {
        if self.quiet || !self.terminal {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(escape(text).into_owned());
    }

    /// Shows how far a long work is, until [`Talk::rest`].
    pub(crate) fn progress(&self, text: &str, done: u64, total: u64) {
        if self.quiet || !self.terminal {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(total);
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg} [{bar:20}] {pos}/{len} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(escape(text).into_owned());
        bar.set_position(done);
    }

    /// Shows how many bytes have come, and of how many where that is known, until [`Talk::rest`].
    pub(crate) fn progress_bytes(&self, text: &str, done: u64, total: Option<u64>) {
        if self.quiet || !self.terminal {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let template = if total.is_some() {
                "{spinner} {msg} [{bar:20}] {bytes}/{total_bytes} {eta}"
            } else {
                "{spinner} {msg} {bytes}"
            };
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(escape(text).into_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_position(done);
    }

    /// A question, without an end of line.
    pub(super) fn prompt(&self, question: &str) {
        let _ = self.aside(|| io::stderr().write_all(escape(question).as_bytes()));
    }

    /// Takes the sign of work away.
    pub(crate) fn rest(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    /// Does something with the sign of work out of the way.
    pub(super) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    fn failure(&self, sort: &str, paint: Paint, error: &Error) {
        let mut text = format!("{}: {}", paint.over(sort, self.color), escape(&error.what));
        for (label, detail) in [("why", &error.why), ("fix", &error.fix)] {
            if let Some(detail) = detail {
                let _ = write!(text, "\n  {}: {}", Paint::Cyan.over(label, self.color), escape(detail));
            }
        }
        self.line(&text);
    }

    fn line(&self, text: &str) {
        // In one piece, so that what others write meanwhile comes before or after it. Nobody to talk to is no failure.
        let _ = self.aside(|| io::stderr().write_all(format!("{}\n", conceal(text)).as_bytes()));
    }
}
