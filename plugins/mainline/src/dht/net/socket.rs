use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// Room for the answers of many searches that come in one moment; the system may give less.
const ROOM: usize = 4 << 20;

/// A socket for each address; one family's failure is none while the other's works.
pub(super) fn bind(addresses: [Option<SocketAddr>; 2]) -> io::Result<[Option<UdpSocket>; 2]> {
    let mut failure = None;
    let sockets = addresses.map(|at| at.and_then(|at| open(at).map_err(|error| failure = Some(error)).ok()));
    match failure {
        Some(error) if sockets.iter().all(Option::is_none) => Err(error),
        _ => Ok(sockets),
    }
}

fn open(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Less room loses answers under load, which are asked for again.
    let _ = socket.set_recv_buffer_size(ROOM);
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    UdpSocket::from_std(socket.into())
}
