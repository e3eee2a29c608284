use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use socket2::SockRef;
use tokio::net::UdpSocket;

use super::delay::Delay;
use super::spec::Spec;
use super::traffic::Counts;
use crate::dht::krpc::{Body, Message};

/// The way between the nodes and whoever they talk to.
#[derive(Debug)]
pub(super) struct Link {
    counts: Arc<Counts>,
    delay: Option<Delay<Parcel>>,
    rtt: Duration,
    jitter: Duration,
    loss: f64,
}

/// A datagram that is held back.
#[derive(Debug)]
struct Parcel {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Link {
    pub(super) fn new(spec: &Spec, counts: Arc<Counts>) -> io::Result<Self> {
        let [rtt, jitter] = spec.delay();
        let is_instant = rtt.is_zero() && jitter.is_zero();
        let carry = {
            let counts = counts.clone();
            move |parcel: Parcel| send(&parcel.socket, parcel.to, &parcel.bytes, &counts)
        };
        let delay = if is_instant { None } else { Some(Delay::start(carry)?) };
        Ok(Self { counts, delay, rtt, jitter, loss: spec.loss })
    }

    /// Whether a datagram that has come is there for the node; a question may be lost.
    pub(super) fn delivers(&self, from: SocketAddr, datagram: &[u8], chance: &mut Rng) -> bool {
        self.counts.received(from);
        !(self.loses(chance) && is_question(datagram))
    }

    /// Sends a question at once, and an answer, unless it is lost, after the round trip: so the way is as long for everybody, whether their
    /// own sockets hold something back or not.
    pub(super) fn send(&self, socket: &Arc<UdpSocket>, to: SocketAddr, bytes: Vec<u8>, chance: &mut Rng) {
        if !to.ip().to_canonical().is_loopback() {
            return;
        }
        if self.delay.is_none() && self.loss <= 0.0 || is_question(&bytes) {
            send(socket, to, &bytes, &self.counts);
        } else if !self.loses(chance) {
            match &self.delay {
                Some(delay) => {
                    let until = Instant::now() + self.round_trip(chance);
                    delay.hold(until, Parcel { socket: socket.clone(), to, bytes });
                }
                None => send(socket, to, &bytes, &self.counts),
            }
        }
    }

    fn loses(&self, chance: &mut Rng) -> bool {
        self.loss > 0.0 && chance.f64() < self.loss
    }

    fn round_trip(&self, chance: &mut Rng) -> Duration {
        if self.jitter.is_zero() {
            return self.rtt;
        }
        (self.rtt + self.jitter.mul_f64(2.0 * chance.f64())).saturating_sub(self.jitter)
    }
}

/// Past tokio, which lets only the thread that waits for a socket send without waiting. What finds no room is lost, as on any network.
fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8], counts: &Counts) {
    // Before it is sent: whoever has got it finds it counted.
    counts.sent(to);
    let _ = SockRef::from(socket).send_to(bytes, &to.into());
}

fn is_question(datagram: &[u8]) -> bool {
    matches!(Message::read(datagram), Ok(Message { body: Body::Query(_), .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(spec: &Spec) -> Link {
        Link::new(spec, Arc::new(Counts::new([]))).unwrap()
    }

    #[test]
    fn a_round_trip_is_as_long_as_asked_for() {
        let mut chance = Rng::with_seed(1);
        let steady = link(&Spec { rtt_ms: 50.0, ..Spec::default() });
        assert_eq!(steady.round_trip(&mut chance), Duration::from_millis(50));
        let uneven = link(&Spec { rtt_ms: 5.0, jitter_ms: 20.0, ..Spec::default() });
        let trips: Vec<_> = (0..1000).map(|_| uneven.round_trip(&mut chance)).collect();
        assert!(trips.iter().all(|trip| *trip <= Duration::from_millis(25)));
        assert!(
            trips.contains(&Duration::ZERO) && trips.iter().any(|trip| *trip > Duration::from_millis(20))
        );
    }

    #[test]
    fn as_much_is_lost_as_asked_for_and_questions_only() {
        let (mut chance, from) = (Rng::with_seed(2), "127.0.0.1:1".parse().unwrap());
        let link = link(&Spec { loss: 0.3, ..Spec::default() });
        let mut arrived =
            |datagram: &[u8]| (0..1000).filter(|_| link.delivers(from, datagram, &mut chance)).count();
        let question = arrived(b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t1:x1:y1:qe");
        assert!((650..750).contains(&question), "{question}");
        assert_eq!(arrived(b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t1:x1:y1:re"), 1000);
        assert_eq!(link.counts.of(from.ip()).received, 2000);
    }
}
