use std::time::Duration;

use bitboot_plugin_api::Health;

use super::Finding;
use crate::cli::backend::ping_all;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::output::HealthLine;

/// With what each medium tells of itself.
pub(super) async fn media(
    bitboot: &Bitboot,
    timeout: Duration,
) -> Result<Vec<(Finding, Option<Box<HealthLine>>)>> {
    let mut findings = Vec::new();
    let mut pings = ping_all(bitboot, bitboot.registry().select("", &[])?, timeout);
    while let Some(Ok((name, answer, took))) = pings.join_next().await {
        let (finding, health) = match answer {
            Ok(health) => (judged(&health), Some(Box::new(HealthLine::new(&name, health, took)))),
            Err(error) => (Err(error), None),
        };
        findings.push(((format!("medium of {name}"), finding), health));
    }
    findings.sort_by(|a, b| a.0.0.cmp(&b.0.0));
    Ok(findings)
}

fn judged(health: &Health) -> Result<String> {
    if health.reachable {
        return Ok(health.summary.clone());
    }
    let error = Error::new(Kind::Unreachable, health.summary.clone());
    Err(match &health.fix {
        Some(fix) => error.fix(fix.clone()),
        None => error,
    })
}
