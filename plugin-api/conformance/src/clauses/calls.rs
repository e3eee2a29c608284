//! Calls that a well-meaning host does not make.

use std::time::Duration;

use bitboot_plugin_api::{ErrorKind, Query, message};
use serde_json::{Value, json};

use crate::Stream;
use crate::bench::{Bench, DEADLINE, fails};
use crate::check::Told;

/// Every operation that takes a body.
const WITH_BODY: [&str; 8] = ["announce", "withdraw", "quote", "lookup", "read", "write", "watch", "action"];

pub(super) async fn nothing_works_before_open(bench: &Bench) -> Told {
    let backend = bench.create()?;
    for op in WITH_BODY.into_iter().chain(["caps", "health", "save"]) {
        let outcome = backend.call(op, message::encode(&()), DEADLINE).finish::<Value>().await;
        fails(outcome, &[ErrorKind::Refused], &format!("`{op}` before `open`"))?;
    }
    Ok(())
}

pub(super) async fn opening_twice_is_refused(bench: &Bench) -> Told {
    let again = bench.two.configure(&bench.subject.second).await;
    fails(again, &[ErrorKind::Refused], "a second `open`")?;
    // The first one has to be unharmed.
    Ok(bench.two.caps().await.map(drop)?)
}

pub(super) async fn unknown_operation_is_unsupported(bench: &Bench) -> Told {
    let outcome = bench.one.call("levitate", Vec::new(), DEADLINE).finish::<Value>().await;
    fails(outcome, &[ErrorKind::Unsupported], "an unknown operation").map(drop)
}

pub(super) async fn unknown_action_is_unsupported(bench: &Bench) -> Told {
    let outcome = bench.one.action("no-such-action", json!({}), DEADLINE).finish::<Value>().await;
    fails(outcome, &[ErrorKind::Unsupported], "an unknown action").map(drop)
}

pub(super) async fn garbage_is_an_error(bench: &Bench) -> Told {
    // A byte that MessagePack does not use, a deep nest, an array that claims to be endless, a text, too much, and nothing.
    let garbage = [
        vec![0xc1],
        vec![0x91; 10_000],
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],
        message::encode("garbage"),
        vec![0; message::MAX + 1],
        Vec::new(),
    ];
    for bytes in garbage {
        for op in WITH_BODY {
            let outcome = bench.one.call(op, bytes.clone(), DEADLINE).finish::<Value>().await;
            fails(outcome, &[ErrorKind::Integrity], &format!("garbage for `{op}`"))?;
        }
        let backend = bench.create()?;
        let opened = backend.call("open", bytes.clone(), DEADLINE).finish::<Value>().await;
        fails(opened, &[ErrorKind::Integrity, ErrorKind::Config], "garbage for `open`")?;
        let outcome = Stream::start(backend.callee(), bytes, DEADLINE).finish::<Value>().await;
        fails(outcome, &[ErrorKind::Integrity], "garbage instead of a call")?;
    }
    Ok(bench.one.caps().await.map(drop)?)
}

pub(super) async fn deadline_is_kept(bench: &Bench) -> Told {
    for milliseconds in [0, 1] {
        let finds = bench.one.lookup(&Query::new(bench.fresh()), Duration::from_millis(milliseconds)).await;
        if finds.outcome.is_err() {
            fails(finds.outcome, &[ErrorKind::TimedOut], "a lookup without time")?;
        }
    }
    Ok(())
}
