use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bitboot_conformance::Outcome;
use clap_complete::ArgValueCompleter;

use crate::author::{Crate, Job, Trial, build, clauses};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;
use crate::cli::{complete, values};
use crate::error::{Error, Kind, Result};
use crate::loader::{Manifest, manifest_of, refused};
use crate::output::{ClauseLine, Line, Mode, TestedLine, millis};
use crate::registry::{Assignment, nearest};

/// Hold a plugin to the contract, from outside
///
/// Each clause is put in another process: a plugin that crashes, hangs or ends its process breaks that clause, and the next one gets a new
/// process, confined as at users': what the manifest does not ask for is refused. How a kind is set up stands in `conformance.toml` beside
/// `plugin.toml`; in a setting, {temp} stands for an empty folder. What the manifest lists under `reads` is read by the command, as it is by the
/// host; a noise that is a command is run by it too, not confined: `conformance.toml` runs programs as a test does, so read that of a stranger first.
/// Ends with 0 when every clause is kept, with 6 when one is broken.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder of its crate, which is built, or its library
    #[arg(value_name = "FOLDER|LIBRARY", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// Only this kind of backend [default: all that the manifest offers]
    #[arg(long)]
    kind: Option<String>,
    /// Only these clauses
    #[arg(long, value_name = "CLAUSE", value_delimiter = ',', value_parser = clause, add = ArgValueCompleter::new(complete::clauses))]
    only: Vec<String>,
    /// A setting of the backend
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Assignment>,
    /// Draw by chance what was drawn then: locators, odd values, moments
    #[arg(long, value_name = "SEED")]
    reproduce: Option<u64>,
    /// Within which time the medium has to show what was announced [default: 15s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    patience: Option<Duration>,
    /// Build and test the release profile
    #[arg(long)]
    release: bool,
}

/// The longest that a clause may take, where `--timeout` says nothing else: a little more than the suite's own.
const LONGEST: Duration = Duration::from_secs(190);

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let mut signals = Signals::new();
        let tested = async {
            let quiet = context.screen.mode == Mode::Json || context.screen.talk().is_quiet();
            let built = build(&self.path, self.release, quiet).await?;
            let manifest = manifest_of(&built.library).map_err(|refusal| Error {
                fix: Some("see what a plugin has: bitboot plugin new NAME".into()),
                ..refused(&built.library.display().to_string(), &built.library, &refusal)
            })?;
            self.put(context, &built, &manifest).await
        };
        // The other process ends with the future that waits for it.
        tokio::select! {
            biased;
            exit = signals.stopped() => Ok(exit),
            tested = tested => tested,
        }
    }

    async fn put(&self, context: &Context, built: &Crate, manifest: &Manifest) -> Result<Exit> {
        let seed = self.reproduce.unwrap_or_else(|| fastrand::u64(..1 << 32));
        let mut broken = 0;
        for kind in self.kinds(manifest)? {
            let temp = tempfile::tempdir()
                .map_err(|error| Error::file("make a folder in", &std::env::temp_dir(), &error))?;
            let job = self.job(built, manifest, kind, seed, temp.path())?;
            let tested = self.put_kind(context, manifest, job).await?;
            broken += tested.broken;
            context.finish()?;
            context.screen.talk().say(&format!(
                "kind \"{kind}\": {} kept, {} not judged, {} broken",
                tested.kept, tested.not_judged, tested.broken
            ));
            context.print(&Line::Tested(tested))?;
        }
        if broken == 0 {
            return Ok(Exit::OK);
        }
        let what = format!("plugin \"{}\" breaks {broken} clauses of the contract", manifest.name);
        let what = if broken == 1 { what.replace("clauses", "clause") } else { what };
        Err(Error::new(Kind::Plugin, what)
            .fix(format!("the same again: bitboot plugin test {} --reproduce {seed}", self.path.display())))
    }

    async fn put_kind(&self, context: &Context, manifest: &Manifest, job: Job) -> Result<TestedLine> {
        let (talk, start, total) = (context.screen.talk(), Instant::now(), job.clauses.len() as u64);
        let (plugin, kind, seed) = (manifest.name.clone(), job.kind.clone(), job.seed);
        let mut tested = TestedLine { plugin, kind, kept: 0, not_judged: 0, broken: 0, seed, took_ms: 0 };
        let mut trial = Trial::new(job, context.timeout(LONGEST))?;
        let mut done = 0;
        while let Some(verdict) = trial.next(|clause| talk.progress(clause, done, total)).await? {
            done += 1;
            let (verdict_word, why) = match verdict.outcome {
                Outcome::Kept => ("kept", None),
                Outcome::Excepted(why) => ("excepted", Some(why)),
                Outcome::Broken(how) => ("broken", Some(how)),
                Outcome::NotApplicable(why) => ("not-applicable", Some(why)),
                // One that this build does not know is none that it was told to judge.
                _ => ("not-applicable", None),
            };
            let count = match verdict_word {
                "kept" => &mut tested.kept,
                "broken" => &mut tested.broken,
                _ => &mut tested.not_judged,
            };
            *count += 1;
            context.print(&Line::Clause(ClauseLine {
                plugin: tested.plugin.clone(),
                kind: tested.kind.clone(),
                clause: verdict.clause,
                verdict: verdict_word,
                why,
                took_ms: millis(verdict.took),
            }))?;
        }
        tested.took_ms = millis(start.elapsed());
        Ok(tested)
    }

    fn kinds<'a>(&'a self, manifest: &'a Manifest) -> Result<Vec<&'a str>> {
        let known = manifest.backends.iter().map(|offer| offer.kind.as_str());
        match self.kind.as_deref() {
            None => Ok(known.collect()),
            Some(kind) if known.clone().any(|offered| offered == kind) => Ok(vec![kind]),
            Some(kind) => {
                let what = format!("plugin \"{}\" has no kind of backend \"{kind}\"", manifest.name);
                let has = known.clone().collect::<Vec<_>>().join(", ");
                Err(Error::new(Kind::Usage, what).fix(match nearest(kind, known) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("it has: {has}"),
                }))
            }
        }
    }

    fn job(&self, built: &Crate, manifest: &Manifest, kind: &str, seed: u64, temp: &Path) -> Result<Job> {
        let printed = temp.join("printed");
        let medium = temp.join("medium");
        std::fs::write(&printed, "").map_err(|error| Error::file("write", &printed, &error))?;
        std::fs::create_dir(&medium).map_err(|error| Error::file("make the folder", &medium, &error))?;
        let all = clauses().map(ToOwned::to_owned);
        Ok(Job {
            library: built.library.clone(),
            plugin: manifest.name.clone(),
            kind: kind.to_owned(),
            asks: manifest.asks.clone(),
            folder: built.folder.clone(),
            temp: medium,
            printed,
            settings: self.config.iter().map(|set| (set.key.clone(), set.value.clone())).collect(),
            patience_ms: self.patience.map(millis),
            seed,
            clauses: if self.only.is_empty() { all.collect() } else { self.only.clone() },
        })
    }
}

fn clause(text: &str) -> Result<String, String> {
    if clauses().any(|known| known == text) {
        return Ok(text.to_owned());
    }
    Err(match nearest(text, clauses()) {
        Some(near) => format!("there is no such clause; did you mean {near}?"),
        None => format!("there is no such clause; known are: {}", clauses().collect::<Vec<_>>().join(", ")),
    })
}
