use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Pings nodes (BEP 5) from a socket of its own until enough have answered or the patience ends; how many have.
///
/// The crate keeps nodes for a quarter of an hour after they were last heard, and does not tell which of them are still there.
pub(crate) async fn ping(
    from: Ipv4Addr,
    id: &[u8; 20],
    nodes: &[SocketAddrV4],
    enough: usize,
    patience: Duration,
) -> usize {
    let Ok(socket) = UdpSocket::bind((from, 0)).await else { return 0 };
    let question = question(id);
    for node in nodes {
        // One that cannot be sent to is one that does not answer.
        let _ = socket.send_to(&question, node).await;
    }
    let mut answered = Vec::new();
    let _ = timeout(patience, async {
        let mut packet = [0; 2048];
        while answered.len() < enough.min(nodes.len()) {
            let Ok((size, SocketAddr::V4(from))) = socket.recv_from(&mut packet).await else { continue };
            let is_new = nodes.contains(&from) && !answered.contains(&from);
            if is_new && is_answer(&packet[..size]) {
                answered.push(from);
            }
        }
    })
    .await;
    answered.len()
}

/// Of four bytes, as the crate's own nodes answer to no other length.
const TRANSACTION: &[u8; 4] = b"ping";

/// A ping that asks not to be remembered (BEP 43): the socket is gone in a second.
fn question(id: &[u8; 20]) -> Vec<u8> {
    [b"d1:ad2:id20:", &id[..], b"e1:q4:ping2:roi1e1:t4:", TRANSACTION, b"1:y1:qe"].concat()
}

fn is_answer(packet: &[u8]) -> bool {
    let has = |part: &[u8]| packet.windows(part.len()).any(|window| window == part);
    packet.starts_with(b"d") && has(b"1:t4:ping") && has(b"1:y1:r")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_silent_or_talks_nonsense_is_not_counted() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let noisy = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let good = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nodes = [&silent, &noisy, &good].map(|socket| match socket.local_addr().unwrap() {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => unreachable!(),
        });
        let answers = tokio::spawn(async move {
            let mut packet = [0; 100];
            let (_, asker) = noisy.recv_from(&mut packet).await.unwrap();
            noisy.send_to(b"hello", asker).await.unwrap();
            let (size, asker) = good.recv_from(&mut packet).await.unwrap();
            assert_eq!(packet[..size], question(&[b'i'; 20]));
            for _ in 0..2 {
                good.send_to(b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:ping1:y1:re", asker).await.unwrap();
            }
        });
        let count = ping(Ipv4Addr::LOCALHOST, &[b'i'; 20], &nodes, 3, Duration::from_secs(3)).await;
        answers.await.unwrap();
        assert_eq!(count, 1);
    }
}
