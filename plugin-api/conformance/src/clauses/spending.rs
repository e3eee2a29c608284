//! What a backend that costs something says before, and what it does then.

use bitboot_plugin_api::{Receipt, Scheme, SignRequest};

use super::identity;
use crate::bench::{Bench, fresh};
use crate::check::{Broken, Told, ensure};
use crate::sample::Sample;

/// The conformance suite announces a hundred times: on a medium where that costs real money nobody would want it.
pub(super) async fn suite_runs_where_nothing_is_lost(bench: &Bench) -> Told {
    if !bench.caps.paid {
        return Ok(());
    }
    let quote = bench.one.quote(&Sample::new(&bench.caps, 1).announcement(&fresh())).await?;
    ensure(quote.test_network, || "the quote does not say that the test's medium is a test network".into())
}

/// Fees told when signing and in the receipt stay within the quoted fee, and signatures within the quoted number.
pub(super) async fn quote_covers_what_is_signed(bench: &Bench) -> Told {
    if !bench.publishes() {
        return Ok(());
    }
    let announcement = Sample::new(&bench.caps, 1).announcement(&fresh());
    let quote = bench.one.quote(&announcement).await?;
    let before = bench.one.desk().asked().len();
    let receipt = bench.one.announce(&announcement).await?;
    let asked = bench.one.desk().asked().split_off(before);
    let Some(most) = quote.fee.as_deref().map(amount).transpose()? else { return free(&asked, &receipt) };
    let signatures = quote.signatures.unwrap_or(1) as usize;
    ensure(asked.len() <= signatures, || {
        format!("it quotes {signatures} signatures and asks for {}", asked.len())
    })?;
    let (mut left, unit) = most;
    for request in &asked {
        // Whoever does not tell spends all that was agreed to.
        let (spends, its) = request.fee.as_deref().map_or(Ok((left, unit)), amount)?;
        ensure(its == unit, || format!("it quotes {unit} and spends {its}"))?;
        left = left.checked_sub(spends).ok_or_else(|| {
            Broken::new(format!("it quotes {:?} and signs away more: {:?}", quote.fee, request.fee))
        })?;
        ensure(!request.purpose.is_empty(), || "it does not say what a signature is for (`purpose`)".into())?;
    }
    let Some(paid) = receipt.fee.as_deref() else { return Ok(()) };
    let (paid, its) = amount(paid)?;
    ensure(its == unit && paid <= most.0, || {
        format!("it quotes {:?}, and the receipt says {:?}", quote.fee, receipt.fee)
    })
}

fn free(asked: &[SignRequest], receipt: &Receipt) -> Told {
    let fees = asked.iter().map(|request| request.fee.as_deref()).chain([receipt.fee.as_deref()]);
    for fee in fees.flatten() {
        let (spends, _) = amount(fee)?;
        ensure(spends == 0, || format!("its quote is free, and it spends {fee}"))?;
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

/// An amount in units of 10^-18, and its unit.
fn amount(text: &str) -> Told<(u128, &str)> {
    let at = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..at].trim(), &text[at..]);
    let (whole, places) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !whole.is_empty() && digits(whole) && digits(places) && places.len() <= 18 && !unit.is_empty();
    let atto = fits.then(|| format!("{whole}{places:0<18}").parse().ok()).flatten();
    atto.map(|atto| (atto, unit))
        .ok_or_else(|| Broken::new(format!("\"{text}\" is no amount such as `0.00001 BTC`")))
}
