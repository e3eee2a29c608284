use std::time::Instant;

use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Kind};
use crate::output::SummaryLine;

/// How the backends of a command did, over all of its networks.
pub(super) struct Outcome {
    started: Instant,
    /// The user named the backends: the failure of one is a failure of the command.
    named: bool,
    pub(super) answered: usize,
    pub(super) failed: usize,
    first_failure: Option<Error>,
    pub(super) peers: usize,
}

impl Outcome {
    pub(super) fn new(named: bool) -> Self {
        Self { started: Instant::now(), named, answered: 0, failed: 0, first_failure: None, peers: 0 }
    }

    pub(super) fn fail(&mut self, error: &Error) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| error.clone());
    }

    /// Says that a backend failed: an error where the user named it, a warning where others do as well.
    pub(super) fn tell(&self, context: &Context, error: &Error) {
        let talk = context.screen.talk();
        if self.named { talk.error(error) } else { talk.warning(error) }
    }

    /// Where nothing worked, whoever wants to hear errors only has to hear why.
    pub(super) fn last_word(&self, context: &Context) {
        if let Some(error) = self.first_failure.as_ref().filter(|_| !self.named && self.answered == 0) {
            context.screen.talk().error_when_quiet(error);
        }
    }

    /// The exit code of what the backends were told to do.
    pub(super) fn of_telling(&self) -> Exit {
        self.exit(self.answered > 0)
    }

    /// The exit code of a lookup: somebody has to be found.
    pub(super) fn of_asking(&self) -> Exit {
        match self.exit(self.answered > 0 || self.peers > 0) {
            Exit::OK if self.peers == 0 => Kind::NotFound.into(),
            exit => exit,
        }
    }

    fn exit(&self, something_worked: bool) -> Exit {
        match &self.first_failure {
            Some(error) if !something_worked => error.kind.into(),
            Some(_) if self.named => Kind::Partial.into(),
            _ => Exit::OK,
        }
    }

    pub(super) fn summary(&self, exit: Exit) -> SummaryLine {
        SummaryLine {
            peers: self.peers,
            answered: self.answered,
            failed: self.failed,
            took_ms: crate::output::millis(self.started.elapsed()),
            exit: exit.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(named: bool, answered: usize, failed: usize, peers: usize) -> Outcome {
        let mut outcome = Outcome { answered, peers, ..Outcome::new(named) };
        (0..failed).for_each(|_| outcome.fail(&Error::new(Kind::Plugin, "x")));
        outcome
    }

    #[test]
    fn exit_codes_say_what_happened() {
        let asked =
            |named, answered, failed, peers| outcome(named, answered, failed, peers).of_asking().code();
        assert_eq!(asked(true, 2, 0, 1), 0);
        assert_eq!(asked(true, 2, 0, 0), 3);
        assert_eq!(asked(true, 1, 1, 1), 9);
        assert_eq!(asked(true, 1, 1, 0), 9);
        assert_eq!(asked(true, 0, 2, 0), 6);
        assert_eq!(asked(false, 1, 1, 1), 0);
        assert_eq!(asked(false, 1, 1, 0), 3);
        assert_eq!(asked(false, 0, 1, 0), 6);
        // It found a peer and then broke.
        assert_eq!(asked(false, 0, 1, 1), 0);
        assert_eq!(asked(true, 0, 1, 1), 9);
    }
}
