//! `dht` and `n0-mainline` bind all interfaces and cannot be told otherwise; on loopback all their clients would
//! then be 127.0.0.1 to everybody, which other clients' limits per address refuse. So this program has a `bind` of
//! its own, which the linker prefers to the C library's.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// In network order, as in a `sockaddr_in`.
static HOST: AtomicU32 = AtomicU32::new(0);

/// From now on a socket that is bound to all interfaces is bound to this address instead. Only on Linux.
pub(crate) fn every_socket_to(host: Ipv4Addr) {
    HOST.store(u32::from(host).to_be(), Ordering::Relaxed);
}

/// # Safety
///
/// As bind(2): `address` points to `length` bytes.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
unsafe extern "C" fn bind(
    socket: libc::c_int,
    address: *const libc::sockaddr,
    length: libc::socklen_t,
) -> libc::c_int {
    let mut told;
    let mut address = address;
    let is_whole = length as usize >= size_of::<libc::sockaddr_in>();
    // SAFETY: the caller promises `length` bytes, which are enough for the family, and then for an IPv4 address.
    if is_whole && unsafe { i32::from((*address).sa_family) } == libc::AF_INET {
        told = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
        if told.sin_addr.s_addr == libc::INADDR_ANY {
            told.sin_addr.s_addr = HOST.load(Ordering::Relaxed);
            address = (&raw const told).cast();
        }
    }
    // SAFETY: either the caller's own arguments, or `told`, which outlives the call and is no longer than `length`.
    let done = unsafe { libc::syscall(libc::SYS_bind, socket, address, length) };
    if done == 0 { 0 } else { -1 }
}
