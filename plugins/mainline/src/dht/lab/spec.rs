use std::ops::RangeInclusive;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a test network is made of.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Spec {
    /// How many nodes answer, 1 to 5000.
    #[schemars(range(min = 1, max = 5000))]
    pub nodes: u16,
    /// How many more the others know that never answer, 0 to 5000.
    #[schemars(range(min = 0, max = 5000))]
    pub dead: u16,
    /// How long an answer takes, in milliseconds, 0 to 60000: each is held back for the whole round trip.
    #[schemars(range(min = 0, max = 60000))]
    pub rtt_ms: f64,
    /// How much longer or shorter an answer may take, in milliseconds, 0 to 60000.
    #[schemars(range(min = 0, max = 60000))]
    pub jitter_ms: f64,
    /// The share of the questions to nodes that are lost, and as well of their answers, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub loss: f64,
    /// On IPv6, all nodes at `::1`, in the place of IPv4.
    pub ipv6: bool,
    /// Nodes that treat others as nodes of the internet treat strangers: see the README of the plugin.
    pub strict: bool,
    /// What the ids of the nodes and their luck come of, so that a network can be had again; by chance where it is not given.
    pub seed: Option<u64>,
}

const NODES: RangeInclusive<u16> = 1..=5000;
const DEAD: RangeInclusive<u16> = 0..=5000;
const MILLISECONDS: RangeInclusive<f64> = 0.0..=60_000.0;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;

impl Default for Spec {
    fn default() -> Self {
        Self {
            nodes: 20,
            dead: 0,
            rtt_ms: 0.0,
            jitter_ms: 0.0,
            loss: 0.0,
            ipv6: false,
            strict: false,
            seed: None,
        }
    }
}

impl Spec {
    /// Whether there are such networks.
    pub(super) fn check(&self) -> Result<()> {
        within("nodes", self.nodes, &NODES)?;
        within("dead", self.dead, &DEAD)?;
        within("rtt_ms", self.rtt_ms, &MILLISECONDS)?;
        within("jitter_ms", self.jitter_ms, &MILLISECONDS)?;
        within("loss", self.loss, &SHARE)?;
        let has_addresses = cfg!(target_os = "linux") && !self.ipv6;
        if self.strict && !has_addresses {
            let what =
                "a strict network wants an address for each node, and there is one loopback address only";
            let fix = if self.ipv6 { "leave `ipv6` or `strict` out" } else { "leave `strict` out" };
            return Err(Error::new(ErrorKind::Config, what).fix(fix));
        }
        Ok(())
    }

    /// The round trip, and how far an answer may be off it.
    pub(super) fn delay(&self) -> [Duration; 2] {
        [self.rtt_ms, self.jitter_ms].map(|ms| Duration::from_secs_f64(ms / 1000.0))
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    name: &str,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<()> {
    // No number at all is in no range either.
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(Error::new(ErrorKind::Config, format!("no test network has `{name}` = {value}"))
        .fix(format!("set {name} to a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let ordinary = Spec::default();
        ordinary.check().unwrap();
        for (spec, name) in [
            (Spec { nodes: 0, ..ordinary.clone() }, "nodes"),
            (Spec { nodes: 5001, ..ordinary.clone() }, "nodes"),
            (Spec { dead: 5001, ..ordinary.clone() }, "dead"),
            (Spec { rtt_ms: -1.0, ..ordinary.clone() }, "rtt_ms"),
            (Spec { rtt_ms: f64::NAN, ..ordinary.clone() }, "rtt_ms"),
            (Spec { jitter_ms: f64::INFINITY, ..ordinary.clone() }, "jitter_ms"),
            (Spec { loss: 1.1, ..ordinary }, "loss"),
        ] {
            let error = spec.check().unwrap_err();
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(error.message.contains(name) && error.fix.unwrap().contains("to a number from"));
        }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let spec: Spec = serde_json::from_str(r#"{"nodes": 7, "rtt_ms": 50, "seed": 3}"#).unwrap();
        assert_eq!(spec, Spec { nodes: 7, rtt_ms: 50.0, seed: Some(3), ..Spec::default() });
        assert!(serde_json::from_str::<Spec>(r#"{"stict": true}"#).is_err());
        let both = Spec { strict: true, ipv6: true, ..Spec::default() };
        assert!(both.check().unwrap_err().fix.unwrap().contains("`ipv6` or `strict`"));
    }
}
