//! What a process needs that opens one plugin and nothing else, and that safe code cannot do.
#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "calls of the system that have no safe form: every one states what it relies on"
    )
)]

/// Closes every descriptor but the standard three and those that are named: what a careless parent left open is none of a plugin's
/// business. To be called before anything else is opened, by a process with one thread.
#[cfg(unix)]
pub fn close_inherited(keep: &[i32]) {
    let mut keep = keep.to_vec();
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep.into_iter().filter(|kept| *kept >= 3) {
        close_range(first, kept - 1);
        first = kept + 1;
    }
    close_range(first, i32::MAX);
}

#[cfg(target_os = "linux")]
fn close_range(first: i32, last: i32) {
    if last < first {
        return;
    }
    // SAFETY: takes three numbers. That nothing in this process owns these descriptors is the caller's word: it has opened nothing yet.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if closed != 0 {
        one_by_one(first, last);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn close_range(first: i32, last: i32) {
    one_by_one(first, last);
}

/// Where the system has no call for it, such as Linux before 5.9.
#[cfg(unix)]
fn one_by_one(first: i32, last: i32) {
    // More than any parent that was seen has open.
    const MANY: i32 = 4096;
    for descriptor in first..=last.min(MANY) {
        // SAFETY: as in `close_range`; a number that is no descriptor is an error and nothing more.
        unsafe { libc::close(descriptor) };
    }
}

/// Requests to end are for the host, which ends this process when it is done with it: a service manager sends them to both at once.
pub fn ignore_requests_to_end() {
    #[cfg(unix)]
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: `SIG_IGN` runs nothing.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Standard input and output as files. They stay where they are as well: what a plugin prints goes the same way.
///
/// # Errors
/// When the system does not give them.
#[cfg(windows)]
pub fn pipes() -> std::io::Result<(std::fs::File, std::fs::File)> {
    use std::os::windows::io::AsHandle;
    let input = std::io::stdin().as_handle().try_clone_to_owned()?;
    let output = std::io::stdout().as_handle().try_clone_to_owned()?;
    Ok((input.into(), output.into()))
}

/// Ends the process at once, whatever its threads do: no destructor of a plugin and nothing that it left with `atexit` runs.
pub fn leave(code: u8) -> ! {
    #[cfg(unix)]
    // SAFETY: takes a number and does not return.
    unsafe {
        libc::_exit(code.into())
    }
    #[cfg(not(unix))]
    #[expect(clippy::exit, clippy::disallowed_methods, reason = "the nearest thing there")]
    std::process::exit(code.into())
}
