//! Reading the storage of the contract: the slots of all writers under a key.

use alloy_primitives::{Address, B256, Bytes};
use bitboot_plugin_api::Result;
use bitboot_rpc::Trouble;

use crate::contract::{MAX_VALUE, Page, page_call, page_of};
use crate::node::Node;

/// So many slots are asked for at once, at first; fewer where the node refuses, for it bounds what a call may do.
const PAGE: u64 = 100;
/// More than is told of one node; where there are more, those that came first are left out.
const MOST: u64 = 10_000;
/// What a page of the largest values has around each of them.
const AROUND: usize = 256;

/// The slots of a contract under a key, those of writers that came last first; read to the end, for one call sees one state.
pub(crate) async fn read(node: &Node, contract: Address, key: B256) -> Result<Vec<(Address, Bytes)>> {
    let (mut slots, mut page, mut before) = (Vec::new(), PAGE, u64::MAX);
    while before > 0 && (slots.len() as u64) < MOST {
        match node.call(contract, &page_call(key, before, page)).await {
            Ok(answer) => {
                let Page { count, slots: more } = read_page(&answer, page)
                    .ok_or_else(|| node.lies("what are not the slots that were asked for"))?;
                // A node that says each time that there are more must not be followed for ever.
                let first = before.min(count);
                before = first.saturating_sub(more.len() as u64);
                let is_short = (more.len() as u64) < page;
                slots.extend(more);
                if is_short {
                    break;
                }
            }
            Err(Trouble::Refused(_)) if page > 1 => page /= 2,
            Err(trouble) => return Err(trouble.into()),
        }
    }
    Ok(slots)
}

fn read_page(answer: &[u8], most: u64) -> Option<Page> {
    // Nothing at all is the answer where there is no contract.
    if answer.is_empty() {
        return Some(Page { count: 0, slots: Vec::new() });
    }
    let room = usize::try_from(most).ok()?.checked_mul(MAX_VALUE + AROUND)?.checked_add(AROUND)?;
    (answer.len() <= room).then(|| page_of(answer, most)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_an_empty_page_and_too_much_is_none() {
        assert!(read_page(&[], 100).unwrap().slots.is_empty());
        assert!(read_page(&[0xff; 96], 100).is_none(), "places beyond the end");
        assert!(read_page(&vec![0; 2 << 20], 100).is_none() && read_page(b"<html>", 100).is_none());
    }
}
