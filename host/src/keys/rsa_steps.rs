use rsa::rand_core::{TryCryptoRng, TryRng};

/// The system's random numbers, with an ear for how many were drawn: `rsa` draws a start for each prime and then searches upwards from it,
/// so what was drawn tells which prime is being searched.
pub(super) struct Steps<F> {
    step: F,
    bytes: u64,
}

/// Bytes that the start of a prime of 2048 bits takes.
const START: u64 = 256;

impl<F: FnMut(u64)> Steps<F> {
    pub(super) fn new(step: F) -> Self {
        Self { step, bytes: 0 }
    }

    fn drawn(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        // The first prime is done when the start of the second is drawn.
        (self.step)((self.bytes.saturating_sub(1) / START).min(2));
    }
}

impl<F: FnMut(u64)> TryRng for Steps<F> {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.drawn(4);
        getrandom::u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.drawn(8);
        getrandom::u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.drawn(bytes.len());
        getrandom::fill(bytes)
    }
}

impl<F: FnMut(u64)> TryCryptoRng for Steps<F> {}
