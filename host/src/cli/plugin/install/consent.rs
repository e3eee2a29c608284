//! What a person has to agree to: whose signature counts, and what a plugin may have.

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::install::{Lock, Publisher, PublisherKey, Trust, Verdict};
use crate::loader::Asks;

use super::Offer;

/// What was said on the command line.
#[derive(Debug, Default)]
pub(in crate::cli) struct Consent {
    /// A key that is known from elsewhere.
    pub(in crate::cli) trust: Option<PublisherKey>,
    pub(in crate::cli) yes: bool,
    /// The lock vouches for the key.
    pub(in crate::cli) locked: bool,
}

impl Consent {
    /// Whether what a publisher has signed may be used. The first time a person is asked; a key that changed is refused.
    pub(in crate::cli) fn publisher(&self, context: &Context, offer: &Offer) -> Result<()> {
        let Some(release) = &offer.release else { return Ok(()) };
        let Publisher { name, key } = &release.publisher;
        let paths = context.paths()?;
        if Trust::read(paths)?.judge(&release.name, key)? == Verdict::Known {
            return Ok(());
        }
        let vouched = self.locked
            && Lock::read(paths)?
                .get(&release.name, &release.version)
                .is_some_and(|known| known.publisher.as_ref() == Some(key));
        if vouched || self.trust.as_ref() == Some(key) {
            return Ok(());
        }
        if let Some(other) = &self.trust {
            return Err(Error::new(
                Kind::Integrity,
                format!("{} is not signed by the key that you named", release.name),
            )
            .at("changed-key")
            .because(format!("expected {other}, got {key}"))
            .fix("ask the publisher for its key, in another way than by the package"));
        }
        let talk = context.screen.talk();
        if context.is_answered() {
            talk.say(&format!(
                "{} {} is signed by a publisher that is new here:",
                release.name, release.version
            ));
            talk.say(&format!("  it calls itself  {name}"));
            talk.say(&format!("  its key          {key}"));
            talk.say(&format!("  it comes from    {}", offer.source));
            say_asks(context, &release.asks);
            if talk.confirm("trust this key from now on?") {
                return Ok(());
            }
        }
        Err(Error::new(Kind::NeedsHuman, format!("the publisher of {} is new here: {name}", release.name))
            .at("new-publisher")
            .because(format!("its key is {key}"))
            .fix(format!("if you know the key from elsewhere: bitboot trust add {key}")))
    }

    /// Whether a new version may have what the one before did not ask for.
    pub(in crate::cli) fn growth(
        &self,
        context: &Context,
        plugin: &str,
        before: &Asks,
        now: &Asks,
    ) -> Result<()> {
        let old = words(before);
        let more: Vec<_> = words(now).into_iter().filter(|ask| !old.contains(ask)).collect();
        if more.is_empty() || self.yes {
            return Ok(());
        }
        let question =
            format!("the new version of \"{plugin}\" asks for more: {}; is that in order?", more.join(", "));
        if context.is_answered() && context.screen.talk().confirm(&question) {
            return Ok(());
        }
        Err(Error::new(
            Kind::NeedsHuman,
            format!("the new version of \"{plugin}\" asks for more than the one before"),
        )
        .at("asks-more")
        .because(more.join(", "))
        .fix("if that is in order, the same again with --yes"))
    }
}

fn say_asks(context: &Context, asks: &Asks) {
    let talk = context.screen.talk();
    let all = words(asks);
    talk.say(&format!(
        "  it asks for      {}",
        if all.is_empty() { "nothing".into() } else { all.join(", ") }
    ));
    let mut rest = Vec::new();
    if !asks.network {
        rest.push("the network");
    }
    if asks.keys.is_empty() {
        rest.push("keys or spending");
    }
    if asks.files.is_empty() {
        rest.push("files of yours");
    }
    if !rest.is_empty() {
        talk.say(&format!("  and not for      {}", rest.join(", ")));
    }
}

/// What a plugin asks for, in words.
pub(in crate::cli) fn words(asks: &Asks) -> Vec<String> {
    let network = asks.network.then(|| "the network".to_owned());
    let keys = asks.keys.iter().map(|kind| format!("signing with {kind} keys that you grant"));
    let files = asks.files.iter().map(|file| format!("files: {file}"));
    let reads = asks.reads.iter().map(|what| format!("reading: {what}"));
    network.into_iter().chain(keys).chain(files).chain(reads).collect()
}
