//! The process that puts a plugin to the contract: it has that plugin in it, so it may crash, hang or end at any moment.

use std::fs::File;
use std::io::BufRead;
use std::time::Duration;

use bitboot_conformance::{Driver, OPENS, Outcome, Subject, Suite};
use bitboot_plugin_api::ffi::outside::Library;
use serde_json::{Map, Value};
use toml_edit::Table;

use super::asking::{Asking, Say};
use super::job::{Job, Said};
use crate::error::{Error, Kind, Result};
use crate::loader::{granted, make_folders};
use crate::output::divert_stdout;
use crate::registry::{Assignment, Grants, assign};
use crate::worker;

/// The longest line that a job is.
const MAX_JOB: u64 = 1 << 20;

/// Reads the job on standard input, puts the plugin to its clauses, and says what comes of it.
pub(crate) async fn sit(say: Say) -> Result<()> {
    let job = job()?;
    let printed = File::options().append(true).open(&job.printed);
    let printed = printed.map_err(|error| Error::file("open", &job.printed, &error))?;
    let subject = match job.subject().and_then(|subject| confine(&job).map(|()| subject)) {
        Ok(subject) => subject,
        Err(error) => return say(&Said::Unready(error.into())),
    };
    let subject = subject.with_outside(Asking::begin(Say::clone(&say)));
    // From here on the plugin's words on standard output are seen, and nobody else's are there.
    divert_stdout(&printed);
    say(&Said::Begun(OPENS.into()))?;
    let subject = match with_settings(&job, subject).await {
        Ok(Ok(subject)) => subject,
        Ok(Err(broken)) => return say(&Said::Told(OPENS.into(), Outcome::Broken(broken))),
        Err(error) => return say(&Said::Unready(error.into())),
    };
    let suite = match Suite::open(&job.library, &subject).await {
        Ok(suite) => suite,
        Err(verdict) => return say(&Said::Told(verdict.clause.into(), verdict.outcome)),
    };
    say(&Said::Told(OPENS.into(), Outcome::Kept))?;
    for clause in &job.clauses {
        say(&Said::Begun(clause.clone()))?;
        if let Some(verdict) = suite.put(clause).await {
            say(&Said::Told(clause.clone(), verdict.outcome))?;
        }
    }
    say(&Said::Ended)
}

fn job() -> Result<Job> {
    let mut line = String::new();
    let read = std::io::Read::take(std::io::stdin().lock(), MAX_JOB).read_line(&mut line);
    let job = read.ok().and_then(|_| serde_json::from_str(&line).ok());
    job.ok_or_else(|| {
        Error::new(Kind::Usage, "there is no job on the standard input")
            .fix("this is for: bitboot plugin test")
    })
}

/// Confines this process as a user's worker is that grants all that the manifest asks for, so that what a plugin forgets to ask for fails
/// here first.
fn confine(job: &Job) -> Result<()> {
    let configs = job.as_typed()?.configs().map(Clone::clone);
    let all = Grants { listen: Some(true), ..Grants::default() };
    let mut confine = granted(&job.asks, &all, None, &configs);
    make_folders(&confine);
    confine.files.push(job.temp.clone());
    // Where the suite counts what a plugin leaves behind.
    #[cfg(target_os = "linux")]
    confine.files.extend(["/proc/self/task", "/proc/self/fd"].map(Into::into));
    worker::confine(&confine, &job.library)
        .map(drop)
        .map_err(|error| Error::new(Kind::Other, "the process of the test cannot be confined").because(error))
}

/// With the settings of the command; or what is broken before they can be understood.
async fn with_settings(job: &Job, subject: Subject) -> Result<Result<Subject, String>> {
    let settings = if job.settings.is_empty() {
        Map::new()
    } else {
        match schema(job).await {
            Ok(schema) => settings(job, &schema)?,
            Err(broken) => return Ok(Err(broken)),
        }
    };
    let subject = subject.with_settings(&settings, &job.temp).with_seed(job.seed);
    let patience = job.patience_ms.map(Duration::from_millis);
    Ok(Ok(match patience {
        Some(patience) => subject.with_patience(patience),
        None => subject,
    }))
}

async fn schema(job: &Job) -> Result<Value, String> {
    let library = Library::open(&job.library).map_err(|refusal| refusal.to_string())?;
    let kind = Driver::create(&library, &job.kind).map_err(|error| error.to_string())?;
    kind.describe().await.map(|described| described.schema).map_err(|error| error.to_string())
}

fn settings(job: &Job, schema: &Value) -> Result<Map<String, Value>> {
    let typed = job.settings.iter().cloned().map(|(key, value)| Assignment { key, value });
    let mut table = Table::new();
    assign(&mut table, &typed.collect::<Vec<_>>(), schema)?;
    toml::from_str(&table.to_string())
        .map_err(|error| Error::new(Kind::Config, "the settings do not fit").because(error.message()))
}
