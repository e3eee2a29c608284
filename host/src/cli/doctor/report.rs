//! The findings as a text to paste into a bug report, without what they tell about their user.

use std::path::PathBuf;

use super::redact::Redactor;
use crate::cli::context::Context;
use crate::error::Result;
use crate::keys::confidential;
use crate::output::{CheckedLine, ConfinementLine, FindingLine, Line, escape};
use crate::paths::Paths;
use crate::registry::Registry;
use crate::state::Journal;

/// So many digits tell one library from another, and are no key.
const DIGITS: usize = 12;

/// What is known of this user.
pub(super) fn redactor(context: &Context) -> Result<Redactor> {
    let (mut redactor, paths) = (Redactor::default(), context.paths()?);
    folders(&mut redactor, paths);
    for name in ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| std::env::var(name).ok()) {
        redactor.word(&name, "<user>");
    }
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machines =
        ["HOSTNAME", "COMPUTERNAME"].map(|name| std::env::var(name).ok()).into_iter().chain([machine]);
    for name in machines.flatten().filter(|name| name.trim() != "localhost") {
        redactor.word(name.trim(), "<host>");
    }
    // What cannot be read has names that nothing tells, and a finding of its own.
    let registered = Registry::read(paths).map(|registry| registry.networks.into_keys().collect::<Vec<_>>());
    let announced = Journal::new(paths).read().unwrap_or_default().into_iter().map(|one| one.key.network);
    let networks = registered.unwrap_or_default().into_iter().chain(announced);
    for (number, network) in (1..).zip(networks) {
        redactor.word(&network, &format!("<network {number}>"));
    }
    let keys = context.keys()?.index().map(|index| index.keys.into_keys().collect::<Vec<_>>());
    keys.unwrap_or_default().iter().for_each(|key| redactor.word(key, "<key name>"));
    confidential().for_each(|variable| redactor.word(&variable, "<variable>"));
    Ok(redactor)
}

fn folders(redactor: &mut Redactor, paths: &Paths) {
    let ours = [
        (&paths.config, "<config>"),
        (&paths.data, "<data>"),
        (&paths.state, "<state>"),
        (&paths.cache, "<cache>"),
    ];
    for (folder, label) in ours {
        redactor.folder(folder, label);
    }
    if let Some(program) = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())) {
        redactor.folder(&program, "<bin>");
    }
    for home in ["HOME", "USERPROFILE"].into_iter().filter_map(std::env::var_os).map(PathBuf::from) {
        redactor.folder(&home, "~");
        // Most often it is called as its user is.
        redactor.word(&home.file_name().unwrap_or_default().to_string_lossy(), "<user>");
    }
}

/// The same line without what tells about its user.
pub(super) fn redacted(redactor: &Redactor, line: Line) -> Line {
    let clean = |text: String| redactor.redact(&text);
    match line {
        Line::Finding(line) => Line::Finding(FindingLine {
            about: clean(line.about),
            finding: clean(line.finding),
            fix: line.fix.map(clean),
            health: None,
            ..line
        }),
        Line::Confinement(line) => Line::Confinement(ConfinementLine {
            detail: clean(line.detail),
            plugin: clean(line.plugin),
            ..line
        }),
        Line::Checked(line) => Line::Checked(CheckedLine {
            plugin: clean(line.plugin),
            version: clean(line.version),
            signed_by: if matches!(line.signed_by.as_str(), "bitboot" | "nobody" | "") {
                line.signed_by
            } else {
                "somebody".into()
            },
            sha256: line.sha256.map(|hash| hash.chars().take(DIGITS).collect()),
            ..line
        }),
        other => other,
    }
}

/// All lines as a text.
pub(super) fn text(lines: &[Line]) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let head = format!("bitboot doctor --report: {} {}", std::env::consts::OS, kernel.trim());
    let lines = lines.iter().filter_map(|line| match line {
        Line::Finding(FindingLine { about, verdict, finding, fix, .. }) => {
            let fix = fix.as_ref().map(|fix| format!("\n         fix: {}", escape(fix))).unwrap_or_default();
            Some(format!("{verdict:<8} {}: {}{fix}", escape(about), escape(finding)))
        }
        Line::Confinement(line) => {
            let about = format!("{} {} {}", line.plugin, line.what, line.state);
            Some(format!("confined {}: {}", escape(&about), escape(&line.detail)))
        }
        Line::Checked(line) => {
            let (api, hash) = (line.api.map(|api| api.to_string()), line.sha256.clone());
            let cells = [
                ("", Some(line.plugin.clone())),
                ("", Some(line.version.clone())),
                ("", Some(line.state.clone())),
                ("API ", api),
                ("", Some(line.isolation.clone())),
                ("signed by ", Some(line.signed_by.clone())),
                ("sha-256 ", hash),
            ];
            let known = cells.into_iter().filter_map(|(name, cell)| Some((name, cell?)));
            let known = known.filter(|(_, cell)| !cell.is_empty());
            let cells: Vec<_> = known.map(|(name, cell)| format!("{name}{}", escape(&cell))).collect();
            Some(format!("plugin   {}", cells.join(", ")))
        }
        _ => None,
    });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}
