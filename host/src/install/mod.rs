//! From a package that somebody gives to a library that bitboot opens: fetch, verify, place.

mod digest;
mod fetch;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod index;
mod lock;
mod names;
mod package;
mod proof;
mod release;
mod signature;
mod signing;
mod store;
mod trust;
mod verify;

pub(crate) use digest::Digest;
pub(crate) use fetch::{Fetcher, Place};
pub(crate) use index::{
    FILE as INDEX_FILE, Index, IndexEntry, Indexes, Listed, Signed, build as build_index,
    forget as forget_index,
};
pub(crate) use lock::{Hashes, Lock, Locked};
pub(crate) use names::{
    SIGNATURE, library as library_name, package as package_name, release_of, this_target, version,
};
pub(crate) use package::{MAX_ARCHIVE, Parts, Unpacked, look, pack, unpack};
pub(crate) use proof::{MAX_SIGNATURE, Proof};
pub(crate) use release::{Archive, MAX_RELEASE, Publisher, Release};
pub(crate) use signature::PublisherKey;
pub(crate) use signing::{Ask, SigningKey, public_path};
pub(crate) use store::{Claim, Stage, Store, delete_all};
pub(crate) use trust::{Trust, Verdict};
pub(crate) use verify::{Verified, verify};
