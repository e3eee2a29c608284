//! Stands between a plugin and its node: counts, delays, cuts and lies.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is done with an answer: by the question (path, a line break, body), the body of the whole answer, and how many questions were asked
/// before.
pub type Deed = Box<dyn FnMut(&str, Vec<u8>, u64) -> Reply + Send>;

/// What the plugin gets.
pub enum Reply {
    /// These bytes as the body of an answer, with the node's status.
    Body(Vec<u8>),
    /// The same with a status of the proxy's own.
    Status(u16, Vec<u8>),
    /// An answer that says that it is longer than it is.
    Cut(Vec<u8>),
    /// The connection is closed without a word.
    Close,
    /// Nothing is said for so long.
    Silence(Duration),
    /// Bytes without an end.
    Endless,
}

/// A node as the plugin sees it.
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
    logins: Mutex<BTreeSet<String>>,
}

/// One request of HTTP.
struct Question {
    path: String,
    login: Option<String>,
    body: Option<Vec<u8>>,
}

impl Proxy {
    /// Before the node on a port of this machine.
    #[must_use]
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
            logins: Mutex::default(),
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
    #[must_use]
    pub fn counting(node: u16) -> Self {
        Self::start(node, Box::new(|_, body, _| Reply::Body(body)))
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Bytes and questions since it was asked last.
    #[must_use]
    pub fn counted(&self) -> (u64, u64) {
        (self.shared.bytes.swap(0, SeqCst), self.shared.questions.swap(0, SeqCst))
    }

    /// How often something was asked that has a text in it.
    #[must_use]
    pub fn asked(&self, text: &str) -> usize {
        self.shared.asked.lock().unwrap().iter().filter(|asked| asked.contains(text)).count()
    }

    /// All that stood in the header `authorization`, each once.
    #[must_use]
    pub fn logins(&self) -> Vec<String> {
        self.shared.logins.lock().unwrap().iter().cloned().collect()
    }

    /// How often a text was in all that was asked: several times in one question, where that has several in it.
    #[must_use]
    pub fn times(&self, text: &str) -> usize {
        self.shared.asked.lock().unwrap().iter().map(|asked| asked.matches(text).count()).sum()
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
        while let Some(question) = question(&mut reader) {
            if self.ended.load(SeqCst) {
                return;
            }
            let number = self.questions.fetch_add(1, SeqCst);
            let body = question.body.as_deref();
            let text = format!("{}\n{}", question.path, String::from_utf8_lossy(body.unwrap_or_default()));
            self.asked.lock().unwrap().push(text.clone());
            self.logins.lock().unwrap().extend(question.login.clone());
            let answer = super::ask(self.node, &question.path, question.login.as_deref(), body);
            let (status, answer) = answer.unwrap_or((502, Vec::new()));
            self.bytes.fetch_add(answer.len() as u64, SeqCst);
            let reply = (self.deed.lock().unwrap())(&text, answer, number);
            if !carry_out(stream, status, reply, &self.ended) {
                return;
            }
        }
    }
}

/// Whether the connection goes on.
fn carry_out(mut stream: &TcpStream, status: u16, reply: Reply, ended: &AtomicBool) -> bool {
    let head = |status: u16, length: usize| {
        format!(
            "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut write = |status, length, body: &[u8]| {
        stream.write_all(head(status, length).as_bytes()).and_then(|()| stream.write_all(body)).is_ok()
    };
    match reply {
        Reply::Body(body) => write(status, body.len(), &body),
        Reply::Status(status, body) => write(status, body.len(), &body),
        Reply::Cut(body) => {
            write(status, body.len() + 1000, &body);
            false
        }
        Reply::Close => false,
        Reply::Silence(pause) => {
            std::thread::sleep(pause);
            false
        }
        Reply::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[");
            while !ended.load(SeqCst) && stream.write_all(&[b' '; 8192]).is_ok() {}
            false
        }
    }
}

/// The next request of a connection.
fn question(reader: &mut impl BufRead) -> Option<Question> {
    let (mut path, mut login, mut length) = (None, None, None);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if path.is_none() {
            path = Some(line.split(' ').nth(1)?.to_owned());
        } else if let Some((name, value)) = line.split_once(": ") {
            match name.to_lowercase().as_str() {
                "authorization" => login = Some(value.to_owned()),
                "content-length" => length = Some(value.parse().ok()?),
                _ => {}
            }
        }
    }
    let mut body = length.map(|length| vec![0; length]);
    body.as_mut().map_or(Ok(()), |body| reader.read_exact(body)).ok()?;
    Some(Question { path: path?, login, body })
}
