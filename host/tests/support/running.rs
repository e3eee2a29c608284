use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Home, PATIENCE};

/// A process that ends with its test, by its own pid.
pub struct Running {
    child: Child,
    /// Kept open: helpers of other languages end when it closes.
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Running {
    pub fn new(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout: ChildStdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A line for its stdin.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line of its stdout.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output")
    }

    /// The next line as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// The next line of a type.
    pub fn json_of(&self, name: &str) -> Value {
        loop {
            let line = self.json();
            if line["type"] == name {
                return line;
            }
        }
    }

    /// The first line with a text in it.
    pub fn line_with(&self, text: &str) -> String {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < PATIENCE, "no line says {text:?}");
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// All that is still to come, as lines.
    pub fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end: the exit code, and how long it took.
    pub fn end(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("process {} does not end", self.pid());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A private DHT by `bitboot testnet`, for as long as it is kept.
pub struct Testnet {
    _running: Running,
    pub bootstrap: Vec<String>,
}

impl Testnet {
    pub fn start(home: &Home, nodes: u32) -> Self {
        Self::with(home, &["--nodes", &nodes.to_string()])
    }

    pub fn with(home: &Home, options: &[&str]) -> Self {
        let running = home.start(&[&["testnet", "--json"], options].concat());
        let told = running.json();
        let bootstrap = told["bootstrap"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host.as_str().unwrap().to_owned())
            .collect();
        Self { _running: running, bootstrap }
    }
}
