//! Takes out of a text what it would tell about its user: names, places, addresses, keys.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::Path;

use crate::network::conceal;

/// From here on a word of letters and digits is taken for a key or a hash.
const KEY: usize = 24;
/// Endings of files, which are no domains.
const FILES: &[&str] = &[
    "so", "dll", "dylib", "toml", "json", "jsonl", "lock", "bbp", "release", "index", "minisig", "key",
    "txt", "md", "sock", "exe", "rs",
];

/// What ends a sentence, and no token.
const ENDS: [char; 4] = ['.', ':', '!', '?'];

/// What is taken out.
#[derive(Default)]
pub(super) struct Redactor {
    /// Longest first: the folders that are known, each with what stands for it.
    folders: Vec<(String, String)>,
    /// Longest first: whole words.
    words: Vec<(String, String)>,
    /// Those that no token has as a whole.
    broken: Vec<(String, String)>,
}

impl Redactor {
    /// A folder, which is told by another name.
    pub(super) fn folder(&mut self, path: &Path, label: &str) {
        let real = dunce::canonicalize(path).unwrap_or_default();
        for path in [path, real.as_path()] {
            // The root and names without a folder stand for nothing in particular.
            if path.is_absolute() && path.parent().is_some() {
                longest_first(&mut self.folders, path.display().to_string(), label);
            }
        }
    }

    /// A name that somebody has given to something.
    pub(super) fn word(&mut self, word: &str, label: &str) {
        let is_broken = word.contains(is_between) || word.contains(['/', '\\']) || word.ends_with(ENDS);
        if !word.is_empty() {
            let words = if is_broken { &mut self.broken } else { &mut self.words };
            longest_first(words, word.to_owned(), label);
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = conceal(text).into_owned();
        for (folder, label) in &self.folders {
            text = text.replace(folder, label);
        }
        for (word, label) in &self.broken {
            text = replace_word(&text, word, label);
        }
        let mut rest = text.as_str();
        let mut clean = String::with_capacity(text.len());
        while !rest.is_empty() {
            let (token, behind) = rest.split_at(end_of_token(rest));
            clean.push_str(&self.token(token));
            let next = behind.find(|sign: char| !is_between(sign)).unwrap_or(behind.len());
            clean.push_str(&behind[..next]);
            rest = &behind[next..];
        }
        clean
    }

    fn token(&self, whole: &str) -> String {
        let token = whole.trim_end_matches(ENDS);
        let shown = match kind(token) {
            Some(label) => Cow::Borrowed(label),
            None => without_folders(token),
        };
        let mut shown = shown.into_owned();
        for (word, label) in &self.words {
            shown = replace_word(&shown, word, label);
        }
        shown + &whole[token.len()..]
    }
}

fn longest_first(all: &mut Vec<(String, String)>, what: String, label: &str) {
    if all.iter().any(|(known, _)| *known == what) {
        return;
    }
    let at = all.partition_point(|(known, _)| known.len() >= what.len());
    all.insert(at, (what, label.to_owned()));
}

fn end_of_token(text: &str) -> usize {
    let end = |is_end: fn(char) -> bool| text.find(is_end).unwrap_or(text.len());
    // What a place on the web is asked for belongs to it.
    let (short, long) = (end(is_between), end(|sign| sign.is_whitespace() || "\"'`<>".contains(sign)));
    if text[..short].contains("://") { long } else { short }
}

fn is_between(sign: char) -> bool {
    sign.is_whitespace() || sign.is_control() || "\"'`()[]{},;|=".contains(sign)
}

/// What a token is that is taken out as a whole.
fn kind(token: &str) -> Option<&'static str> {
    let (mut letters, mut digits) = (0, 0);
    token.bytes().for_each(|byte| {
        letters += usize::from(byte.is_ascii_alphabetic());
        digits += usize::from(byte.is_ascii_digit());
    });
    let of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte);
    if token.len() >= KEY && digits > 0 && letters + digits >= KEY && token.bytes().all(of_key) {
        return Some("<key>");
    }
    if token.contains("://") || token.starts_with("bitboot:") || token.starts_with("magnet:") {
        return Some("<url>");
    }
    is_address(token).then_some("<address>")
}

