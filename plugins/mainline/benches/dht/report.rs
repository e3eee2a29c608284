use std::time::Duration;

use crate::figures::{Figures, Many, Network, Times};
use crate::sheet::Sheet;

const HEAD: [&str; 11] = [
    "client",
    "cold first",
    "with kept",
    "warm first (p99)",
    "done (p99)",
    "announce",
    "again",
    "32 parallel: done; first",
    "256 parallel: done; first",
    "datagrams: first; end; announce",
    "RSS, MiB",
];

/// Prints what the clients did on one network.
pub(crate) fn network(network: &Network) {
    let mut sheet = Sheet::new(HEAD);
    for figures in network.peers.iter().chain([&network.ours]) {
        sheet.row(row(figures));
    }
    sheet.print(&format!(
        "{}: milliseconds, median (p99) of as many rounds as [n]; parallel: lookups per second, missed of all",
        network.title()
    ));
}

fn row(figures: &Figures) -> [String; 11] {
    let announce = match (figures.sent.median(), figures.acks) {
        (Some(sent), _) => format!("{}, sent {}", median(&figures.announce), ms(sent)),
        (None, Some(acks)) => format!("{}, {acks} acks", median(&figures.announce)),
        (None, None) => median(&figures.announce),
    };
    let [done, first, more_done, more_first] = figures.parallel.map(many);
    let [to_first, to_end, announced] =
        figures.datagrams.map(|count| count.map_or("-".into(), |count| count.to_string()));
    let missed = if figures.missed > 0 { format!(", {} missed", figures.missed) } else { String::new() };
    [
        figures.name.into(),
        counted(&figures.cold),
        median(&figures.kept),
        format!("{} [{}]{missed}", with_p99(&figures.first), figures.first.len()),
        with_p99(&figures.done),
        format!("{announce} [{}]", figures.announce.len()),
        median(&figures.again),
        format!("{done}; {first}"),
        format!("{more_done}; {more_first}"),
        format!("{to_first}; {to_end}; {announced}"),
        figures.rss_kib.map_or("-".into(), mib),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
pub(crate) fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

/// Milliseconds.
pub(crate) fn ms(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1e3;
    match ms {
        ..10.0 => format!("{ms:.2}"),
        ..1000.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

fn counted(times: &Times) -> String {
    format!("{} [{}]", median(times), times.len())
}

fn median(times: &Times) -> String {
    times.median().map_or("-".into(), ms)
}

fn with_p99(times: &Times) -> String {
    times.p99().map_or("-".into(), |slowest| format!("{} ({})", median(times), ms(slowest)))
}

fn many(many: Option<Many>) -> String {
    many.map_or("-".into(), |many| format!("{:.0}/s, {} of {}", many.per_second(), many.missed, many.count))
}
