use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bitboot_plugin_api::{Address, Endpoint, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::families::Addresses;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MainlineConfig {
    /// Hosts of the DHT to start from, each `host:port`; three are enough.
    pub(crate) bootstrap: Vec<String>,
    /// The addresses of this machine to use, one of IPv4, of IPv6, or of each; by default any of each family that it has.
    pub(crate) bind: Addresses,
    /// The UDP port of this machine to use; by default any free one.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// Milliseconds to wait for the answer of a node.
    #[schemars(range(min = 50, max = 10_000))]
    request_timeout_ms: u64,
    /// This machine's addresses as others see it, one of each family; by default what the other nodes say.
    pub(crate) public_address: Addresses,
    /// Whose node is used: `own`, or `crate` for that of the `mainline` crate, to compare them.
    pub(crate) engine: EngineName,
    /// Whether the node serves others: `client` never, `server` always, `auto` (the default) once it is there for a while and reached.
    pub(crate) mode: NodeMode,
}

/// Whose node is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EngineName {
    /// The one in `src/dht`.
    #[default]
    Own,
    /// That of the `mainline` crate.
    Crate,
}

/// Whether the node serves others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NodeMode {
    /// A client that becomes a server where others reach it, and a client again where they do not any more.
    #[default]
    Auto,
    /// Asks only, and says so (BEP 43).
    Client,
    /// Answers others and stores for them.
    Server,
}

impl Default for MainlineConfig {
    fn default() -> Self {
        Self {
            bootstrap: Vec::new(),
            bind: Addresses::default(),
            port: None,
            request_timeout_ms: 1000,
            public_address: Addresses::default(),
            engine: EngineName::Own,
            mode: NodeMode::Auto,
        }
    }
}

