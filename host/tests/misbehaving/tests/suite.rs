//! The conformance suite sees what breaks the contract, and nothing else.

use std::time::Duration;

use bitboot_conformance::{Noise, Outcome, Subject, Verdict, check, judge, library};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The suite counts the threads and descriptors of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What is enough on an idle machine.
const SHORT: Duration = Duration::from_millis(200);
/// Where others seem to be broken, they may have been late on a busy machine.
const LONGER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(1), Duration::from_secs(20)];

/// The clauses that a backend breaks.
async fn broken(subject: &Subject) -> Vec<&'static str> {
    let verdicts = judge(&library("bitboot_misbehaving"), subject).await;
    verdicts.into_iter().filter(Verdict::is_broken).map(|verdict| verdict.clause).collect()
}

/// These clauses are broken and no others.
async fn breaks(subject: Subject, clauses: &[&str]) {
    let mut found = Vec::new();
    for patience in [SHORT].into_iter().chain(LONGER) {
        found = broken(&subject.clone().with_patience(patience)).await;
        if found == clauses {
            return;
        }
    }
    assert_eq!(found, clauses);
}

#[tokio::test]
async fn the_suite_sees_the_one_clause_that_is_broken() {
    let _alone = ALONE.lock().await;
    check(&library("bitboot_misbehaving"), &Subject::new("panics", json!({}))).await;
    check(&library("bitboot_misbehaving"), &Subject::new("careless", json!({}))).await;
    for clause in [
        "unknown_action_is_unsupported",
        "caps_are_plausible",
        "unknown_locator_finds_nothing",
        "announced_peer_is_found",
        "many_peers_are_found",
        "announcing_again_does_not_duplicate",
        "limit_does_no_harm",
        "withdrawn_peer_is_gone",
        "locator_of_any_length_does_no_harm",
        "watching_tells_of_new_peers",
        "nothing_to_announce_is_refused",
        "foreign_address_is_not_published_as_ours",
        "ipv6_is_carried_or_refused",
        "dns_name_is_carried_or_refused",
        "value_is_carried_or_refused",
        "oversize_value_is_refused",
        "quote_is_given",
        "quote_covers_the_cost",
        "health_is_told_or_unsupported",
        "saving_works",
        "stopped_call_ends",
        "cancelled_call_lets_go",
        "slow_listener_loses_nothing",
        "parallel_lookups_all_answer",
        "odd_values_cause_no_panic",
        "flood_of_calls_is_survived",
        "calls_leave_nothing_behind",
        "closed_backends_leave_nothing_behind",
    ] {
        breaks(Subject::new("careless", json!({ "breaks": clause })), &[clause]).await;
    }
    breaks(Subject::new("lax", json!({})), &["unknown_config_key_is_refused"]).await;
    breaks(Subject::new("no-such-kind", json!({})), &["it_opens"]).await;
    let panics = Subject::new("panics", json!({ "panic_in": "health" }));
    breaks(panics, &["health_is_told_or_unsupported"]).await;
    assert!(!broken(&Subject::new("slow", json!({})).with_patience(SHORT)).await.is_empty());
}

/// Backends that cost something are put to the suite by keys that everybody knows.
#[tokio::test]
async fn the_suite_sees_who_costs_more_than_was_said() {
    let _alone = ALONE.lock().await;
    let toll = |set: Value| {
        let folder = tempfile::tempdir().unwrap();
        let mut config = json!({ "folder": folder.path() });
        config.as_object_mut().unwrap().extend(set.as_object().unwrap().clone());
        (config, folder)
    };
    for scheme in ["ecdsa-der", "ecdsa-recoverable", "bip340", "ed25519", "rsa-pss-sha256"] {
        let (config, _folder) =
            toll(json!({ "scheme": scheme, "times": 2, "signatures": 2, "takes": "0.001 TOL" }));
        check(&library("bitboot_misbehaving"), &Subject::new("toll", config)).await;
    }
    for (set, clause) in [
        (json!({ "takes": "0.003 TOL" }), "quote_covers_the_cost"),
        (json!({ "takes": "0.002 LOT" }), "quote_covers_the_cost"),
        (json!({ "takes": "?", "times": 2, "signatures": 1 }), "quote_covers_the_cost"),
        (json!({ "takes": "0 TOL", "times": 2 }), "quote_covers_the_cost"),
        (json!({ "bills": "0.003 TOL" }), "quote_covers_the_cost"),
        (json!({ "real": true }), "suite_runs_where_nothing_is_lost"),
    ] {
        let (config, _folder) = toll(set);
        breaks(Subject::new("toll", config), &[clause]).await;
    }
}

#[tokio::test]
async fn what_strangers_write_is_put_on_the_medium() {
    let _alone = ALONE.lock().await;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().display();
    let file = Noise::File(format!("{path}/{{locator}}"));
    let command = Noise::Command(["tee", "-a", &format!("{path}/{{locator}}")].map(Into::into).into());
    let noises = if cfg!(unix) { vec![file, command] } else { vec![file] };
    for noise in noises {
        let subject = |breaks: &str| {
            Subject::new("careless", json!({ "breaks": breaks, "more": place.path() }))
                .with_noise(noise.clone())
        };
        breaks(subject("nothing"), &[]).await;
        let clause = "noise_of_strangers_is_passed_over";
        breaks(subject(clause), &[clause]).await;
    }
}

#[tokio::test]
async fn an_exception_needs_a_clause() {
    let _alone = ALONE.lock().await;
    let subject = Subject::new("lax", json!({}))
        .without("saving_works", "nothing is saved")
        .without("pigs_fly", "they do not");
    let verdicts = judge(&library("bitboot_misbehaving"), &subject).await;
    assert_eq!(verdicts[0].to_string(), "exceptions_name_clauses: broken, there is no clause `pigs_fly`");
    let excepted = Outcome::Excepted("nothing is saved".into());
    assert!(verdicts.iter().any(|told| told.clause == "saving_works" && told.outcome == excepted));
}
