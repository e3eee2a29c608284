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
    let rest = cannot(asks);
    if !rest.is_empty() {
        talk.say(&format!("  it then cannot   {}", rest.join(", ")));
    }
}

/// What a plugin asks for, in words.
pub(in crate::cli) fn words(asks: &Asks) -> Vec<String> {
    let network = asks.network.then(|| "the network".to_owned());
    let listen = asks.listen.then(|| "connections from others, once you grant them".to_owned());
    let keys = asks.keys.iter().map(|kind| format!("signing with {kind} keys that you grant"));
    let spending = spends(asks).then(|| "spending with them, up to your limits".to_owned());
    let files = asks.files.iter().map(|file| format!("files: {file}"));
    let reads = asks.reads.iter().map(|what| format!("reading: {what}"));
    network.into_iter().chain(listen).chain(keys).chain(spending).chain(files).chain(reads).collect()
}

/// What a plugin cannot do that does not ask for it, as far as the system can confine it.
fn cannot(asks: &Asks) -> Vec<&'static str> {
    let all = [
        (asks.network, "use the network"),
        (asks.listen, "wait for connections from others"),
        (!asks.keys.is_empty(), "sign with your keys"),
        (spends(asks), "spend anything"),
        (!asks.files.is_empty(), "read or write files of yours"),
    ];
    all.into_iter().filter(|(asked, _)| !asked).map(|(_, what)| what).collect()
}

/// One that wants keys and does not say spends with them.
fn spends(asks: &Asks) -> bool {
    asks.spending.unwrap_or(!asks.keys.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_for_is_told_and_the_rest_is_what_it_cannot_do() {
        let nothing = Asks::default();
        assert_eq!((words(&nothing).len(), cannot(&nothing).len()), (0, 5));
        let signs = Asks { keys: vec!["rsa4096".into()], spending: Some(false), ..Asks::default() };
        assert_eq!(words(&signs), ["signing with rsa4096 keys that you grant"]);
        assert!(
            cannot(&signs).contains(&"spend anything") && !cannot(&signs).contains(&"sign with your keys")
        );
        let files = vec!["config.folder".into()];
        let all = Asks { network: true, listen: true, spending: None, files, ..signs };
        assert_eq!((words(&all).len(), cannot(&all).len()), (5, 0));
    }
}
