use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that ends with its test.
pub struct Program(Option<Child>);

const PATIENCE: Duration = Duration::from_secs(60);

impl Program {
    /// Starts one that says nothing, and waits until it is ready.
    #[must_use]
    pub fn start(command: &mut Command, is_ready: impl Fn() -> bool) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut program = Self(Some(child.unwrap_or_else(|error| panic!("{command:?}: {error}"))));
        let start = Instant::now();
        while !is_ready() {
            let ended = program.0.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(start.elapsed() < PATIENCE, "{command:?} does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        program
    }

    /// Waits for its end, after it was asked to.
    pub fn wait(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "a program does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
