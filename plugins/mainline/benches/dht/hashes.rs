use std::net::UdpSocket;
use std::time::Duration;

use bitboot_mainline::dht::Id;
use bitboot_mainline::dht::krpc::{self, Ask, Asking, Body, Message};
use bitboot_mainline::dht::lab::Lab;

use crate::client::Hash;

/// Which hashes of a network a new client finds in as many round trips as any other: no bootstrap node is near them, who would know the
/// peers itself.
pub(crate) struct Hashes {
    bootstrap: Vec<Id>,
    others: Vec<Id>,
}

/// More than those where something is stored.
const NEAR: usize = 24;
/// So many are asked at once: their answers fit in any socket's buffer.
const AT_ONCE: usize = 50;
const PATIENCE: Duration = Duration::from_secs(5);

impl Hashes {
    /// Asks every node of a network for its id.
    pub(crate) fn of(lab: &Lab) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let asking =
            Asking { transaction: b"id", id: &Id([7; 20]), read_only: true, both: false, token: None };
        let (mut bootstrap, mut others) = (Vec::new(), Vec::new());
        for some in lab.addresses().chunks(AT_ONCE) {
            for node in some {
                socket.send_to(&krpc::query(asking, &Ask::Ping), node).unwrap();
            }
            for _ in some {
                let mut buffer = [0; krpc::MAX_READ];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let Ok(Message { body: Body::Reply(reply), .. }) = Message::read(&buffer[..length]) else {
                    panic!("{from} does not tell its id");
                };
                let ids = if lab.bootstrap().contains(&from) { &mut bootstrap } else { &mut others };
                ids.push(reply.id);
            }
        }
        Self { bootstrap, others }
    }

    /// A hash by chance that each bootstrap node is far from; in a network so small that there is none, any.
    pub(crate) fn far(&self) -> Hash {
        loop {
            let hash = chance();
            if self.others.len() < 2 * NEAR || self.is_far(Id(hash)) {
                return hash;
            }
        }
    }

    fn is_far(&self, hash: Id) -> bool {
        let Some(nearest) = self.bootstrap.iter().map(|id| id.distance(&hash)).min() else { return true };
        self.others.iter().filter(|id| id.distance(&hash) < nearest).count() >= NEAR
    }
}

/// Any hash.
pub(crate) fn chance() -> Hash {
    std::array::from_fn(|_| fastrand::u8(..))
}
