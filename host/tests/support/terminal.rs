use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::PATIENCE;

/// A pseudo-terminal of 24 lines of 120 characters, and what a person sees of it.
pub struct Terminal {
    ours: File,
    theirs: Option<File>,
    child: Option<Child>,
    pieces: mpsc::Receiver<String>,
    seen: String,
}

impl Terminal {
    pub fn new() -> Self {
        Self::of(120)
    }

    /// One of so many columns.
    pub fn of(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        tcsetwinsize(&theirs, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let ours = File::from(ours);
        let (sender, pieces) = mpsc::channel();
        let mut reading = ours.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Linux says EIO when the last one at the other end is gone.
            while let Ok(size @ 1..) = reading.read(&mut piece) {
                let _ = sender.send(String::from_utf8_lossy(&piece[..size]).into_owned());
            }
        });
        Self { ours, theirs: Some(File::from(theirs)), child: None, pieces, seen: String::new() }
    }

    /// The end that a program gets.
    pub fn end(&self) -> Stdio {
        self.theirs.as_ref().unwrap().try_clone().unwrap().into()
    }

    /// Starts a program at which a person sits.
    pub fn start(&mut self, mut command: Command) {
        self.child = Some(command.spawn().unwrap());
        // Else reading would never end.
        self.theirs = None;
    }

    /// Starts a program with all three streams at this terminal.
    pub fn start_all(&mut self, mut command: Command) {
        command.stdin(self.end()).stdout(self.end()).stderr(self.end());
        self.start(command);
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Types keys.
    pub fn keys(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until a text is shown.
    pub fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.seen.contains(text) {
            let rest = PATIENCE.saturating_sub(start.elapsed());
            match self.pieces.recv_timeout(rest) {
                Ok(piece) => self.seen.push_str(&piece),
                Err(why) => panic!("{text:?} is not shown ({why}): {:?}", self.seen),
            }
        }
    }

    /// Waits until what is typed is not shown.
    pub fn until_hidden(&self) {
        let start = Instant::now();
        while tcgetattr(&self.ours).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(start.elapsed() < PATIENCE, "what is typed is shown: {:?}", self.seen);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the program's end: how it ended, and all that was shown.
    pub fn finish(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        while let Ok(piece) = self.pieces.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            self.seen.push_str(&piece);
        }
        let mut child = self.child.take().unwrap();
        if start.elapsed() >= PATIENCE {
            let _ = child.kill();
        }
        (child.wait().unwrap(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
