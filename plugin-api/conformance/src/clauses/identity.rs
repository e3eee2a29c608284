//! What a plugin says of itself.

use bitboot_plugin_api::ffi::API_MAJOR;
use bitboot_plugin_api::{ErrorKind, Stores};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Driver;
use crate::bench::{Bench, fails};
use crate::check::{Told, Unkept, ensure};

/// The part of `plugin.toml` that the contract asks for.
#[derive(Deserialize)]
pub(super) struct Manifest {
    name: String,
    version: String,
    api: u32,
    summary: String,
    license: String,
    backend: Vec<Kind>,
    pub(super) asks: Asks,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
    summary: String,
}

/// Of two of them it is only checked that they are there, and of their type.
#[derive(Deserialize)]
pub(super) struct Asks {
    #[serde(rename = "network")]
    _network: bool,
    pub(super) keys: Vec<String>,
    #[serde(rename = "files")]
    _files: Vec<String>,
}

pub(super) fn manifest(bench: &Bench) -> Told<Manifest> {
    toml::from_str(bench.library.manifest()).map_err(|error| Unkept::broken(format!("plugin.toml: {error}")))
}

pub(super) async fn manifest_is_complete(bench: &Bench) -> Told {
    let manifest = manifest(bench)?;
    let kinds = manifest.backend.iter();
    for name in kinds.clone().map(|kind| &kind.kind).chain([&manifest.name]) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure(!name.is_empty() && name.bytes().all(plain), || {
            format!("`{name}` is not all lower-case letters, digits and `-`")
        })?;
    }
    for summary in kinds.map(|kind| &kind.summary).chain([&manifest.summary]) {
        ensure(!summary.is_empty() && !summary.contains('\n') && !summary.ends_with('.'), || {
            format!("a summary is one line without a full stop, not `{summary}`")
        })?;
    }
    ensure(manifest.api == API_MAJOR, || format!("api is {}, not {API_MAJOR}", manifest.api))?;
    ensure(!manifest.version.is_empty() && !manifest.license.is_empty(), || {
        "version or license is empty".into()
    })
}

pub(super) async fn manifest_and_plugin_agree(bench: &Bench) -> Told {
    let kinds = manifest(bench)?.backend.into_iter().map(|kind| kind.kind).collect::<Vec<_>>();
    ensure(kinds.contains(&bench.subject.kind), || {
        format!("plugin.toml lists {kinds:?}, not the tested kind `{}`", bench.subject.kind)
    })?;
    for kind in kinds {
        let told = Driver::create(&bench.library, &kind)?.describe().await?.kind;
        ensure(told == kind, || format!("the kind `{kind}` calls itself `{told}`"))?;
    }
    Ok(())
}

pub(super) async fn unknown_kind_is_unsupported(bench: &Bench) -> Told {
    let made = Driver::create(&bench.library, "no-such-kind").map(|_| ());
    fails(made, &[ErrorKind::Unsupported], "a kind that does not exist").map(drop)
}

pub(super) async fn config_schema_is_an_object(bench: &Bench) -> Told {
    is_object_schema(&bench.one.describe().await?.schema)
}

pub(super) async fn unknown_config_key_is_refused(bench: &Bench) -> Told {
    let mut config = bench.subject.config.clone();
    let keys = config.as_object_mut().ok_or_else(|| Unkept::broken("the subject's config is no object"))?;
    keys.insert("no_such_key".into(), json!(1));
    let opened = bench.create()?.configure(&config).await;
    fails(opened, &[ErrorKind::Config], "a configuration key that does not exist").map(drop)
}

pub(super) async fn actions_are_described(bench: &Bench) -> Told {
    for action in bench.one.describe().await?.actions {
        ensure(!action.name.is_empty() && !action.summary.is_empty(), || {
            format!("action `{}` has no name or no summary", action.name)
        })?;
        is_object_schema(&action.schema)?;
    }
    Ok(())
}

pub(super) async fn caps_are_plausible(bench: &Bench) -> Told {
    let caps = &bench.caps;
    ensure(caps.stores != Stores::Other, || "nobody knows what the medium stores".into())?;
    ensure(caps.ipv4 || caps.ipv6 || caps.dns || caps.max_value > 0, || "it carries nothing at all".into())?;
    ensure(!caps.reveals.is_empty(), || "it does not say who learns what (`reveals`)".into())
}

fn is_object_schema(schema: &Value) -> Told {
    ensure(schema.get("type") == Some(&json!("object")), || format!("no schema of an object: {schema}"))
}
