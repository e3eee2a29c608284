//! What authors of plugins get: a crate to start from, its library as cargo builds it, and a trial of the contract.

mod asking;
mod cargo;
mod examinee;
mod job;
mod new;
mod template;
mod trial;
mod world;

pub(crate) use cargo::{Crate, build};
pub(crate) use examinee::sit;
pub(crate) use job::{Job, Said};
pub(crate) use new::{New, Sources, plugin_name};
pub(crate) use trial::{Trial, clauses};
