//! A shared library that knows nothing of bitboot.

/// Something to export.
#[expect(unsafe_code, reason = "a library of C has names like this one")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    42
}
