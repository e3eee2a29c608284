//! What it costs, told before and after.

use bitboot_plugin_api::Stores;

use crate::amount::Amount;
use crate::bench::{Bench, NOTHING_PUBLISHED};
use crate::check::{Told, Unkept, ensure, idle};
use crate::sample::Sample;

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

pub(super) async fn quote_covers_the_cost(bench: &Bench) -> Told {
    if !bench.caps.paid || !bench.publishes() {
        return idle("announcing is free");
    }
    let announcement = Sample::new(&bench.caps, 1).announcement(&bench.fresh());
    let quoted = bench.one.quote(&announcement).await?.fee;
    let quoted = amount("the quote", quoted.as_deref())?;
    let signed_before = bench.one.desk().signed().len();
    let receipt = bench.one.announce(&announcement).await?;
    let paid = amount("the receipt", receipt.fee.as_deref())?;
    ensure(paid.is_within(&quoted), || format!("it quoted {quoted} and took {paid}"))?;
    let mut signed: Option<Amount> = None;
    for request in bench.one.desk().signed().into_iter().skip(signed_before) {
        // The host counts a signature that tells no fee as all that was agreed to.
        let fee = request.fee.map_or_else(|| Ok(quoted.clone()), |fee| amount("a signature", Some(&fee)))?;
        let sum = signed.map_or(Some(fee.clone()), |before| before.plus(&fee));
        signed = Some(sum.ok_or_else(|| Unkept::broken(format!("signatures of other units: {fee}")))?);
    }
    ensure(signed.as_ref().is_none_or(|signed| signed.is_within(&quoted)), || {
        format!(
            "it quoted {quoted} and had {} signed",
            signed.map(|signed| signed.to_string()).unwrap_or_default()
        )
    })
}

fn amount(of: &str, fee: Option<&str>) -> Told<Amount> {
    let fee = fee.ok_or_else(|| Unkept::broken(format!("it costs money, and {of} tells no fee")))?;
    Amount::read(fee)
        .ok_or_else(|| Unkept::broken(format!("{of} tells a fee of `{fee}`, not one as in `0.002 TOL`")))
}
