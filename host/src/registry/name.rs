use crate::error::{Error, Kind, Result};

/// Whether a text can be the name of a plugin or of a backend: 1 to 64 of `a-z`, `0-9`, `-` and `_`, with a letter or digit first.
pub(crate) fn is_entry_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'_')
        && text.bytes().next().is_some_and(plain)
}

/// A name for a plugin or a backend, as a clap value parser takes it.
pub(crate) fn entry_name(text: &str) -> Result<String, String> {
    if is_entry_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 of a-z, 0-9, - and _".into())
    }
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The error for a name that nobody knows.
pub(crate) fn unknown<'a>(sort: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    let error = Error::new(Kind::Usage, format!("there is no {sort} \"{name}\""));
    if let Some(near) = nearest(name, known.clone()) {
        return error.fix(format!("did you mean \"{near}\"?"));
    }
    let all = known.collect::<Vec<_>>().join(", ");
    error.fix(format!("known are: {}; see: bitboot {sort} list", if all.is_empty() { "none" } else { &all }))
}
