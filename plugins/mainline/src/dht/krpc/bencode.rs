//! Bencode (BEP 3), read in place: nothing is copied, and nothing is trusted.

/// Why bytes are no bencode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// How deep lists and dictionaries may lie in each other; a message has three levels.
const MAX_DEPTH: u32 = 16;

/// One encoded value that was seen to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// The value at the beginning of `bytes`, and what comes after it.
    ///
    /// # Errors
    /// When no whole value is there: cut short, nested deeper than 16, a number that is none.
    pub fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let end = end_of(bytes, MAX_DEPTH)?;
        Ok((Self(&bytes[..end]), &bytes[end..]))
    }

    /// As it was sent.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        self.0
    }

    /// The bytes of a string.
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        let colon = self.0.iter().position(|byte| *byte == b':').filter(|_| self.0[0].is_ascii_digit())?;
        Some(&self.0[colon + 1..])
    }

    /// The number of an integer that fits into 64 bits.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        let digits = self.0.strip_prefix(b"i")?.strip_suffix(b"e")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// The values of a list; nothing where it is none.
    pub fn list(self) -> impl Iterator<Item = Value<'a>> + Clone {
        Values(self.0.strip_prefix(b"l").unwrap_or_default())
    }

    /// The entries of a dictionary in the order in which they were sent; nothing where it is none.
    pub fn entries(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> + Clone {
        let mut values = Values(self.0.strip_prefix(b"d").unwrap_or_default());
        std::iter::from_fn(move || Some((values.next()?.bytes()?, values.next()?)))
    }
}

#[derive(Clone)]
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (value, rest) = Value::split(self.0).ok()?;
        self.0 = rest;
        Some(value)
    }
}

/// Where the value at the beginning ends.
fn end_of(bytes: &[u8], depth: u32) -> Result<usize, Malformed> {
    match bytes.first().ok_or(Malformed)? {
        b'0'..=b'9' => end_of_string(bytes),
        b'i' => end_of_integer(bytes),
        start @ (b'l' | b'd') => {
            let depth = depth.checked_sub(1).ok_or(Malformed)?;
            let (mut at, mut is_key) = (1, *start == b'd');
            while *bytes.get(at).ok_or(Malformed)? != b'e' {
                if is_key && !bytes[at].is_ascii_digit() {
                    return Err(Malformed);
                }
                at += end_of(&bytes[at..], depth)?;
                is_key = *start == b'd' && !is_key;
            }
            // A key without a value.
            if *start == b'd' && !is_key { Err(Malformed) } else { Ok(at + 1) }
        }
        _ => Err(Malformed),
    }
}

fn end_of_string(bytes: &[u8]) -> Result<usize, Malformed> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                let digit = usize::from(byte - b'0');
                length =
                    length.checked_mul(10).and_then(|length| length.checked_add(digit)).ok_or(Malformed)?;
            }
            b':' => {
                let end = length.checked_add(at + 1).ok_or(Malformed)?;
                return if end <= bytes.len() { Ok(end) } else { Err(Malformed) };
            }
            _ => return Err(Malformed),
        }
    }
    Err(Malformed)
}

/// Any number of digits: one that is too large for us is still a whole value.
fn end_of_integer(bytes: &[u8]) -> Result<usize, Malformed> {
    let end = bytes.iter().position(|byte| *byte == b'e').ok_or(Malformed)?;
    let digits = &bytes[1..end];
    let digits = digits.strip_prefix(b"-").unwrap_or(digits);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_number { Ok(end + 1) } else { Err(Malformed) }
}

/// Writes bencode. Keys of a dictionary have to come in their order; nothing checks that.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// With room for a message.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::with_capacity(160))
    }

    /// Bytes as they are: `d`, `l` and `e`, and what is encoded already.
    pub fn raw(&mut self, encoded: &[u8]) -> &mut Self {
        self.0.extend_from_slice(encoded);
        self
    }

    /// A string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.push(b':');
        self.raw(bytes)
    }

    /// An integer.
    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.0.push(b'i');
        if number < 0 {
            self.0.push(b'-');
        }
        self.number(number.unsigned_abs());
        self.0.push(b'e');
        self
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (digits.len(), number);
        loop {
            at -= 1;
            digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Option<Value<'_>> {
        Value::split(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
    }

    #[test]
    fn values_are_what_they_say() {
        assert_eq!(whole(b"4:spam").unwrap().bytes(), Some(&b"spam"[..]));
        assert_eq!(whole(b"0:").unwrap().bytes(), Some(&b""[..]));
        assert_eq!(whole(b"i-42e").unwrap().integer(), Some(-42));
        assert_eq!(whole(b"i9223372036854775808e").unwrap().integer(), None);
        let list: Vec<_> = whole(b"l1:a2:bbe").unwrap().list().filter_map(Value::bytes).collect();
        assert_eq!(list, [&b"a"[..], b"bb"]);
        let entries: Vec<_> = whole(b"d1:ai1e1:bl3:2:xee").unwrap().entries().collect();
        assert_eq!(entries[1].0, b"b");
        assert_eq!(whole(b"i1e").unwrap().bytes(), None);
        assert_eq!(whole(b"1:i").unwrap().entries().count(), 0);
    }

    #[test]
    fn what_is_none_is_told_from_what_is_one() {
        for bytes in [
            &b""[..],
            b"5:spam",
            b"-1:",
            b"99999999999999999999999:",
            b"18446744073709551615:",
            b"i",
            b"ie",
            b"i-e",
            b"i1",
            b"l",
            b"d",
            b"di1e1:ae",
            b"d1:ae",
            b"x",
            b"1",
            b"d1:a",
        ] {
            assert_eq!(Value::split(bytes), Err(Malformed), "{}", bytes.escape_ascii());
        }
        let nested = |depth| [vec![b'l'; depth], vec![b'e'; depth]].concat();
        assert!(whole(&nested(16)).is_some() && whole(&nested(17)).is_none());
    }

    #[test]
    fn what_is_written_can_be_read() {
        for number in [0, -1, 7, 10, i64::MAX, i64::MIN] {
            let mut writer = Writer::new();
            writer.integer(number);
            assert_eq!(whole(&writer.finish()).unwrap().integer(), Some(number));
        }
        let mut writer = Writer::new();
        writer.raw(b"d").bytes(b"key").bytes(&[0xff; 300]).raw(b"e");
        assert_eq!(
            whole(&writer.finish()).unwrap().entries().next().unwrap().1.bytes(),
            Some(&[0xff; 300][..])
        );
    }
}
