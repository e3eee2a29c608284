//! What happens to a node: datagrams, time, searches. What it holds is weighed.
#![no_main]

#[path = "../../tests/fuzzed/mod.rs"]
mod fuzzed;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting what is held.
struct Scales;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator; only numbers are added.
unsafe impl GlobalAlloc for Scales {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static SCALES: Scales = Scales;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::core(bytes, || HELD.load(Ordering::Relaxed)));
