//! What a backend that costs something says before, and what it does then.

use bitboot_plugin_api::{Receipt, Scheme, SignRequest, Stores};

use super::identity;
use crate::amount::Amount;
use crate::bench::{Bench, NOTHING_PUBLISHED};
use crate::check::{Told, Unkept, ensure, idle};
use crate::sample::Sample;

/// Why there is nothing to see.
const FREE: &str = "announcing is free";

pub(super) async fn quote_is_given(bench: &Bench) -> Told {
    if !bench.publishes() {
        return idle(NOTHING_PUBLISHED);
    }
    let quote = bench.one.quote(&Sample::new(&bench.caps, 1).announcement(&bench.fresh())).await?;
    ensure(quote.fee.is_some() == bench.caps.paid, || {
        format!("caps say paid = {}, the quote says a fee of {:?}", bench.caps.paid, quote.fee)
    })?;
    let register = matches!(bench.caps.stores, Stores::Register | Stores::CasRegister);
    ensure(!bench.caps.paid || register || !quote.readers.is_empty(), || {
        "it costs money, and does not say who can read it (`readers`)".into()
    })
}

/// The conformance suite announces a hundred times: on a medium where that costs real money nobody would want it.
pub(super) async fn suite_runs_where_nothing_is_lost(bench: &Bench) -> Told {
    if !bench.caps.paid {
        return idle(FREE);
    }
    let quote = bench.one.quote(&Sample::new(&bench.caps, 1).announcement(&bench.fresh())).await?;
    ensure(quote.test_network, || "the quote does not say that the test's medium is a test network".into())
}

/// Fees told when signing and in the receipt stay within the quoted fee, and signatures within the quoted number.
pub(super) async fn quote_covers_the_cost(bench: &Bench) -> Told {
    if !bench.publishes() {
        return idle(NOTHING_PUBLISHED);
    }
    let announcement = Sample::new(&bench.caps, 1).announcement(&bench.fresh());
    let quote = bench.one.quote(&announcement).await?;
    let before = bench.one.desk().asked().len();
    let receipt = bench.one.announce(&announcement).await?;
    let asked = bench.one.desk().asked().split_off(before);
    let Some(quoted) = quote.fee.as_deref() else { return costs_nothing(&asked, &receipt) };
    let quoted = amount("the quote", quoted)?;
    let signatures = quote.signatures.unwrap_or(1) as usize;
    ensure(asked.len() <= signatures, || {
        format!("it quotes {signatures} signatures and asks for {}", asked.len())
    })?;
    let mut spent: Option<Amount> = None;
    for request in &asked {
        ensure(!request.purpose.is_empty(), || "it does not say what a signature is for (`purpose`)".into())?;
        // Whoever does not tell spends all that was agreed to.
        let fee = request.fee.as_deref().map_or(Ok(quoted.clone()), |fee| amount("a signature", fee))?;
        let sum = spent.map_or(Some(fee.clone()), |before| before.plus(&fee));
        spent = Some(sum.ok_or_else(|| Unkept::broken(format!("signatures of other units: {fee}")))?);
    }
    let billed = receipt.fee.as_deref().map(|fee| amount("the receipt", fee)).transpose()?;
    for cost in spent.iter().chain(&billed) {
        ensure(cost.is_within(&quoted), || format!("it quotes {quoted} and takes {cost}"))?;
    }
    Ok(())
}

fn costs_nothing(asked: &[SignRequest], receipt: &Receipt) -> Told {
    let fees = asked.iter().map(|request| request.fee.as_deref()).chain([receipt.fee.as_deref()]);
    for fee in fees.flatten() {
        let spends = amount("a signature", fee)?;
        ensure(spends.is_nothing(), || format!("its quote is free, and it spends {fee}"))?;
    }
    Ok(())
}

/// A host refuses signatures of a kind that `plugin.toml` does not ask for.
pub(super) async fn manifest_asks_for_the_keys_that_sign(bench: &Bench) -> Told {
    let keys = identity::manifest(bench)?.asks.keys;
    for request in bench.one.desk().asked() {
        let kind = match request.scheme {
            Scheme::EcdsaDer | Scheme::EcdsaRecoverable | Scheme::Bip340 => "secp256k1",
            Scheme::Ed25519 => "ed25519",
            Scheme::RsaPssSha256 => "rsa4096",
            _ => continue,
        };
        ensure(keys.iter().any(|key| key == kind), || {
            format!("it signs with a {kind} key, which `asks.keys` of plugin.toml does not have")
        })?;
    }
    Ok(())
}

fn amount(of: &str, fee: &str) -> Told<Amount> {
    Amount::read(fee)
        .ok_or_else(|| Unkept::broken(format!("{of} tells a fee of `{fee}`, not one as in `0.002 TOL`")))
}
