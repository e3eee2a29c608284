use super::is_smoke;

/// Rows under a head, as Markdown has them.
pub struct Sheet<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Sheet<N> {
    pub fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(Into::into)] }
    }

    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    #[expect(clippy::print_stdout, reason = "what a benchmark is run for")]
    pub fn print(&self, title: &str) {
        let widths: [usize; N] =
            std::array::from_fn(|at| self.rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
        println!("\n{title}\n");
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                println!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
            }
        }
        if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
            let load = load.split(' ').next().unwrap_or_default();
            let processors = std::thread::available_parallelism().map_or(1, Into::into);
            println!("\n{processors} processors, load average {load} at the end.");
        }
        if is_smoke() || cfg!(debug_assertions) {
            println!(
                "\nNot a measurement: one round, or a build without optimisation. Run `cargo xtask bench`."
            );
        }
    }
}

/// What happens on the way, beside the table.
#[expect(clippy::print_stderr, reason = "a benchmark that takes minutes says what it does")]
pub fn note(text: &str) {
    if !is_smoke() {
        eprintln!("{text}");
    }
}
