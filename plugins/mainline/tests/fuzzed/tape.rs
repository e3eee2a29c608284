//! Bytes that decide what happens. Past their end everything is 0.

pub(crate) struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte, as long as there is one.
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    pub(crate) fn wide(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A number below `end`, which is at most 256.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// So many bytes, or as many as there are.
    pub(crate) fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn array<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        std::array::from_fn(|_| self.byte())
    }

    /// With a few bytes changed, cut off or put in, or as it was.
    pub(crate) fn bend(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let how = self.byte();
        if how < 160 || bytes.is_empty() {
            return bytes;
        }
        let at = usize::from(self.wide()) % bytes.len();
        match how % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at] = self.byte(),
            2 => drop(bytes.splice(at..at, self.take(4).iter().copied())),
            _ => bytes[at] ^= 1 << (self.byte() % 8),
        }
        bytes
    }
}
