//! `bitboot://NAME?k=SECRET`: how a secret network is handed on. NAME is percent-encoded, SECRET is base64url without padding (RFC 4648,
//! section 5).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::{Network, Secret};
use crate::error::{Error, Kind, Result};

const SCHEME: &str = "bitboot://";

impl Network {
    /// The invite of a secret network. **It is the secret**: whoever has it is a member.
    #[must_use]
    pub fn invite(&self) -> Option<String> {
        let secret = self.secret()?;
        let mut invite = SCHEME.to_owned();
        for byte in self.name().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                invite.push(char::from(byte));
            } else {
                let _ = write!(invite, "%{byte:02X}");
            }
        }
        invite.push_str("?k=");
        BASE64URL_NOPAD.encode_append(secret.expose(), &mut invite);
        Some(invite)
    }

    /// The network that an invite invites to. Errors never repeat what was given.
    ///
    /// # Errors
    /// When it is no invite, or one that was cut or changed.
    pub fn of_invite(text: &str) -> Result<Self> {
        let bad = |what: &str| {
            Error::new(Kind::Usage, what).fix("ask for it again: bitboot network invite NAME prints it")
        };
        let rest = behind_scheme(text)
            .ok_or_else(|| bad("it is no invite: those begin with bitboot://"))?
            .trim_end();
        let (name, query) = rest.split_once('?').ok_or_else(|| bad("the invite has no secret"))?;
        let secret = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("k="))
            .ok_or_else(|| bad("the invite has no secret"))?;
        let bytes = BASE64URL_NOPAD
            .decode(secret.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| bad("the secret in the invite is not whole"))?;
        let bytes = bytes[..].try_into().map_err(|_| bad("the secret in the invite is not whole"))?;
        let name = unpercent(name).ok_or_else(|| bad("the name in the invite cannot be read"))?;
        Self::with_secret(&name, Secret::new(bytes))
    }

    /// Whether a text is an invite, or was one before it was changed, and so must not be shown, logged or taken for a name.
    #[must_use]
    pub fn is_invite(text: &str) -> bool {
        behind_scheme(text).is_some() || secret_in(text).is_some()
    }
}

/// A text for a screen or a log without the secrets of the invites in it.
pub(crate) fn conceal(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    while let Some(secret) = secret_in(&shown) {
        shown.to_mut().replace_range(secret, "…");
    }
    shown
}

/// The first thing in a text that looks like an invite's secret, or a good part of one.
fn secret_in(text: &str) -> Option<Range<usize>> {
    const MANY: usize = 16;
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    text.match_indices("k=").find_map(|(at, key)| {
        let start = at + key.len();
        let end = start + text.as_bytes()[start..].iter().take_while(|byte| is_digit(byte)).count();
        (text[..at].ends_with(['?', '&']) && end - start >= MANY).then_some(start..end)
    })
}

/// Telephones write the first letter of a line in upper case, and schemes are the same in both (RFC 3986, section 3.1).
fn behind_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.trim_start().split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

fn unpercent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_invite_leads_to_its_network(name in "[^\\p{Cc}]{1,60}", bytes: [u8; 32]) {
            let network = Network::with_secret(&name, Secret::new(bytes)).unwrap();
            prop_assert_eq!(Network::of_invite(&network.invite().unwrap()).unwrap(), network);
        }

        #[test]
        fn what_is_no_invite_is_refused_in_silence(text in ".{0,80}") {
            if let Err(error) = Network::of_invite(&format!("bitboot://a?k={text}")) {
                prop_assert!(text.len() < 4 || !error.to_string().contains(&text));
            }
        }
    }

    #[test]
    fn a_changed_invite_is_one_still_and_its_secret_is_not_shown() {
        let secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        for form in ["bitboot://a?k=", "bitboot:/a?k=", "a?k=", "bitbot://é?x=1&k="] {
            let invite = format!("{form}{secret}");
            assert!(Network::is_invite(&invite) && invite.parse::<Network>().is_err(), "{invite}");
            let shown = conceal(&format!("no \"{invite}\", no {invite}!")).into_owned();
            assert_eq!(shown, format!("no \"{form}…\", no {form}…!"));
        }
        for name in ["a?k=short", "k=BwcHBwcHBwcHBwcHBwcHBwc", "?k=é"] {
            assert!(!Network::is_invite(name) && matches!(conceal(name), Cow::Borrowed(_)), "{name}");
        }
    }

    #[test]
    fn a_cut_invite_is_told() {
        for text in [
            "bitboot://a",
            "bitboot://a?k=",
            "bitboot://a?k=AAAA",
            "http://a?k=AAAA",
            "bitboot://%zz?k=AAAA",
            "bitboot://?k=AAAA",
        ] {
            assert!(Network::of_invite(text).is_err(), "{text}");
        }
        assert!(Network::of_invite("bitboot://a?k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc").is_ok());
    }
}
