//! Places that hold one value, which writers replace in turn.

use std::time::Instant;

use bitboot_plugin_api::{ErrorKind, Held, Locator, Query, Receipt, Write};
use tokio::time::sleep;

use crate::bench::{Bench, DEADLINE, PAUSE, fails};
use crate::check::{Told, Unkept, ensure, idle};
use crate::{Driver, Finds};

/// How many registers a host uses at once for one network of many writers.
const MANY: u8 = 32;

/// Why there is nothing to see.
const NO_REGISTERS: &str = "the medium has no registers";

pub(super) async fn registers_are_there_or_unsupported(bench: &Bench) -> Told {
    let slot = bench.fresh_slot();
    let Some(most) = bench.caps.register else {
        let read = bench.one.read(&Query::new(slot.clone()), DEADLINE).await.outcome;
        fails(read, &[ErrorKind::Unsupported], "reading a register, which caps deny")?;
        let write = bench.one.write(&Write::new(slot, [1])).await;
        return fails(write, &[ErrorKind::Unsupported], "writing a register, which caps deny").map(drop);
    };
    ensure(most > 0, || "registers of 0 bytes".into())?;
    let finds = bench.one.read(&Query::new(slot), DEADLINE).await;
    ensure(finds.held.is_empty(), || format!("an unused slot holds {finds:?}"))?;
    Ok(finds.outcome?)
}

pub(super) async fn written_register_is_read(bench: &Bench) -> Told {
    let Some(most) = size(bench) else { return idle(NO_REGISTERS) };
    // No text, and as long as can be.
    let values = [vec![0xff; most], (0..=255).cycle().take(most).collect(), vec![b'x']];
    for value in values {
        let slot = bench.fresh_slot();
        let receipt = bench.one.write(&Write::new(slot.clone(), value.clone())).await?;
        ensure(receipt.stored > 0 && receipt.asked >= receipt.stored, || {
            format!("its receipt is {receipt:?}")
        })?;
        let finds = until(bench, &slot, &value).await?;
        ensure(finds.held.iter().all(|held| held.value == value), || {
            format!("also other values: {finds:?}")
        })?;
    }
    Ok(())
}

pub(super) async fn registers_are_replaced_in_turn(bench: &Bench) -> Told {
    let Some(_) = bench.caps.register else { return idle(NO_REGISTERS) };
    let slot = bench.fresh_slot();
    let mut write = Write::new(slot.clone(), [0]);
    for turn in 0..4 {
        let writer = if turn % 2 == 0 { &bench.one } else { &bench.two };
        write.value = vec![turn; 40];
        writer.write(&write).await?;
        let finds = until(bench, &slot, &write.value).await?;
        let revision = newest(&finds);
        ensure(write.after.is_none_or(|before| before < revision), || {
            format!("revision {revision} after {:?}: {finds:?}", write.after)
        })?;
        let written = Held::new(write.value.clone(), revision);
        ensure(finds.held.contains(&written), || {
            format!("what was written last is not the newest: {finds:?}")
        })?;
        write = write.with_after(revision);
    }
    Ok(())
}

pub(super) async fn stale_write_replaces_nothing_newer(bench: &Bench) -> Told {
    let Some(_) = bench.caps.register else { return idle(NO_REGISTERS) };
    let slot = bench.fresh_slot();
    let write = |value: u8| Write::new(slot.clone(), vec![value; 40]);
    bench.one.write(&write(1)).await?;
    let first = newest(&until(bench, &slot, &[1; 40]).await?);
    bench.one.write(&write(2).with_after(first)).await?;
    let second = newest(&until(bench, &slot, &[2; 40]).await?);
    for (stale, writer) in [(write(3), &bench.one), (write(4).with_after(first), &bench.two)] {
        let outcome = writer.write(&stale).await;
        if outcome.is_err() {
            fails(outcome, &[ErrorKind::Conflict], "a stale write")?;
        }
        // Places that had missed the second value may have taken it, but none that has the second.
        let finds = until(bench, &slot, &[2; 40]).await?;
        ensure(newest(&finds) == second, || format!("it is newer than what it did not know of: {finds:?}"))?;
    }
    Ok(())
}

