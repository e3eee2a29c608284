use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use bitboot_plugin_api::{Error, ErrorKind, Health, Result};

use crate::dht::Reachable;
use crate::diagnose::{self, Cause};
use crate::engine::{self, Answers, Engine, Facts};
use crate::families::NAMES;
use crate::nodes::{Node, Nodes};
use crate::own::Whose;

/// The distances between so few nodes tell nothing of how many there are.
const FEW: usize = 10;

/// Enters the DHT, where that is still to be done, and asks some of the nodes found whether they are there.
pub(crate) async fn examine(nodes: &Nodes) -> Result<Health> {
    let (since, node) = (Instant::now(), nodes.ready().await);
    let node = match node {
        Ok(node) => node,
        Err(error) if error.kind == ErrorKind::Unreachable => {
            return Ok(unwell(&error, &diagnose::without_dns(SystemTime::now())));
        }
        Err(error) => return Err(error),
    };
    if engine::seen_at(&node.dht.facts().await) == [None, None] {
        node.dht.entered().await;
    }
    let (answers, facts) = (node.dht.ask_around(|asked| asked).await, node.dht.facts().await);
    let health = if answers.answered > 0 {
        well(nodes, answers, &facts)
    } else {
        nodes.forget(&node).await;
        unwell(&node.unreachable(since), &cause(nodes, &node, &facts).await)
    };
    Ok(of_bootstrap(of_questions(health, &facts), &node))
}

async fn cause(nodes: &Nodes, node: &Node, facts: &[Facts; 2]) -> Cause {
    let found = node.bootstrap.found();
    if found.resolved == 0 {
        return diagnose::without_dns(SystemTime::now());
    }
    let from = facts.map(|side| side.bound_to.map(|at| at.ip()));
    let known = facts.iter().map(|side| side.known).sum();
    diagnose::diagnose(&found.addresses, from, known, nodes.config().patience()).await
}

fn unwell(error: &Error, cause: &Cause) -> Health {
    Health::new(false, format!("{}: {}", error.message, cause.why)).with_cause(cause.word).with_fix(cause.fix)
}

fn well(nodes: &Nodes, answers: Answers, facts: &[Facts; 2]) -> Health {
    let summary = format!("{} of {} nodes asked answer", answers.answered, answers.asked);
    let known = facts.iter().map(|side| side.nodes).sum::<usize>();
    let mut health = Health::new(true, summary).with_fact("nodes", &known).with_figure("nodes", known as u64);
    // Of a family in which nobody is known there is nothing to tell.
    let used: Vec<usize> = [0, 1].into_iter().filter(|side| facts[*side].nodes > 0).collect();
    for side in &used {
        let whose = |ip| crate::own::whose(ip, nodes.config());
        let mut told = of_family(&facts[*side], whose);
        for (name, value) in told.facts {
            let name = if used.len() > 1 { format!("{} {name}", NAMES[*side].to_lowercase()) } else { name };
            health.facts.insert(name, value);
        }
        for (name, value) in std::mem::take(&mut told.figures) {
            health.figures.insert(format!("{name}_{}", NAMES[*side].to_lowercase()), value);
        }
    }
    health
}

/// What is known of one family, as a part of a finding.
fn of_family(facts: &Facts, whose: impl Fn(std::net::IpAddr) -> Whose) -> Health {
    let mut health = Health::new(true, "")
        .with_fact("nodes", &facts.nodes)
        .with_figure("nodes", facts.nodes as u64)
        .with_fact("mode", if facts.serves { &"server" } else { &"client" })
        .with_fact("public address", &public_address(facts))
        .with_fact("reachable", &reachable(facts, whose));
    if let Some(at) = facts.bound_to {
        health = health.with_fact("bound to", &at);
    }
    if let Some((agree, votes)) = facts.votes {
        health = health.with_figure("votes", votes as u64).with_figure("votes_agreeing", agree as u64);
    }
    if facts.nodes < FEW || facts.network_size == 0 {
        return health;
    }
    health
        .with_fact("network size", &format!("about {}", facts.network_size))
        .with_figure("network_size", facts.network_size as u64)
}

fn public_address(facts: &Facts) -> String {
    match (facts.public_address, facts.votes) {
        (None, _) => "unknown".into(),
        (Some(at), None) => at.to_string(),
        (Some(at), Some((agree, votes))) => format!("{at} (say {agree} of {votes})"),
    }
}

/// Begins with `yes`, `no`, `likely`, `maybe`, `unlikely` or `unknown`.
fn reachable(facts: &Facts, whose: impl Fn(std::net::IpAddr) -> Whose) -> &'static str {
    match facts.reachable {
        Reachable::Yes => return "yes, nodes ask it that it never asked",
        Reachable::Trying => return "unknown, it is being tried",
        Reachable::No => return "no, others were told of it and nobody came",
        Reachable::Unknown => {}
    }
    let Some(seen) = facts.public_address else { return "unknown" };
    let keeps_port = facts.bound_to.map(|at| at.port()) == Some(seen.port());
    let agrees = facts.votes.is_none_or(|(agree, votes)| agree * 4 >= votes * 3);
    match (agrees, keeps_port, whose(seen.ip())) {
        (false, ..) => "unlikely, a NAT shows it to each node at another port",
        (true, true, Whose::Ours | Whose::OursAlone) => "likely, others see its own address and port",
        (true, true, Whose::Others) => "maybe, behind a NAT that keeps its port",
        (true, false, _) => "maybe, behind a NAT that changes its port",
    }
}

fn of_questions(health: Health, facts: &[Facts; 2]) -> Health {
    let counted = facts.iter().filter_map(|side| side.questions);
    let (answered, asked) = counted.fold((0, 0), |sum, side| (sum.0 + side.0, sum.1 + side.1));
    let refused: u64 = facts.iter().filter_map(|side| side.wire).map(|wire| wire.refused).sum();
    let health = match asked {
        0 => health,
        _ => health
            .with_fact("questions answered", &format!("{answered} of {asked}"))
            .with_figure("questions", asked)
            .with_figure("questions_answered", answered),
    };
    if refused == 0 {
        return health;
    }
    let error = facts.iter().find_map(|side| side.wire?.error);
    let why =
        error.map_or_else(String::new, |error| format!(": {}", std::io::Error::from_raw_os_error(error)));
    health
        .with_fact("not sent", &format!("{refused} questions{why}"))
        .with_figure("questions_not_sent", refused)
}

fn of_bootstrap(health: Health, node: &Node) -> Health {
    let (found, hosts) = (node.bootstrap.found(), node.bootstrap.hosts.len());
    let pending =
        if found.pending > 0 { format!(", {} still asked for", found.pending) } else { String::new() };
    let of_family = |v6: bool| found.addresses.iter().filter(|at: &&SocketAddr| at.is_ipv6() == v6).count();
    health
        .with_fact("bootstrap hosts", &format!("{} of {hosts} resolved{pending}", found.resolved))
        .with_figure("bootstrap_hosts", hosts as u64)
        .with_figure("bootstrap_addresses_ipv4", of_family(false) as u64)
        .with_figure("bootstrap_addresses_ipv6", of_family(true) as u64)
}
