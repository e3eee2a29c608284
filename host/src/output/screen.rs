use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::line::Line;
use super::paint::Paint;
use super::row::{Row, glance};
use super::talk::Talk;
use super::wrap::wrap;
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

/// Spaces between columns.
const GAP: u16 = 2;

/// Where a command prints.
pub(crate) struct Screen {
    pub(crate) mode: Mode,
    color: bool,
    talk: Talk,
    /// Of the terminal that results are shown on, if that is one.
    width: Option<u16>,
    /// Rows of a table that is not printed yet.
    kept: Mutex<Vec<Row>>,
}

impl Screen {
    /// `mode` is that of the user's flags; without one a terminal gets tables and a pipe gets tabs.
    pub(crate) fn new(mode: Option<Mode>, color: ColorChoice, quiet: bool, verbose: u8) -> Self {
        let terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| width.0);
        stdout::take();
        let mode = mode.unwrap_or(if terminal { Mode::Table } else { Mode::Tabs });
        Self {
            mode,
            color: color.on(terminal),
            talk: Talk::new(color, quiet, verbose),
            width,
            kept: Mutex::default(),
        }
    }

    /// The other stream.
    pub(crate) fn talk(&self) -> &Talk {
        &self.talk
    }

    /// Prints a result: at once, or, in a table, when [`Screen::finish`] is called.
    pub(crate) fn print(&self, line: &Line) -> io::Result<()> {
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
    pub(crate) fn finish(&self) -> io::Result<()> {
        let rows = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        if rows.is_empty() { Ok(()) } else { self.write(&self.table(&rows)) }
    }

    /// Prints a text of ours for people, no wider than their terminal.
    pub(crate) fn page(&self, text: &str) -> io::Result<()> {
        match self.width {
            Some(width) => self.raw(&wrap(text, width.into())),
            None => self.raw(text),
        }
    }

    /// Prints text as it is: a completion script, an invite.
    pub(crate) fn raw(&self, text: &str) -> io::Result<()> {
        self.write(text.trim_end_matches('\n'))
    }

    /// What is no row: results of actions are shown field by field, failures and summaries are talk.
    fn print_odd(&self, line: &Line) -> io::Result<()> {
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

    fn keep(&self, row: Row) -> io::Result<()> {
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
            column.set_padding((0, GAP));
        }
        self.narrow(&mut table);
        // Painted when the columns are set: the table would count the colour's characters as well.
        let text = table.trim_fmt();
        let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
        format!("{}\n{rows}", Paint::Bold.over(header, self.color))
    }

    /// Lets texts take several lines where the terminal is not wide enough, and breaks no word in two but long ones, such as paths. What does not fit
    /// then is left as wide as it is, for the terminal to break: names and addresses are copied from there.
    fn narrow(&self, table: &mut Table) {
        let Some(width) = self.width else { return };
        let columns = 0..table.column_count();
        let least: Vec<u16> = columns.map(|column| least(table, column)).collect();
        if least.iter().map(|least| usize::from(*least)).sum::<usize>() > width.into() {
            return;
        }
        table.set_width(width);
        for (column, least) in table.column_iter_mut().zip(least) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        self.talk.aside(|| stdout::write(text))
    }
}

/// How narrow a column may become: as its longest word, or a part of one that is long beyond all measure.
fn least(table: &Table, column: usize) -> u16 {
    const LONG: usize = 24;
    let cells = table.row_iter().chain(table.header()).filter_map(|row| row.cell_iter().nth(column));
    let words =
        cells.flat_map(|cell| cell.content().split(' ').map(|word| word.chars().count()).collect::<Vec<_>>());
    let longest = words.max().unwrap_or(0);
    // What stands first is what people copy.
    let least = if column == 0 { longest } else { longest.min(LONG) };
    u16::try_from(least).unwrap_or(u16::MAX).saturating_add(GAP)
}
