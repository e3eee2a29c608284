//! What a plugin is granted: at most what its manifest asks for, and no more than the user lets it have.

use std::path::{Path, PathBuf};

use bitboot_plugin_api::ffi::outside::Reads;
use serde_json::Value;

use super::manifest::Asks;
use crate::files::make_folder;
use crate::registry::Grants;
use crate::worker::Confine;

/// What is granted to the process of a plugin whose backends have these settings.
pub(crate) fn confine(asks: &Asks, grants: &Grants, memory_mib: Option<u32>, settings: &[Value]) -> Confine {
    let mut confine = Confine::default();
    confine.network = asks.network && grants.network.unwrap_or(true);
    // An open door has to be granted by a person.
    confine.listen = confine.network && asks.listen && grants.listen.unwrap_or(false);
    if grants.files.unwrap_or(true) {
        let folders = asks.files.iter().flat_map(|asked| folders(asked, settings));
        confine.files = folders.map(|folder| std::path::absolute(&folder).unwrap_or(folder)).collect();
        confine.files.sort();
        confine.files.dedup();
    }
    if let Some(mib) = memory_mib {
        confine.memory = u64::from(mib) << 20;
    }
    confine
}

/// What the host reads for a backend with these settings. Of the variables those only that could not be another plugin's as well.
pub(super) fn reads(plugin: &str, others: &[String], asks: &Asks, grants: &Grants, config: &Value) -> Reads {
    if !grants.files.unwrap_or(true) {
        return Reads::default();
    }
    let own = Reads::prefix(plugin);
    let longer: Vec<_> =
        others.iter().map(|other| Reads::prefix(other)).filter(|prefix| prefix.starts_with(&own)).collect();
    let is_own = |asked: &&String| {
        let variable = asked.strip_prefix("env.").unwrap_or_default();
        !longer.iter().any(|prefix| variable.starts_with(prefix))
    };
    let asked: Vec<_> = asks.reads.iter().filter(is_own).cloned().collect();
    Reads::new(plugin, &asked, config)
}

/// The kinds of key that it may sign with.
pub(super) fn keys(asks: &Asks, grants: &Grants) -> Vec<String> {
    let granted = |kind: &&String| grants.keys.as_ref().is_none_or(|granted| granted.contains(kind));
    asks.keys.iter().filter(granted).cloned().collect()
}

/// Whether it may sign what costs something.
pub(super) fn spends(asks: &Asks, grants: &Grants) -> bool {
    asks.spending.unwrap_or(!asks.keys.is_empty()) && grants.spending.unwrap_or(true)
}

/// Makes the folders that are granted: a process that may write in a folder cannot make it.
pub(crate) fn make_folders(confine: &Confine) {
    // One that cannot be made is told by the plugin, which finds none.
    confine.files.iter().filter(|folder| !folder.exists()).for_each(|folder| drop(make_folder(folder)));
}

fn folders(asked: &str, settings: &[Value]) -> Vec<PathBuf> {
    if let Some(key) = asked.strip_prefix("config.") {
        let set = settings.iter().filter_map(|config| config.get(key)?.as_str());
        return set.filter(|folder| !folder.is_empty()).map(PathBuf::from).collect();
    }
    let name = asked.strip_prefix("runtime/").filter(|name| crate::registry::is_entry_name(name));
    name.map(runtime_folder).into_iter().collect()
}

/// One folder for all processes of a user, gone after a restart as they are. Plugins find it by the same rule.
fn runtime_folder(name: &str) -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match runtime.filter(|folder| folder.is_absolute()) {
        Some(runtime) => runtime.join("bitboot").join(name),
        None => temporary_folder(&std::env::temp_dir(), name),
    }
}

#[cfg(unix)]
fn temporary_folder(all: &Path, name: &str) -> PathBuf {
    all.join(format!("bitboot-{name}-{}", rustix::process::getuid().as_raw()))
}

#[cfg(not(unix))]
fn temporary_folder(all: &Path, name: &str) -> PathBuf {
    all.join(format!("bitboot-{name}-{}", std::env::var("USERNAME").unwrap_or_else(|_| "user".into())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asks() -> Asks {
        let (files, keys) = (vec!["config.folder".into(), "a word".into()], vec!["rsa4096".into()]);
        Asks { network: true, listen: true, files, keys, ..Asks::default() }
    }

    #[test]
    fn what_is_not_asked_for_is_not_granted() {
        let all = Grants { network: Some(true), listen: Some(true), ..Grants::default() };
        let confine = confine(&Asks::default(), &all, None, &[json!({"folder": "/a"})]);
        assert_eq!(confine, Confine::default());
        assert!(!spends(&Asks::default(), &all) && keys(&Asks::default(), &all).is_empty());
    }

    #[test]
    fn what_is_asked_for_is_granted_but_for_an_open_door() {
        let settings = [json!({"folder": "/b"}), json!({}), json!({"folder": "/a"}), json!({"folder": "/b"})];
        let confine = confine(&asks(), &Grants::default(), Some(64), &settings);
        assert!(confine.network && !confine.listen);
        assert_eq!((confine.files, confine.memory), (vec!["/a".into(), "/b".into()], 64 << 20));
        assert!(spends(&asks(), &Grants::default()));
        assert_eq!(keys(&asks(), &Grants::default()), ["rsa4096"]);
    }

    #[test]
    fn the_user_may_take_things_away() {
        let none = Grants {
            network: Some(false),
            listen: Some(true),
            files: Some(false),
            keys: Some(Vec::new()),
            spending: Some(false),
        };
        assert_eq!(confine(&asks(), &none, None, &[json!({"folder": "/a"})]), Confine::default());
        assert!(!spends(&asks(), &none) && keys(&asks(), &none).is_empty());
        let cookie = Asks { reads: vec!["config.cookie".into()], ..Asks::default() };
        let config = json!({ "cookie": "/etc/hostname" });
        assert_eq!(reads("some", &[], &cookie, &none, &config), Reads::default());
        assert_ne!(reads("some", &[], &cookie, &Grants::default(), &config), Reads::default());
    }

    #[test]
    fn a_variable_of_another_plugin_is_not_read() {
        let asks = Asks { reads: vec!["env.BITBOOT_PLUGIN_ACME_RPC_LOGIN".into()], ..Asks::default() };
        let read = |plugin: &str, others: &[&str]| {
            let others: Vec<String> = others.iter().copied().map(Into::into).collect();
            reads(plugin, &others, &asks, &Grants::default(), &Value::Null) != Reads::default()
        };
        assert!(read("acme", &["local", "acm", "acme-rp"]) && read("acme-rpc", &["acme"]));
        assert!(!read("acme", &["acme-rpc"]) && !read("acme", &["acme_rpc"]));
        // Which of the two is meant nobody knows.
        assert!(!read("acme-rpc", &["acme_rpc"]));
    }
}
