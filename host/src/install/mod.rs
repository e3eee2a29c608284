//! From a library that somebody gives to one that bitboot opens.

pub(crate) mod place;
