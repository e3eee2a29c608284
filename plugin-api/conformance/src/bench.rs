use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use bitboot_plugin_api::ffi::outside::Library;
use bitboot_plugin_api::{Caps, Error, ErrorKind, Locator, Query, Result, Stores, Write};
use fastrand::Rng;
use tokio::time::sleep;

use crate::check::{Told, Unkept};
use crate::sample::Sample;
use crate::{Driver, Finds, Subject};

/// What the clauses work with: a plugin, two backends of it on one medium, and what the medium can do.
pub(crate) struct Bench {
    pub(crate) library: Library,
    pub(crate) subject: Subject,
    pub(crate) caps: Caps,
    pub(crate) one: Driver,
    pub(crate) two: Driver,
    /// What a clause draws by chance, the same for the same seed and clause.
    chance: RefCell<Rng>,
}

/// The deadline of a lookup that is meant to end well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is nothing to see of announcements.
pub(crate) const NOTHING_PUBLISHED: &str = "nothing is announced on this medium";

/// Why there is nothing to see of several announcements.
pub(crate) const ONE_AT_MOST: &str = "the medium keeps one announcement at most";

/// Between two looks at whether something has come.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

impl Bench {
    pub(crate) async fn set(plugin: &Path, subject: &Subject) -> Told<Self> {
        let library = Library::open(plugin).map_err(|refusal| Unkept::broken(refusal.to_string()))?;
        let create = || Driver::create_for(library, subject);
        let (one, two) = (create()?, create()?);
        one.configure(&subject.config).await?;
        two.configure(&subject.second).await?;
        let (caps, chance) = (one.caps().await?, RefCell::new(Rng::with_seed(subject.seed)));
        Ok(Self { library, subject: subject.clone(), caps, one, two, chance })
    }

    /// Lets what follows depend on the seed and the clause alone, whatever came before.
    pub(crate) fn begin(&self, clause: &str) {
        let seed = clause.bytes().fold(self.subject.seed, |seed, byte| seed.rotate_left(8) ^ u64::from(byte));
        self.chance.borrow_mut().seed(seed);
    }

    /// One of several, by chance.
    pub(crate) fn any<T: Clone>(&self, of: &[T]) -> T {
        of[self.chance.borrow_mut().usize(0..of.len())].clone()
    }

    /// Bytes by chance.
    pub(crate) fn bytes(&self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.chance.borrow_mut().fill(&mut bytes);
        bytes
    }

    /// A locator that nobody has announced under before: 20 bytes by chance.
    pub(crate) fn fresh(&self) -> Locator {
        self.locator_of(20).unwrap_or_else(|| unreachable!("20 bytes are a locator"))
    }

    /// A slot that nobody has used before.
    pub(crate) fn fresh_slot(&self) -> Locator {
        self.locator_of(Write::SLOT).unwrap_or_else(|| unreachable!("a slot is a locator"))
    }

    /// A locator of so many bytes by chance.
    pub(crate) fn locator_of(&self, length: usize) -> Option<Locator> {
        Locator::new(&self.bytes(length))
    }

    /// One more backend of the kind, not yet opened.
    pub(crate) fn create(&self) -> Result<Driver> {
        Driver::create_for(self.library, &self.subject)
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
                return Err(Unkept::broken(format!("not within {:?}: {what}; {finds:?}", start.elapsed())));
            }
            sleep(PAUSE).await;
        }
    }
}

/// That a call failed, and in the right way.
pub(crate) fn fails<T: std::fmt::Debug>(outcome: Result<T>, kinds: &[ErrorKind], what: &str) -> Told<Error> {
    match outcome {
        Err(error) if kinds.contains(&error.kind) => Ok(error),
        Err(error) => {
            Err(Unkept::broken(format!("{what} is {:?}, not one of {kinds:?}: {error}", error.kind)))
        }
        Ok(answer) => Err(Unkept::broken(format!("{what} is answered with {answer:?}, not with an error"))),
    }
}
