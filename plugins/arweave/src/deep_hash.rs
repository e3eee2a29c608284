//! What is signed of a transaction: Arweave's deep hash, SHA-384 over a tree of bytes and lists, each with its kind and length.

use ring::digest::{Context, SHA384, digest};

/// The bytes of a hash.
pub(crate) const LENGTH: usize = 48;

/// A node of the tree.
pub(crate) enum Item<'a> {
    Blob(&'a [u8]),
    List(Vec<Item<'a>>),
}

pub(crate) fn deep_hash(item: &Item<'_>) -> [u8; LENGTH] {
    match item {
        Item::Blob(bytes) => both(&mark("blob", bytes.len()), &sha384(bytes)),
        Item::List(items) => {
            items.iter().fold(mark("list", items.len()), |sum, item| both(&sum, &deep_hash(item)))
        }
    }
}

fn mark(kind: &str, length: usize) -> [u8; LENGTH] {
    sha384(format!("{kind}{length}").as_bytes())
}

fn both(first: &[u8], second: &[u8]) -> [u8; LENGTH] {
    let mut context = Context::new(&SHA384);
    context.update(first);
    context.update(second);
    array(context.finish().as_ref())
}

fn sha384(bytes: &[u8]) -> [u8; LENGTH] {
    array(digest(&SHA384, bytes).as_ref())
}

fn array(hash: &[u8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(hash);
    bytes
}
