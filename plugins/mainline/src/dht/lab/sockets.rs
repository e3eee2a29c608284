use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use fastrand::Rng;
use socket2::{Domain, Socket, Type};

/// How much may wait for a node, as far as the system allows; it has memory only for what does.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Where the addresses of the nodes begin, and how many there are: 127.1.0.0 to 127.254.255.255. What is below is for everybody else.
const FIRST: u32 = 0x7f01_0000;
const SPAN: u32 = 0x00fe_0000;
/// From one to the next: the next network of 256, and the next host in it. It has no divisor with the span in common, so that each comes once.
const STEP: u32 = 257;

/// Binds so many sockets on loopback, each at an address of its own where the system has that many.
pub(super) fn bind(count: usize, ipv6: bool) -> io::Result<Vec<UdpSocket>> {
    make_room(count);
    let (mut sockets, mut port) = (Vec::with_capacity(count), 0);
    for ip in addresses(ipv6).take(count) {
        // One port for all of them, so that few are taken; whatever somebody has at this address already does not matter.
        let socket = bind_at(SocketAddr::new(ip, port)).or_else(|_| bind_at(SocketAddr::new(ip, 0)))?;
        if ip.is_ipv4() && ip != Ipv4Addr::LOCALHOST && port == 0 {
            port = socket.local_addr()?.port();
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

fn bind_at(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&at.into())?;
    Ok(socket.into())
}

/// Only Linux answers for all of 127.0.0.0/8 without being told to, and for IPv6 there is only one loopback address.
fn addresses(ipv6: bool) -> Box<dyn Iterator<Item = IpAddr>> {
    if ipv6 {
        Box::new(std::iter::repeat(Ipv6Addr::LOCALHOST.into()))
    } else if cfg!(target_os = "linux") {
        Box::new(of_network().map(IpAddr::V4))
    } else {
        Box::new(std::iter::repeat(Ipv4Addr::LOCALHOST.into()))
    }
}

/// From a place that follows from the process and the number of the network in it.
fn of_network() -> impl Iterator<Item = Ipv4Addr> {
    static NETWORKS: AtomicU32 = AtomicU32::new(0);
    let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
    let start = Rng::with_seed(u64::from(std::process::id()) << 32 | u64::from(number)).u32(..SPAN);
    let all = (0..SPAN).map(move |index| {
        let offset = (u64::from(start) + u64::from(index) * u64::from(STEP)) % u64::from(SPAN);
        Ipv4Addr::from_bits(FIRST + u32::try_from(offset).unwrap_or_default())
    });
    // They are hosts, but do not look like any.
    all.filter(|ip| !matches!(ip.octets()[3], 0 | 255))
}

/// Lets the process have as many files as it may, when that many sockets are more than it has now. Whether they are enough shows when the
/// sockets are bound.
#[cfg(unix)]
fn make_room(sockets: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// What else the process has open.
    const OTHERS: u64 = 256;
    let limit = getrlimit(Resource::Nofile);
    let wanted = OTHERS + sockets as u64;
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return };
    let more = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if more > current {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum: limit.maximum });
    }
}

#[cfg(not(unix))]
fn make_room(_sockets: usize) {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn networks_of_one_process_have_addresses_of_their_own() {
        let networks: Vec<Vec<_>> = (0..2).map(|_| of_network().take(200).collect()).collect();
        let all: HashSet<_> = networks.iter().flatten().collect();
        assert_eq!(all.len(), 400);
        assert!(all.iter().all(|ip| ip.is_loopback() && (1..255).contains(&ip.octets()[1])));
    }

    #[test]
    fn every_socket_is_on_loopback_with_an_address_of_its_own() {
        for ipv6 in [false, true] {
            let Ok(sockets) = bind(50, ipv6) else {
                assert!(ipv6, "no IPv4");
                continue;
            };
            let all: HashSet<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
            assert_eq!(all.len(), 50);
            assert!(all.iter().all(|at| at.ip().is_loopback() && at.is_ipv6() == ipv6));
        }
    }
}
