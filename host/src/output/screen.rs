use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use comfy_table::{ContentArrangement, Table};

use super::line::Line;
use super::paint::Paint;
use super::row::{Row, glance};
use super::talk::Talk;
use super::{ColorChoice, escape, stdout};

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Columns for a person, printed when all is known.
    Table,
    /// Fields between tabs, line by line, for a pipe.
    Tabs,
    /// One word a line.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Whoever read stdout has had enough. This is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// Where a command prints.
pub(crate) struct Screen {
    pub(crate) mode: Mode,
    color: bool,
    talk: Talk,
    /// Rows of a table that is not printed yet.
    kept: Mutex<Vec<Row>>,
}

impl Screen {
    /// `mode` is that of the user's flags; without one a terminal gets tables and a pipe gets tabs.
    pub(crate) fn new(mode: Option<Mode>, color: ColorChoice, quiet: bool, verbose: u8) -> Self {
        let terminal = io::stdout().is_terminal();
        stdout::take();
        let mode = mode.unwrap_or(if terminal { Mode::Table } else { Mode::Tabs });
        Self {
            mode,
            color: color.on(terminal),
            talk: Talk::new(color, quiet, verbose),
            kept: Mutex::default(),
        }
    }

    /// The other stream.
    pub(crate) fn talk(&self) -> &Talk {
        &self.talk
    }

    /// Prints a result: at once, or, in a table, when [`Screen::finish`] is called.
    pub(crate) fn print(&self, line: &Line) -> Result<(), Closed> {
        if self.mode == Mode::Json {
            return self.write(&line.to_json());
        }
        let Some(row) = Row::of(line) else { return self.print_odd(line) };
        let joined =
            |separator: &str| row.cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(separator);
        let is_change = matches!(line, Line::PeerAdded(_) | Line::PeerExpired(_));
        match self.mode {
            Mode::Table if is_change => self.write(joined("  ").trim_end()),
            Mode::Table => self.keep(row),
            // The peer's own line is out already.
            _ if matches!(line, Line::PeerConfirmed(_)) => Ok(()),
            Mode::Plain if row.plain.is_empty() => Ok(()),
            Mode::Plain => self.write(&escape(&row.plain)),
            // A tab inside a field would be one field more: it is escaped as every control character is.
            Mode::Tabs | Mode::Json => self.write(&joined("\t")),
        }
    }

    /// Prints what waits in the table.
    pub(crate) fn finish(&self) -> Result<(), Closed> {
        let rows = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        if rows.is_empty() { Ok(()) } else { self.write(&self.table(&rows)) }
    }

    /// Prints text as it is: help, a completion script, an invite.
    pub(crate) fn raw(&self, text: &str) -> Result<(), Closed> {
        self.write(text.trim_end_matches('\n'))
    }

    /// What is no row: results of actions are shown field by field, failures and summaries are talk.
    fn print_odd(&self, line: &Line) -> Result<(), Closed> {
        let Line::Output(output) = line else { return Ok(()) };
        output.fields.iter().try_for_each(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Array(list) => list
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), Into::into))
                    .collect::<Vec<_>>()
                    .join(","),
                other => other.to_string(),
            };
            self.write(&format!("{}\t{}", escape(name), escape(&value)))
        })
    }

    fn keep(&self, row: Row) -> Result<(), Closed> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.first().is_some_and(|first| first.columns != row.columns) {
            let table = self.table(&std::mem::take(&mut *kept));
            kept.push(row);
            drop(kept);
            return self.write(&table);
        }
        // What is told again of the same peer is told better.
        match kept.iter_mut().find(|old| row.key.is_some() && old.key == row.key) {
            Some(old) => *old = row,
            None => kept.push(row),
        }
        Ok(())
    }

    fn table(&self, rows: &[Row]) -> String {
        let now = SystemTime::now();
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let columns = rows.first().map_or(&[][..], |row| row.columns);
        table.set_header(columns.iter().map(|column| column.to_uppercase()));
        for row in rows {
            table.add_row(row.cells.iter().map(|cell| glance(cell, now)));
        }
        // The first column starts where the line does.
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // Painted when the columns are set: the table would count the colour's characters as well.
        let text = table.trim_fmt();
        let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
        format!("{}\n{rows}", Paint::Bold.over(header, self.color))
    }

    fn write(&self, text: &str) -> Result<(), Closed> {
        self.talk.aside(|| stdout::write(text)).map_err(|_| Closed)
    }
}
