//! Lines for people: columns of a table, fields between tabs, or one plain word.

use std::time::{Duration, SystemTime};

use super::cells::{Cells, Change};
use super::escape;
use super::line::Line;

/// A line as text.
pub(super) struct Row {
    pub(super) columns: &'static [&'static str],
    pub(super) cells: Vec<String>,
    /// What `--plain` prints.
    pub(super) plain: String,
    /// Rows of the same key are about the same thing: a later one replaces an earlier one.
    pub(super) key: Option<(String, String)>,
}

impl Row {
    /// `None` for what has no place in a table.
    pub(super) fn of(line: &Line) -> Option<Self> {
        match line {
            Line::Peer(line) | Line::PeerConfirmed(line) => Some(Self {
                key: Some((line.network.clone(), format!("{} {:?}", line.peer, line.signed_by))),
                ..Self::from(line)
            }),
            Line::PeerAdded(line) => Some(Self::from(&Change("added", line))),
            Line::PeerExpired(line) => Some(Self::from(&Change("expired", line))),
            Line::Receipt(line) => Some(Self::from(line)),
            Line::Announced(line) => Some(Self::from(line)),
            Line::Network(line) => Some(Self::from(line)),
            Line::Backend(line) => Some(Self::from(line)),
            Line::Health(line) => Some(Self::from(line)),
            Line::Plugin(line) => Some(Self::from(line)),
            Line::Confinement(line) => Some(Self::from(line)),
            Line::Finding(line) => Some(Self::from(line)),
            Line::Quote(line) => Some(Self::from(line)),
            Line::Key(line) => Some(Self::from(line)),
            Line::Offer(line) => Some(Self::from(line)),
            Line::Change(line) => Some(Self::from(line)),
            Line::Publisher(line) => Some(Self::from(line)),
            Line::Index(line) => Some(Self::from(line)),
            Line::Made(line) => Some(Self::from(line)),
            Line::Clause(line) => Some(Self::from(line)),
            Line::Identity(_)
            | Line::Spent(_)
            | Line::BackendError(_)
            | Line::Error(_)
            | Line::Summary(_)
            | Line::Tested(_)
            | Line::Output(_) => None,
        }
    }

    fn from<C: Cells>(line: &C) -> Self {
        Self { columns: C::COLUMNS, cells: line.cells(), plain: line.plain().to_owned(), key: None }
    }
}

/// A cell for a person's eyes: a time as its distance, a public key by its first digits, the rest as it is.
pub(super) fn glance(cell: &str, now: SystemTime) -> String {
    const KEY: usize = 64;
    if cell.len() == KEY && cell.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{}..", &cell[..16]);
    }
    relative(cell, now).unwrap_or_else(|| escape(cell).into_owned())
}

/// A time for a person: `in 59m`, `3s ago`.
fn relative(cell: &str, now: SystemTime) -> Option<String> {
    let at = humantime::parse_rfc3339(cell).ok()?;
    let seconds = |span: Duration| {
        // One unit is enough for a glance.
        let whole = humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
        whole.split(' ').next().unwrap_or("0s").to_owned()
    };
    Some(match at.duration_since(now) {
        Ok(ahead) if ahead.as_secs() > 0 => format!("in {}", seconds(ahead + Duration::from_secs(1))),
        Err(ago) if ago.duration().as_secs() > 0 => format!("{} ago", seconds(ago.duration())),
        Ok(_) | Err(_) => "now".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_is_enough() {
        let now = humantime::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        assert_eq!(relative("2026-01-01T00:59:30Z", now).unwrap(), "in 59m");
        assert_eq!(relative("2026-01-01T00:00:00Z", now).unwrap(), "now");
        assert_eq!(relative("2025-12-31T23:59:57Z", now).unwrap(), "3s ago");
        assert_eq!(relative("127.0.0.1:4001", now), None);
    }
}
