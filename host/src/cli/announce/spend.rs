use crate::amount::Amount;
use crate::cli::context::Context;
use crate::client::{AnnounceOptions, Bitboot, Purpose, Quoted, Spend};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::output::{Line, QuoteLine};

/// What may be spent.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct Spending {
    /// Tell what it would cost, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Spend at most this on each thing that is paid for, such as '0.002 TOL'; once for each unit
    #[arg(long, value_name = "AMOUNT")]
    max_fee: Vec<Amount>,
    /// Do not ask; wants --max-fee, or a limit in the policy of the key
    #[arg(long)]
    yes: bool,
}

/// What came of asking.
#[derive(Debug, Default)]
pub(in crate::cli) struct Settled {
    pub(in crate::cli) spend: Vec<Spend>,
    /// Network, backend and why it is not told: it did not say what it costs, or cannot be paid.
    pub(in crate::cli) refused: Vec<(String, String, Error)>,
}

impl Spending {
    /// Asks backends that cost something what they cost, and a person whether to go on. `false` when nothing is to be done.
    pub(super) async fn agree(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        networks: &[Network],
        options: &mut AnnounceOptions,
    ) -> Result<bool> {
        let mut quoted = Vec::new();
        for network in networks {
            quoted.extend(bitboot.quote(network, options).await?);
        }
        match self.settle(context, bitboot, quoted)? {
            Some(settled) => {
                options.spend.extend(settled.spend);
                options.refused.extend(settled.refused);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Shows what backends want and asks a person; `None` when nothing is to be done.
    pub(in crate::cli) fn settle(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        quoted: Vec<Quoted>,
    ) -> Result<Option<Settled>> {
        for quoted in &quoted {
            if let Ok(quote) = &quoted.quote
                && (self.dry_run || quote.is_some())
            {
                let (network, action) = (quoted.purpose.network(), quoted.purpose.action());
                let quote = quote.clone().unwrap_or_default();
                let line = QuoteLine::new(network, action, &quoted.backend, quote);
                if self.dry_run {
                    context.print(&Line::Quote(line))?;
                } else {
                    context.screen.talk().say(&line.sentence());
                }
            }
        }
        if self.dry_run {
            if let Some(failed) = quoted.into_iter().find_map(|quoted| quoted.fee().err()) {
                context.screen.talk().say("nothing was done");
                return Err(failed);
            }
            context.screen.talk().say("nothing was done; what is not listed costs nothing");
            return Ok(None);
        }
        let mut settled = Settled::default();
        for quoted in quoted {
            match (self.accept(context, bitboot, &quoted)?, quoted.purpose) {
                (Ok(spend), _) => settled.spend.extend(spend),
                (Err(error), Purpose::Network(network)) => {
                    settled.refused.push((network, quoted.backend, error));
                }
                (Err(error), Purpose::Action(_)) => return Err(error),
            }
        }
        Ok(Some(settled))
    }

    /// What is spent on one backend; `None` where it is free. That backend has failed where it asks for what nobody could agree to, or where it
    /// cannot be paid; nothing is done at all where somebody does not agree.
    fn accept(&self, context: &Context, bitboot: &Bitboot, quoted: &Quoted) -> Result<Result<Option<Spend>>> {
        let fee = match quoted.fee() {
            Ok(Some(fee)) => fee,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let limits = self.limits(context, bitboot, quoted, fee)?;
        let spend = quoted.agree(&limits)?;
        // Now, while a person may still be asked for a passphrase.
        let unlocked = if limits.is_empty() { Ok(()) } else { bitboot.unlock(&quoted.backend) };
        Ok(unlocked.map(|()| spend))
    }

    /// Whether nothing was said about spending.
    pub(in crate::cli) fn is_silent(&self) -> bool {
        !self.dry_run && !self.yes && self.max_fee.is_empty()
    }

    /// How much may be spent: what was said, else the policy's limit, else what a person says now.
    fn limits(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        quoted: &Quoted,
        fee: Amount,
    ) -> Result<Vec<Amount>> {
        if !self.max_fee.is_empty() && !self.max_fee.iter().any(|limit| fee.is_within(limit)) {
            return Ok(self.max_fee.clone());
        }
        if !self.yes {
            // What is refused anyway is not asked about.
            quoted.agree(std::slice::from_ref(&fee))?;
            let question = format!("spend {fee} on {} on \"{}\"?", quoted.purpose, quoted.backend);
            if context.is_answered() && context.screen.talk().confirm(&question) {
                return Ok(vec![fee]);
            }
            let error = Error::new(
                Kind::NeedsHuman,
                format!("spending {fee} on \"{}\" was not confirmed", quoted.backend),
            );
            return Err(error.fix(format!("where nobody can be asked: --yes --max-fee '{fee}'")));
        }
        if !self.max_fee.is_empty() {
            return Ok(self.max_fee.clone());
        }
        let limits = bitboot.limits(&quoted.backend)?;
        if limits.is_empty() {
            let error = Error::new(Kind::NeedsHuman, "--yes alone would spend without a limit");
            return Err(error.fix(format!("say one: --max-fee '{fee}'")));
        }
        Ok(limits)
    }

    /// The command that does the same without asking.
    pub(super) fn again(options: &AnnounceOptions) -> Option<String> {
        options.spend.first()?;
        let mut words: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        if !words.iter().any(|word| word == "--yes") {
            words.push("--yes".into());
        }
        if !words.iter().any(|word| word.starts_with("--max-fee")) {
            words
                .extend(options.spend.iter().flat_map(|spend| ["--max-fee".into(), spend.fee().to_string()]));
        }
        let words = words.iter().skip(1).map(String::as_str);
        shlex::try_join(std::iter::once("bitboot").chain(words)).ok()
    }
}
