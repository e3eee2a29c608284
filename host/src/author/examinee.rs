//! The process that puts a plugin to the contract: it has that plugin in it, so it may crash, hang or end at any moment.

use std::fs::File;
use std::io::BufRead;
use std::time::Duration;

use bitboot_conformance::{Driver, OPENS, Outcome, Subject, Suite, unknown};
use bitboot_plugin_api::ffi::outside::Library;
use serde_json::{Map, Value};
use toml_edit::Table;

use super::job::{Job, Said};
use crate::error::{Error, Kind, Result};
use crate::output::divert_stdout;
use crate::registry::{Assignment, assign};

/// The longest line that a job is.
const MAX_JOB: u64 = 1 << 20;

/// Reads the job on standard input, puts the plugin to its clauses, and says what comes of it.
pub(crate) async fn sit(say: impl Fn(&Said) -> Result<()>) -> Result<()> {
    let job = job()?;
    limit_memory();
    // From here on the plugin's words on standard output are seen, and nobody else's are there.
    let printed = File::options().append(true).open(&job.printed);
    divert_stdout(&printed.map_err(|error| Error::file("open", &job.printed, &error))?);
    say(&Said::Begun(OPENS.into()))?;
    let subject = match subject(&job).await {
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
    let job = job.ok_or_else(|| {
        Error::new(Kind::Usage, "there is no job on the standard input")
            .fix("this is for: bitboot plugin test")
    })?;
    // Whoever started this process is gone when its end of the pipe is: then nobody wants to know, whatever the plugin does.
    std::thread::spawn(|| {
        let mut rest = String::new();
        while std::io::stdin().lock().read_line(&mut rest).is_ok_and(|count| count > 0) {
            rest.clear();
        }
        std::process::abort();
    });
    Ok(job)
}

/// Takes the whole machine from nobody.
fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        const MOST: u64 = 4 << 30;
        // What the system does not let us do it does not do for others either.
        let _ = setrlimit(Resource::As, Rlimit { current: Some(MOST), maximum: Some(MOST) });
    }
}

/// The kind as its crate and the command say that it is tested; or what is broken before that can be known.
async fn subject(job: &Job) -> Result<Result<Subject, String>> {
    let wrong = |error: bitboot_plugin_api::Error| {
        let mut told = Error::new(Kind::Config, error.message);
        (told.why, told.fix) = (error.why, error.fix);
        told
    };
    let subject = match &job.folder {
        Some(folder) => Subject::of_crate(folder, &job.kind, &job.temp).map_err(wrong)?,
        None => Subject::new(&job.kind, Value::Object(Map::new())),
    };
    if let Some(stray) = unknown(&subject) {
        return Err(Error::new(Kind::Config, format!("conformance.toml: {stray}")));
    }
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
