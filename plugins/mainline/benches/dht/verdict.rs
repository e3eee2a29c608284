//! Ours beside the best of the others, beside what cannot be beaten, and beside what was promised.

use std::time::Duration;

use crate::figures::{Figures, Many, Network, Times};
use crate::memory::Memory;
use crate::report::{mib, ms};
use crate::sheet::Sheet;

const HEAD: [&str; 8] = ["network", "what", "ours", "best peer", "to it", "floor", "to it, at most", "kept"];

/// One figure in milliseconds: its name, round trips at the least, how much more is allowed, where it is found.
type Timed = (&'static str, u32, f64, fn(&Figures) -> &Times);

const TIMED: [Timed; 7] = [
    ("cold first", 2, 1.3, |figures| &figures.cold),
    ("cold first, kept", 1, 1.1, |figures| &figures.kept),
    ("warm first", 1, 1.05, |figures| &figures.first),
    ("done", 0, 1.0, |figures| &figures.done),
    ("announce sent", 2, 1.1, sent),
    ("announce", 3, 1.1, |figures| &figures.announce),
    ("announce again", 1, 1.1, |figures| &figures.again),
];
const PARALLEL: [&str; 4] = ["32 until done", "32 until first", "256 until done", "256 until first"];
/// With dead nodes nothing takes more than this times as long.
const HURT: f64 = 1.5;
/// At a round trip of nothing, so many lookups a second.
const PER_SECOND: f64 = 1000.0;
const DATAGRAMS: u64 = 21;
const CLIENT_KIB: u64 = 10 * 1024;
const NODE_KIB: u64 = 50;
/// What two runs of the same thing differ by.
const NOISE: f64 = 1.02;

/// Prints all of it.
pub(crate) fn print(networks: &[Network], memory: Option<Memory>) {
    let mut sheet = Sheet::new(HEAD);
    for network in networks {
        times(&mut sheet, networks, network);
        parallel(&mut sheet, network);
        datagrams(&mut sheet, network);
    }
    if let Some(memory) = memory {
        let none = || "-".to_owned();
        for (what, kib, limit) in [
            ("client, MiB resident", memory.client, CLIENT_KIB),
            ("before it is one", memory.bare, u64::MAX),
            ("node, KiB resident", memory.node, NODE_KIB),
        ] {
            let Some(kib) = kib else { continue };
            let shown = |kib: u64| if limit == NODE_KIB { kib.to_string() } else { mib(kib) };
            let (most, kept) =
                if limit == u64::MAX { (none(), none()) } else { (shown(limit), told(kib < limit)) };
            sheet.row(["-".into(), what.into(), shown(kib), none(), none(), none(), most, kept]);
        }
    }
    sheet.print("Ours beside the best peer and the floor");
}

fn times(sheet: &mut Sheet<8>, networks: &[Network], network: &Network) {
    for (what, trips, more, of) in TIMED {
        let Some(ours) = of(&network.ours).median() else { continue };
        let best = best(network, |figures| of(figures).median().filter(|_| figures.missed == 0));
        let is_best = best.is_none_or(|(best, _)| ratio(ours, best) <= NOISE);
        let (floor, most) = match network.rtt().filter(|_| trips > 0) {
            Some(rtt) => (Some(rtt * trips), Some(more)),
            None => (None, None),
        };
        let is_low = floor.is_none_or(|floor| ratio(ours, floor) <= more);
        let hurt = healthy(networks, network).and_then(|other| of(&other.ours).median());
        let hurt = hurt.map(|healthy| ratio(ours, healthy));
        let mut wrong = Vec::new();
        if !is_best {
            wrong.push("peer".to_owned());
        }
        if !is_low {
            wrong.push("floor".to_owned());
        }
        if let Some(hurt) = hurt.filter(|hurt| *hurt > HURT) {
            wrong.push(format!("{hurt:.2} of healthy"));
        }
        sheet.row([
            network.title(),
            what.into(),
            ms(ours),
            best.map_or("-".into(), |(best, name)| format!("{} {name}", ms(best))),
            best.map_or("-".into(), |(best, _)| format!("{:.2}", ratio(ours, best))),
            floor.map_or("-".into(), ms),
            floor.zip(most).map_or("-".into(), |(floor, most)| format!("{:.2}, {most}", ratio(ours, floor))),
            if wrong.is_empty() { told(true) } else { format!("NO: {}", wrong.join(", ")) },
        ]);
    }
}

fn parallel(sheet: &mut Sheet<8>, network: &Network) {
    for (at, what) in PARALLEL.into_iter().enumerate() {
        let Some(ours) = network.ours.parallel[at] else { continue };
        // Who tells no end is done with its first peers.
        let tells = network.peers.iter().filter(|peer| at % 2 == 1 || peer.done.len() > 0);
        let all = tells.filter_map(|peer| Some((peer.parallel[at]?, peer.name)));
        let best = all
            .filter(|(many, _)| many.missed == 0)
            .max_by(|(one, _), (other, _)| one.per_second().total_cmp(&other.per_second()));
        let is_best = best.is_none_or(|(best, _)| ours.per_second() * NOISE >= best.per_second());
        let limit = network.rtt().is_none().then_some(PER_SECOND);
        let is_quick = limit.is_none_or(|least| ours.per_second() >= least);
        let shown = |many: Many| format!("{:.0}/s, {} missed", many.per_second(), many.missed);
        sheet.row([
            network.title(),
            what.into(),
            shown(ours),
            best.map_or("-".into(), |(best, name)| format!("{:.0}/s {name}", best.per_second())),
            best.map_or("-".into(), |(best, _)| format!("{:.2}", ours.per_second() / best.per_second())),
            limit.map_or("-".into(), |least| format!("{least}/s")),
            limit.map_or("-".into(), |least| format!("{:.2}, at least 1", ours.per_second() / least)),
            told(is_best && is_quick && ours.missed == 0),
        ]);
    }
}

fn datagrams(sheet: &mut Sheet<8>, network: &Network) {
    let names = ["datagrams to first", "datagrams to the end", "datagrams of an announcement"];
    for (at, what) in names.into_iter().enumerate() {
        let Some(ours) = network.ours.datagrams[at] else { continue };
        let all = network.peers.iter().filter_map(|peer| Some((peer.datagrams[at]?, peer.name)));
        let best = all.filter(|(count, _)| *count > 0).min();
        let is_few = at > 0 || ours <= DATAGRAMS;
        sheet.row([
            network.title(),
            what.into(),
            ours.to_string(),
            best.map_or("-".into(), |(best, name)| format!("{best} {name}")),
            best.map_or("-".into(), |(best, _)| format!("{:.2}", number(ours) / number(best))),
            "-".into(),
            if at == 0 { DATAGRAMS.to_string() } else { "-".into() },
            if at == 0 { told(is_few) } else { "-".into() },
        ]);
    }
}

/// Who does not tell when the last message has left has sent it before the last acknowledgement has come.
fn sent(figures: &Figures) -> &Times {
    if figures.sent.len() > 0 { &figures.sent } else { &figures.announce }
}

/// The network of the same round trip on which nobody is dead.
fn healthy<'a>(networks: &'a [Network], of: &Network) -> Option<&'a Network> {
    let same =
        |other: &&Network| other.spec.rtt_ms.total_cmp(&of.spec.rtt_ms).is_eq() && other.spec.dead == 0;
    networks.iter().find(same).filter(|_| of.spec.dead > 0)
}

fn best(network: &Network, of: impl Fn(&Figures) -> Option<Duration>) -> Option<(Duration, &'static str)> {
    network.peers.iter().filter_map(|peer| Some((of(peer)?, peer.name))).min()
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn number(count: u64) -> f64 {
    count as f64
}

fn told(kept: bool) -> String {
    if kept { "yes" } else { "NO" }.into()
}