pub(super) async fn racing_writers_end_with_one_value(bench: &Bench) -> Told {
    let Some(_) = bench.caps.register else { return idle(NO_REGISTERS) };
    let slot = bench.fresh_slot();
    let write = |value: u8| Write::new(slot.clone(), vec![value; 40]);
    let race = [bench.one.write_stream(&write(1), DEADLINE), bench.two.write_stream(&write(2), DEADLINE)];
    for stream in race {
        let outcome = stream.finish::<Receipt>().await;
        if outcome.is_err() {
            fails(outcome, &[ErrorKind::Conflict], "a race")?;
        }
    }
    // Whatever came of it, who reads and then writes gets through.
    let start = Instant::now();
    loop {
        let finds = bench.one.read(&Query::new(slot.clone()), DEADLINE).await;
        ensure(!finds.held.is_empty(), || format!("nobody's value is there: {finds:?}"))?;
        match bench.one.write(&write(3).with_after(newest(&finds))).await {
            Err(error) if error.kind == ErrorKind::Conflict && start.elapsed() < bench.subject.patience => {}
            outcome => break outcome.map(drop)?,
        }
    }
    let finds = until(bench, &slot, &[3; 40]).await?;
    let is_newest = |held: &&Held| held.revision == newest(&finds);
    ensure(finds.held.iter().filter(is_newest).all(|held| held.value == [3; 40]), || {
        format!("it has {finds:?}")
    })
}

pub(super) async fn oversize_or_odd_register_is_refused(bench: &Bench) -> Told {
    let Some(most) = size(bench) else { return idle(NO_REGISTERS) };
    let refused = &[ErrorKind::Refused];
    let slot = bench.fresh_slot();
    let outcome = bench.one.write(&Write::new(slot.clone(), vec![1; most + 1])).await;
    fails(outcome, refused, "a value of one byte too many")?;
    let finds = bench.two.read(&Query::new(slot), DEADLINE).await;
    ensure(finds.held.is_empty(), || format!("and yet it holds {finds:?}"))?;
    for length in [1, 20, Write::SLOT - 1, Write::SLOT + 1, Locator::MAX] {
        let Some(odd) = bench.locator_of(length) else { continue };
        let read = bench.one.read(&Query::new(odd.clone()), DEADLINE).await.outcome;
        fails(read, refused, &format!("reading a slot of {length} bytes"))?;
        fails(
            bench.one.write(&Write::new(odd, [1])).await,
            refused,
            &format!("writing one of {length} bytes"),
        )?;
    }
    Ok(())
}

pub(super) async fn many_registers_work_at_once(bench: &Bench) -> Told {
    let Some(_) = bench.caps.register else { return idle(NO_REGISTERS) };
    let slots = (0..MANY).map(|number| (number, bench.fresh_slot())).collect::<Vec<_>>();
    let write = |(number, slot): &(u8, Locator)| {
        bench.one.write_stream(&Write::new(slot.clone(), vec![*number; 300]), 2 * DEADLINE)
    };
    for stream in slots.iter().map(write).collect::<Vec<_>>() {
        let receipt = stream.finish::<Receipt>().await?;
        ensure(receipt.stored > 0, || format!("{MANY} writes at once: one is stored nowhere"))?;
    }
    let read = |driver: &Driver, slot: &Locator| driver.read_stream(&Query::new(slot.clone()), 2 * DEADLINE);
    let streams = slots.iter().map(|(number, slot)| (*number, read(&bench.two, slot))).collect::<Vec<_>>();
    for (number, stream) in streams {
        let finds = stream.collect().await;
        let is_right = |held: &Held| held.value == [number; 300];
        ensure(!finds.held.is_empty() && finds.held.iter().all(is_right) && finds.outcome.is_ok(), || {
            format!("{MANY} reads at once: register {number} has {finds:?}")
        })?;
    }
    Ok(())
}

/// Reads by the second backend, again and again, until some place holds a value.
async fn until(bench: &Bench, slot: &Locator, value: &[u8]) -> Told<Finds> {
    let start = Instant::now();
    loop {
        let finds = bench.two.read(&Query::new(slot.clone()), DEADLINE).await;
        if finds.outcome.is_ok() && finds.held.iter().any(|held| held.value == value) {
            return Ok(finds);
        }
        if start.elapsed() > bench.subject.patience {
            return Err(Unkept::broken(format!(
                "{} bytes that were written are not held: {finds:?}",
                value.len()
            )));
        }
        sleep(PAUSE).await;
    }
}

fn newest(finds: &Finds) -> u64 {
    finds.held.iter().map(|held| held.revision).max().unwrap_or(0)
}

/// The most bytes of a register, where the medium has them.
fn size(bench: &Bench) -> Option<usize> {
    bench.caps.register.and_then(|bytes| bytes.try_into().ok())
}
