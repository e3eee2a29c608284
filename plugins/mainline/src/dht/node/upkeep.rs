use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Node;
use super::api::{Family, Goal, Mode};
use super::calls::What;

/// How often a server looks after what it knows.
const EVERY: Duration = Duration::from_secs(15);
/// How many nodes it asks each time whether they are there.
const PINGS: usize = 6;
/// A node that was asked lately is not asked again.
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// With fewer nodes than this it searches for itself.
const FEW: usize = 8;

impl Node {
    /// What a node does without being asked: a server keeps its table true, a client does nothing.
    pub(super) fn keep_up(&mut self, now: Instant) {
        if now < self.upkeep_at {
            return;
        }
        // Not all nodes of a machine at once.
        self.upkeep_at = now + EVERY * self.chance.u32(80..120) / 100;
        if self.settings.mode == Mode::Client {
            // Its table is looked after when it is used.
            self.upkeep_at = now + Duration::from_secs(3600);
            return;
        }
        self.try_reach(now);
        self.server.tokens.turn(now, &mut self.chance);
        self.server.peers.expire(now);
        self.server.items.expire(now);
        for family in [Family::V4, Family::V6] {
            if !self.settings.families[family.index()] || !self.sides[family.index()].reach.serves() {
                continue;
            }
            for at in self.doubtful(family, now) {
                if let Some(turn) = self.pace.turn(at.ip(), Duration::ZERO, now) {
                    self.ask((at, turn), What::Ping, 0, None, now);
                }
            }
            let side = &self.sides[family.index()];
            if side.table.all().take(FEW).count() < FEW && !side.hosts.is_empty() {
                let own = side.id;
                self.search(Goal::Nodes(own), family, now);
            }
        }
    }

    /// Sees in each family whether others reach the node, and makes itself known where it is to be tried.
    fn try_reach(&mut self, now: Instant) {
        for family in [Family::V4, Family::V6] {
            let side = &mut self.sides[family.index()];
            let has_company = side.table.all().any(|known| known.is_good(now));
            let begins = side.reach.look(&side.votes, has_company, now);
            if begins {
                let own = side.id;
                self.search(Goal::Nodes(own), family, now);
            }
        }
    }

    /// Nodes of which it is not known whether they are there.
    fn doubtful(&mut self, family: Family, now: Instant) -> Vec<SocketAddr> {
        let long_ago = |then: Option<Instant>, pause| {
            then.is_none_or(|then| now.saturating_duration_since(then) >= pause)
        };
        let nodes = self.sides[family.index()].table.all_mut();
        let doubtful = nodes
            .filter(|known| (known.is_aging(now) || !known.is_reliable()) && long_ago(known.pinged, PAUSE))
            .take(PINGS);
        doubtful
            .map(|known| {
                known.pinged = Some(now);
                known.contact.at
            })
            .collect()
    }
}
