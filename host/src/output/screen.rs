use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use comfy_table::{Cell, ContentArrangement, Table};

use super::line::Line;
use super::paint::Paint;
use super::row::{Row, relative};
use super::talk::Talk;
use super::{ColorChoice, escape};

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
    table: Mutex<Option<(&'static [&'static str], Table)>>,
}

impl Screen {
    /// `mode` is that of the user's flags; without one a terminal gets tables and a pipe gets tabs.
    pub(crate) fn new(mode: Option<Mode>, color: ColorChoice, quiet: bool, verbose: u8) -> Self {
        let terminal = io::stdout().is_terminal();
        let mode = mode.unwrap_or(if terminal { Mode::Table } else { Mode::Tabs });
        Self {
            mode,
            color: color.on(terminal),
            talk: Talk::new(color, quiet, verbose),
            table: Mutex::default(),
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
        match self.mode {
            Mode::Plain if row.plain.is_empty() => Ok(()),
            Mode::Plain => self.write(&escape(&row.plain)),
            Mode::Table if !matches!(line, Line::PeerAdded(_) | Line::PeerExpired(_)) => self.keep(&row),
            Mode::Table => self
                .write(row.cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join("  ").trim_end()),
            // A tab inside a field would be one field more.
            _ => self.write(&row.cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join("\t")),
        }
    }

    /// Prints what waits in the table.
    pub(crate) fn finish(&self) -> Result<(), Closed> {
        let kept = self.table.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.map_or(Ok(()), |(_, table)| self.write(&table.trim_fmt()))
    }

    /// Prints text as it is: help, a completion script.
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

    fn keep(&self, row: &Row) -> Result<(), Closed> {
        let is_other = |columns: &[&str]| columns != row.columns;
        if self
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|(columns, _)| is_other(columns))
        {
            self.finish()?;
        }
        let now = SystemTime::now();
        let cells = row
            .cells
            .iter()
            .map(|cell| Cell::new(relative(cell, now).unwrap_or_else(|| escape(cell).into_owned())));
        let mut kept = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, table) = kept.get_or_insert_with(|| (row.columns, self.new_table(row.columns)));
        table.add_row(cells.collect::<Vec<_>>());
        Ok(())
    }

    fn new_table(&self, columns: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns.iter().map(|column| Paint::Bold.over(&column.to_uppercase(), self.color)));
        table
    }

    fn write(&self, text: &str) -> Result<(), Closed> {
        self.talk
            .aside(|| {
                let mut stdout = io::stdout().lock();
                writeln!(stdout, "{text}").and_then(|()| stdout.flush())
            })
            .map_err(|_| Closed)
    }
}