impl MainlineConfig {
    /// Refuses what can be seen to be wrong before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
        for host in &self.bootstrap {
            host.parse::<Endpoint>().map_err(|why| {
                Error::new(ErrorKind::Config, format!("the bootstrap host `{host}` is no `host:port`"))
                    .because(why.to_string())
                    .fix("write it as in bootstrap=dht.example:6881")
            })?;
        }
        if !(50..=10_000).contains(&self.request_timeout_ms) {
            let what = format!("request_timeout_ms is {}, not 50 to 10000", self.request_timeout_ms);
            return Err(Error::new(ErrorKind::Config, what).fix("leave it out for 1000"));
        }
        if self.port == Some(0) {
            return Err(Error::new(ErrorKind::Config, "port is 0").fix("leave it out for any free port"));
        }
        if let Some(ip) = self.public_address.iter().find(|ip| ip.is_unspecified() || ip.is_multicast()) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("public_address {ip} is no address of a machine"),
            )
            .fix("leave it out to believe what the other nodes say"));
        }
        if let Some(ip) = [self.bind.v6, self.public_address.v6].into_iter().flatten().next()
            && self.engine == EngineName::Crate
        {
            let what = format!("the `mainline` crate is IPv4 only and cannot use {ip}");
            return Err(Error::new(ErrorKind::Config, what)
                .fix("leave the IPv6 address out, or `engine = \"crate\"`"));
        }
        Ok(())
    }

    /// Which families may be used: those of `bind`, or both.
    pub(crate) fn families(&self) -> [bool; 2] {
        let set = self.bind.by_family().map(|ip| ip.is_some() || self.bind.is_empty());
        [set[0], set[1] && self.engine == EngineName::Own]
    }

    /// Under which address others reach this machine, as far as the configuration tells; IPv4 where there are both.
    pub(crate) fn here(&self) -> Option<IpAddr> {
        let told = self.public_address.iter().chain(self.bind.iter()).find(|ip| !ip.is_unspecified());
        if !self.is_loopback_only() {
            return told;
        }
        let is_v6 = |host: &String| host.parse::<Endpoint>().ok()?.ip().map(|ip| ip.is_ipv6());
        let all_v6 = self.bootstrap.iter().all(|host| is_v6(host) == Some(true));
        let lone = if all_v6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        Some(self.bind.iter().find(|ip| !ip.is_unspecified()).unwrap_or(lone))
    }

    /// How long a node may take to answer.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The DHT is one of this machine only, so that its nodes see this one at a loopback address.
    pub(crate) fn is_loopback_only(&self) -> bool {
        let is_loopback = |host: &String| match host.parse::<Endpoint>().ok()?.address() {
            Address::Ip(ip) => Some(ip.to_canonical().is_loopback()),
            Address::Dns(name) => Some(name == "localhost"),
            _ => None,
        };
        let bound = !self.bind.is_empty() && self.bind.iter().all(|ip| ip.is_loopback());
        bound
            || (!self.bootstrap.is_empty()
                && self.bootstrap.iter().all(|host| is_loopback(host) == Some(true)))
    }

    /// The DHT may span the internet: it is not told to stay on this machine or inside a private network.
    pub(crate) fn is_wide(&self) -> bool {
        let is_inside = |host: &String| match host.parse::<Endpoint>().ok()?.ip()?.to_canonical() {
            IpAddr::V4(ip) => Some(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
            IpAddr::V6(ip) => Some(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        };
        let lab =
            !self.bootstrap.is_empty() && self.bootstrap.iter().all(|host| is_inside(host) == Some(true));
        !self.is_loopback_only() && !lab
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(config: Value) -> Result<MainlineConfig> {
        let config: MainlineConfig = serde_json::from_value(config)?;
        config.check().map(|()| config)
    }

    #[test]
    fn nothing_set_is_a_configuration() {
        let config = read(json!({})).unwrap();
        assert_eq!(config.patience(), Duration::from_secs(1));
        assert!(config.bootstrap.is_empty() && !config.is_loopback_only());
    }

    #[test]
    fn what_is_wrong_says_what() {
        for (config, told) in [
            (json!({ "bootstrap": ["dht.example"] }), "`dht.example` is no `host:port`"),
            (json!({ "bootstrap": ["dht.example:99999"] }), "no `host:port`"),
            (json!({ "bootstrap": ["10.0.0.5:0"] }), "no `host:port`"),
            (json!({ "request_timeout_ms": 5 }), "50 to 10000"),
            (json!({ "request_timeout_ms": 60_000 }), "50 to 10000"),
            (json!({ "port": 0 }), "port is 0"),
            (json!({ "public_address": "0.0.0.0" }), "0.0.0.0 is no address"),
            (json!({ "bind": "localhost" }), "IPv4"),
            (json!({ "bind": ["::1", "::2"] }), "two addresses of one family"),
            (json!({ "bind": "::1", "engine": "crate" }), "is IPv4 only and cannot use ::1"),
            (json!({ "mode": "sometimes" }), "unknown variant `sometimes`"),
            (json!({ "bootstraps": [] }), "unknown field `bootstraps`"),
        ] {
            let error = read(config.clone()).unwrap_err().to_string();
            assert!(error.contains(told), "{config}: {error}");
        }
    }

    #[test]
    fn a_dht_of_this_machine_is_known_by_its_hosts_or_by_its_own_address() {
        for (config, alone) in [
            (json!({ "bootstrap": ["127.0.0.1:6881", "localhost:2"] }), true),
            (json!({ "bootstrap": ["127.0.0.1:6881", "dht.example:6881"] }), false),
            (json!({ "bootstrap": ["dht.example:6881"], "bind": "127.0.0.7" }), true),
            (json!({ "bootstrap": ["[::1]:6881", "127.0.0.1:6881"] }), true),
            (json!({ "bootstrap": ["dht.example:6881"], "bind": ["127.0.0.7", "::1"] }), true),
            (json!({ "bootstrap": ["dht.example:6881"], "bind": ["127.0.0.7", "fd00::7"] }), false),
        ] {
            assert_eq!(read(config.clone()).unwrap().is_loopback_only(), alone, "{config}");
        }
        for (host, wide) in [("[fd00::7]:1", false), ("[fe80::7]:1", false), ("[2a00::7]:1", true)] {
            assert_eq!(read(json!({ "bootstrap": [host] })).unwrap().is_wide(), wide, "{host}");
        }
    }

    #[test]
    fn both_families_are_used_unless_an_address_or_the_engine_says_otherwise() {
        for (config, families) in [
            (json!({}), [true, true]),
            (json!({ "bind": "10.0.0.7" }), [true, false]),
            (json!({ "bind": "fd00::7" }), [false, true]),
            (json!({ "bind": ["fd00::7", "10.0.0.7"] }), [true, true]),
            (json!({ "engine": "crate" }), [true, false]),
        ] {
            assert_eq!(read(config.clone()).unwrap().families(), families, "{config}");
        }
    }
}
