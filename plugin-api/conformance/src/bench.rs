use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use bitboot_plugin_api::ffi::outside::Library;
use bitboot_plugin_api::{Caps, Error, ErrorKind, Locator, Query, Result, Stores};
use tokio::time::sleep;

use crate::check::{Broken, Told};
use crate::sample::Sample;
use crate::{Driver, Finds, Subject};

/// What the clauses work with: a plugin, two backends of it on one medium, and what the medium can do.
pub(crate) struct Bench {
    pub(crate) library: Library,
    pub(crate) subject: Subject,
    pub(crate) caps: Caps,
    pub(crate) one: Driver,
    pub(crate) two: Driver,
}

/// The deadline of a lookup that is meant to end well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Between two looks at whether something has come.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

impl Bench {
    pub(crate) async fn set(plugin: &Path, subject: &Subject) -> Told<Self> {
        let library = Library::open(plugin).map_err(|refusal| Broken::new(refusal.to_string()))?;
        let one = Driver::with_keys(&library, &subject.kind, subject.keys.clone())?;
        one.configure(&subject.config).await?;
        let two = Driver::with_keys(&library, &subject.kind, subject.keys.clone())?;
        two.configure(&subject.second).await?;
        Ok(Self { library, subject: subject.clone(), caps: one.caps().await?, one, two })
    }

    /// One more backend of the kind, not yet opened.
    pub(crate) fn create(&self) -> Result<Driver> {
        Driver::with_keys(&self.library, &self.subject.kind, self.subject.keys.clone())
    }

    /// Whether anything can be announced at all.
    pub(crate) fn publishes(&self) -> bool {
        self.caps.stores != Stores::Directory
    }

    /// Whether several announcements can lie under one locator.
    pub(crate) fn keeps_many(&self) -> bool {
        self.publishes() && !matches!(self.caps.stores, Stores::Register | Stores::CasRegister)
    }

    /// A number of things to announce, each another, of a kind that the medium carries.
    pub(crate) fn samples(&self, count: u8) -> impl Iterator<Item = Sample> {
        (1..=count).map(|number| Sample::new(&self.caps, number))
    }

    /// Announces by the one backend, and waits until the other finds it.
    pub(crate) async fn plant(&self, locator: &Locator, samples: impl Iterator<Item = Sample>) -> Told {
        for sample in samples {
            self.one.announce(&sample.announcement(locator)).await?;
            self.until(locator, &format!("{sample} is found"), |finds| sample.is_in(finds)).await?;
        }
        Ok(())
    }

    /// Looks up by the second backend, again and again, until it finds what it should.
    pub(crate) async fn until(
        &self,
        locator: &Locator,
        what: &str,
        found: impl Fn(&Finds) -> bool,
    ) -> Told<Finds> {
        let start = Instant::now();
        loop {
            let finds = self.two.lookup(&Query::new(locator.clone()), DEADLINE).await;
            if finds.outcome.is_ok() && found(&finds) {
                return Ok(finds);
            }
            if start.elapsed() > self.subject.patience {
                return Err(Broken::new(format!("not within {:?}: {what}; {finds:?}", start.elapsed())));
            }
            sleep(PAUSE).await;
        }
    }
}

/// A locator that nobody has announced under before: 20 bytes by chance.
pub(crate) fn fresh() -> Locator {
    locator_of(20).unwrap_or_else(|| unreachable!("20 bytes are a locator"))
}

/// A locator of so many bytes by chance.
pub(crate) fn locator_of(length: usize) -> Option<Locator> {
    let bytes = std::iter::repeat_with(|| RandomState::new().hash_one(length)).flat_map(u64::to_le_bytes);
    Locator::new(&bytes.take(length).collect::<Vec<_>>())
}

/// That a call failed, and in the right way.
pub(crate) fn fails<T: std::fmt::Debug>(outcome: Result<T>, kinds: &[ErrorKind], what: &str) -> Told<Error> {
    match outcome {
        Err(error) if kinds.contains(&error.kind) => Ok(error),
        Err(error) => Err(Broken::new(format!("{what} is {:?}, not one of {kinds:?}: {error}", error.kind))),
        Ok(answer) => Err(Broken::new(format!("{what} is answered with {answer:?}, not with an error"))),
    }
}
