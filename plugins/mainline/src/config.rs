use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bitboot_plugin_api::{Address, Endpoint, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MainlineConfig {
    /// Hosts of the DHT to start from, each `host:port`; three are enough.
    pub(crate) bootstrap: Vec<String>,
    /// The IPv4 address of this machine to use; by default whichever leads to the other nodes.
    pub(crate) bind: Option<Ipv4Addr>,
    /// The UDP port of this machine to use; by default any free one.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// Milliseconds to wait for the answer of a node.
    #[schemars(range(min = 50, max = 10_000))]
    request_timeout_ms: u64,
    /// This machine's IPv4 address as others see it; by default what the other nodes say.
    pub(crate) public_address: Option<Ipv4Addr>,
    /// Whose node is used: `own`, or `crate` for that of the `mainline` crate, to compare them.
    pub(crate) engine: EngineName,
    /// Whether the node serves others: `client` (the default) or `server`; a server should be reachable and stay for hours.
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
    /// Asks only, and says so (BEP 43).
    #[default]
    Client,
    /// Answers others and stores for them.
    Server,
}

impl Default for MainlineConfig {
    fn default() -> Self {
        Self {
            bootstrap: Vec::new(),
            bind: None,
            port: None,
            request_timeout_ms: 1000,
            public_address: None,
            engine: EngineName::Own,
            mode: NodeMode::Client,
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
        if let Some(ip) = self.public_address.filter(|ip| ip.is_unspecified() || ip.is_multicast()) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("public_address {ip} is no address of a machine"),
            )
            .fix("leave it out to believe what the other nodes say"));
        }
        Ok(())
    }

    /// How long a node may take to answer.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The DHT is one of this machine only, so that its nodes see this one at a loopback address.
    pub(crate) fn is_loopback_only(&self) -> bool {
        let is_loopback = |host: &String| match host.parse::<Endpoint>().ok()?.address() {
            Address::Ip(IpAddr::V4(ip)) => Some(ip.is_loopback()),
            Address::Dns(name) => Some(name == "localhost"),
            _ => None,
        };
        let bound = self.bind.is_some_and(|ip| ip.is_loopback());
        bound
            || (!self.bootstrap.is_empty()
                && self.bootstrap.iter().all(|host| is_loopback(host) == Some(true)))
    }

    /// The DHT may span the internet: it is not told to stay on this machine or inside a private network.
    pub(crate) fn is_wide(&self) -> bool {
        let is_inside = |host: &String| match host.parse::<Endpoint>().ok()?.ip()? {
            IpAddr::V4(ip) => Some(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
            IpAddr::V6(_) => None,
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
            (json!({ "bind": "::1" }), "IPv4"),
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
        ] {
            assert_eq!(read(config.clone()).unwrap().is_loopback_only(), alone, "{config}");
        }
    }
}
