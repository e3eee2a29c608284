use std::time::Duration;

use super::{Series, Sheet};

/// What was measured, beside what it cannot be faster than.
pub struct Table {
    rows: Vec<[String; 7]>,
}

/// What the design allows.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// At most so long.
    Within(Duration),
    /// At least so many a second.
    PerSecond(u32),
    /// Nothing is said of it.
    None,
}

const HEAD: [&str; 7] = ["what", "median", "p99", "floor in the same run", "ratio", "limit", "kept"];

impl Table {
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// One thing beside its floor; the ratio is that of the medians.
    pub fn row(&mut self, what: &str, measured: &Series, floor: (&str, &Series), limit: Limit) {
        let shown = |took| if let Limit::PerSecond(_) = limit { rate(took) } else { time(took) };
        let (median, least) = (measured.median(), floor.1.median());
        let (limit, kept) = match limit {
            Limit::Within(limit) => (time(limit), Some(median <= limit)),
            Limit::PerSecond(limit) => (format!("{limit}/s"), Some(median <= Duration::from_secs(1) / limit)),
            Limit::None => ("-".into(), None),
        };
        self.rows.push([
            what.into(),
            shown(median),
            shown(measured.p99()),
            format!("{} {}", shown(least), floor.0),
            format!("{:.2}", median.as_secs_f64() / least.as_secs_f64()),
            limit,
            kept.map_or("-", |kept| if kept { "yes" } else { "NO" }).into(),
        ]);
    }

    pub fn print(&self, title: &str) {
        let mut sheet = Sheet::new(HEAD);
        self.rows.iter().for_each(|row| sheet.row(row.clone()));
        sheet.print(title);
    }
}

fn time(took: Duration) -> String {
    let micros = took.as_secs_f64() * 1e6;
    match micros {
        ..1.0 => format!("{:.0} ns", micros * 1e3),
        ..1000.0 => format!("{micros:.1} us"),
        _ => format!("{:.2} ms", micros / 1e3),
    }
}

fn rate(each: Duration) -> String {
    format!("{:.0}/s", 1.0 / each.as_secs_f64())
}
