use std::net::IpAddr;

use bitboot_plugin_api::{Error, ErrorKind, Result};

/// The most nodes of one backend: each is asked for all that it has.
pub const MAX_NODES: usize = 8;

/// A word of an address from here on may be a key.
const LONG: usize = 16;

/// Where in an address the credentials are put, for providers that want them there.
pub(crate) const KEY: &str = "{key}";

/// Checks the addresses of nodes as they stand in a configuration, before anything is asked. `variable` is the environment variable that holds
/// the credentials, see [`Login`](crate::Login).
///
/// # Errors
/// [`ErrorKind::Config`] for more than [`MAX_NODES`], for what is not `http://` or `https://`, and for credentials in an address.
pub fn check(urls: &[String], variable: &str) -> Result<()> {
    if urls.len() > MAX_NODES {
        return Err(Error::new(ErrorKind::Config, format!("these are more than {MAX_NODES} nodes")));
    }
    urls.iter().try_for_each(|url| check_one(url, variable))
}

/// An address as it may be shown: providers want keys in paths and behind question marks, so that long words there are left out.
pub(crate) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let mut shown = format!("{scheme}://{host}");
    for part in path.split_inclusive(['/', '?', '&', '=']) {
        let word = part.trim_end_matches(['/', '?', '&', '=']);
        shown.push_str(if word.len() < LONG { word } else { "…" });
        shown.push_str(&part[word.len()..]);
    }
    shown
}

/// Whether a node is on this machine.
pub(crate) fn is_here(url: &str) -> bool {
    host(url) == "localhost" || ip(url).is_some_and(|ip| ip.is_loopback())
}

/// Whether it is there, or in a private network of addresses that mean nothing elsewhere (RFC 1918, 3927, 4193, 4291).
pub(crate) fn is_near(url: &str) -> bool {
    is_here(url)
        || match ip(url) {
            Some(IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
            Some(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
            None => false,
        }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn ip(url: &str) -> Option<IpAddr> {
    host(url).parse().ok()
}

fn check_one(url: &str, variable: &str) -> Result<()> {
    let is_address = |rest: &&str| {
        let name = rest.split(['/', ':', '?']).next().unwrap_or_default();
        !name.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())
    };
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest.filter(is_address) else {
        return Err(Error::new(ErrorKind::Config, "the address of a node is none")
            .fix("write it as http://HOST:PORT or https://HOST/PATH"));
    };
    // It would stand in the registry, and in every message that names the node.
    if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
        return Err(Error::new(ErrorKind::Config, "credentials do not belong into the address of a node")
            .fix(format!("put user:password into the environment variable {variable}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_carry_no_credentials() {
        let of = |url: &str| check(&[url.to_owned()], "X").is_ok();
        for good in
            ["http://127.0.0.1:8332", "https://node.example/v2/{key}", "http://[::1]:1", "http://a/x@y"]
        {
            assert!(of(good), "{good}");
        }
        for bad in [
            "",
            "http://",
            "127.0.0.1:1",
            "ftp://a",
            "http://a:b@c",
            "https://a@c/d",
            "http:// a",
            "http://a\n",
        ] {
            assert!(!of(bad), "{bad:?}");
        }
        assert!(check(&vec!["http://a".to_owned(); MAX_NODES + 1], "X").is_err());
    }

    #[test]
    fn what_is_near_is_known_by_its_address() {
        for here in ["http://127.0.0.1:8332", "http://127.9.9.9", "http://[::1]:1/x", "http://localhost:1"] {
            assert!(is_here(here) && is_near(here), "{here}");
        }
        for near in ["http://10.0.0.5:8332", "http://192.168.1.1", "http://[fd00::1]:1", "http://[fe80::1]"] {
            assert!(!is_here(near) && is_near(near), "{near}");
        }
        for far in [
            "https://node.example",
            "http://203.0.113.1",
            "http://[2001:db8::1]:1",
            "http://127.0.0.1.example:1",
            "http://localhost.example",
            "http://node.example/127.0.0.1",
            "http://node.example?@127.0.0.1",
            "",
        ] {
            assert!(!is_here(far) && !is_near(far), "{far}");
        }
    }

    #[test]
    fn keys_of_providers_are_not_shown() {
        for (url, told) in [
            ("http://127.0.0.1:8332", "http://127.0.0.1:8332"),
            ("https://node.example/v2/{key}", "https://node.example/v2/{key}"),
            ("https://node.example/v3/0123456789abcdef0123", "https://node.example/v3/…"),
            ("https://a.example/rpc?api-key=0123456789abcdef0&x=1", "https://a.example/rpc?api-key=…&x=1"),
        ] {
            assert_eq!(shown(url), told);
        }
    }
}
