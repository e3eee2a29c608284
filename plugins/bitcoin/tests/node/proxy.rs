//! Stands between a plugin and its node: counts, delays, cuts and lies.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is done with an answer: by the question, the whole answer, and how many questions were asked before.
pub type Deed = Box<dyn FnMut(&str, Vec<u8>, u64) -> Answer + Send>;

pub enum Answer {
    /// These bytes as the body of an answer.
    Body(Vec<u8>),
    /// An answer that says that it is longer than it is.
    Cut(Vec<u8>),
    /// The connection is closed without a word.
    Close,
    /// Nothing is said for so long.
    Silence(Duration),
    /// Bytes without an end.
    Endless,
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    node: u16,
    deed: Mutex<Deed>,
    ended: AtomicBool,
    /// Bytes of bodies that the node answered with.
    bytes: AtomicU64,
    questions: AtomicU64,
    asked: Mutex<Vec<String>>,
}

impl Proxy {
    /// Before the node on a port of this machine.
    pub fn start(node: u16, deed: Deed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            node,
            deed: Mutex::new(deed),
            ended: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
            questions: AtomicU64::new(0),
            asked: Mutex::default(),
        });
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ours.ended.load(SeqCst) {
                    return;
                }
                let ours = Arc::clone(&ours);
                std::thread::spawn(move || ours.serve(&stream));
            }
        });
        Self { port, shared }
    }

    /// One that changes nothing and counts.
    pub fn counting(node: u16) -> Self {
        Self::start(node, Box::new(|_, body, _| Answer::Body(body)))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Bytes and questions since it was asked last.
    pub fn counted(&self) -> (u64, u64) {
        (self.shared.bytes.swap(0, SeqCst), self.shared.questions.swap(0, SeqCst))
    }

    /// How often something was asked that has a text in it.
    pub fn asked(&self, text: &str) -> usize {
        self.shared.asked.lock().unwrap().iter().filter(|asked| asked.contains(text)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        // Head and body are two writes: together they would wait 40 ms for an acknowledgement.
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = message(&mut reader) {
            if self.ended.load(SeqCst) {
                return;
            }
            let number = self.questions.fetch_add(1, SeqCst);
            let question = String::from_utf8_lossy(&body).into_owned();
            self.asked.lock().unwrap().push(question.clone());
            let answer = self.forward(&head, &body).unwrap_or_default();
            self.bytes.fetch_add(answer.len() as u64, SeqCst);
            let deed = (self.deed.lock().unwrap())(&question, answer, number);
            if !carry_out(stream, deed, &self.ended) {
                return;
            }
        }
    }

    /// Asks the node the same; its answer's body.
    fn forward(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut node = TcpStream::connect(("127.0.0.1", self.node)).ok()?;
        node.set_nodelay(true).ok()?;
        let lines = head.lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
        let head = lines.flat_map(|line| [line, "\r\n"]).collect::<String>();
        node.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
        node.write_all(body).ok()?;
        message(&mut BufReader::new(node)).map(|(_, body)| body)
    }
}

/// Whether the connection goes on.
fn carry_out(mut stream: &TcpStream, deed: Answer, ended: &AtomicBool) -> bool {
    let head = |length: usize| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
    };
    match deed {
        Answer::Body(body) => {
            stream.write_all(head(body.len()).as_bytes()).and_then(|()| stream.write_all(&body)).is_ok()
        }
        Answer::Cut(body) => {
            let _ =
                stream.write_all(head(body.len() + 1000).as_bytes()).and_then(|()| stream.write_all(&body));
            false
        }
        Answer::Close => false,
        Answer::Silence(pause) => {
            std::thread::sleep(pause);
            false
        }
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[");
            while !ended.load(SeqCst) && stream.write_all(&[b' '; 8192]).is_ok() {}
            false
        }
    }
}

/// Head and body of the next HTTP message.
pub(super) fn message(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        line.to_lowercase().strip_prefix("content-length:").map(|length| length.trim().parse().ok())
    })??;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