fn is_address(token: &str) -> bool {
    let (host, has_port) = match token.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => (host, true),
        _ => (token, false),
    };
    let is_ip = |text: &str| text.split(['%', '/']).next().unwrap_or_default().parse::<IpAddr>().is_ok();
    is_ip(token) || is_ip(host) || is_domain(host) || (has_port && host == "localhost") || is_mail(token)
}

fn is_mail(token: &str) -> bool {
    token.split_once('@').is_some_and(|(_, host)| is_domain(host))
}

fn is_domain(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    let is_top = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_top && !FILES.contains(&last) && host.split('.').all(label)
}

/// Of a path that is not known only its last part is told; in a known one a part may be a key.
fn without_folders(token: &str) -> Cow<'_, str> {
    let is_windows = token.as_bytes().get(1..3).is_some_and(|drive| drive == b":\\" || drive == b":/");
    if !is_windows && !token.starts_with('/') && !token.starts_with("\\\\") {
        let parts = token.split('/').map(|part| kind(part).unwrap_or(part));
        return Cow::Owned(parts.collect::<Vec<_>>().join("/"));
    }
    let last = token.rsplit(['/', '\\']).next().unwrap_or_default();
    Cow::Owned(format!("…/{}", kind(last).unwrap_or(last)))
}

fn replace_word(text: &str, word: &str, label: &str) -> String {
    let of_word = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || "-_".contains(sign));
    let (mut clean, mut rest, mut before) = (String::new(), text, None);
    while let Some(at) = rest.find(word) {
        let (head, tail) = (&rest[..at], &rest[at + word.len()..]);
        let left = head.chars().next_back().or(before);
        let is_whole = !of_word(left) && !of_word(tail.chars().next());
        clean.push_str(head);
        clean.push_str(if is_whole { label } else { word });
        before = word.chars().next_back();
        rest = tail;
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut redactor = Redactor::default();
        redactor.folder(Path::new("/home/ann lee"), "~");
        redactor.folder(Path::new("/home/ann lee/.config/bitboot"), "<config>");
        redactor.word("ann", "<user>");
        redactor.word("club", "<network 1>");
        redactor.word("ann's own club", "<network 2>");
        redactor.word("a|b", "<network 3>");
        redactor.word("what?", "<network 4>");
        redactor.word("/b/club", "<network 5>");
        redactor
    }

    #[test]
    fn what_tells_about_somebody_is_taken_out() {
        let hex = "0123456789abcdef".repeat(4);
        for (text, clean) in [
            ("cannot read /home/ann lee/.config/bitboot/registry.toml", "cannot read <config>/registry.toml"),
            ("/home/ann lee/x and /mnt/secret/libx.so: gone", "~/x and …/libx.so: gone"),
            (r"it is C:\Users\bob\x.dll", "it is …/x.dll"),
            ("network club: ann's club-2, /club", "network <network 1>: <user>'s club-2, …/<network 1>"),
            ("192.0.2.1:6881, [2001:db8::1]:80; fe80::1%eth0.", "<address>, [<address>]:80; <address>."),
            ("router.example.org:6881 or a.example.org", "<address> or <address>"),
            ("mail ann.lee@example.org", "mail <address>"),
            ("https://example.org/x?y=ann and bitboot:abc", "<url> and <url>"),
            ("<data>/secrets/0123456789abcdef0123456789abcdef", "<data>/secrets/<key>"),
            (
                "network \"ann's own club\": a|b, what? /b/club",
                "network \"<network 2>\": <network 3>, <network 4> <network 5>",
            ),
            (hex.as_str(), "<key>"),
            ("key=RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3.", "key=<key>."),
        ] {
            assert_eq!(redactor().redact(text), clean);
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "bitboot 0.1.0, plugin API 1, x86_64-linux, can load libraries",
            "try it again: bitboot plugin retry demo; or: bitboot plugin install demo@1.2.0",
            "local 0.1.0 opens in a process of its own, see registry.toml and libbitboot_mainline.so",
            "it ends at 2026-01-01T00:00:00Z, 12 ms, ulimit -n 16384",
        ] {
            assert_eq!(redactor().redact(text), text);
        }
    }
}
