use super::api::{Goal, Stored};
use super::search::{NEAREST, REPLICAS};
use crate::dht::Id;
use crate::dht::krpc::{Ask, Held, Put};

impl Goal {
    pub(super) fn target(&self) -> Id {
        match self {
            Self::Nodes(id) | Self::Peers(id) | Self::Announce(id, _) | Self::Get(id) => *id,
            Self::Put(item) => item.target,
        }
    }

    /// How many of the nearest have to answer.
    pub(super) fn width(&self) -> usize {
        if matches!(self, Self::Nodes(_) | Self::Peers(_)) { NEAREST } else { REPLICAS }
    }

    pub(super) fn stores(&self) -> bool {
        matches!(self, Self::Announce(..) | Self::Put(_))
    }

    pub(super) fn question(&self) -> Ask<'static> {
        match self {
            Self::Nodes(id) => Ask::FindNode(*id),
            Self::Peers(id) | Self::Announce(id, _) => Ask::GetPeers(*id),
            Self::Get(target) => Ask::Get { target: *target, seq: None },
            Self::Put(item) => Ask::Get { target: item.target, seq: None },
        }
    }

    /// How many messages storing takes.
    pub(super) fn parts(&self) -> usize {
        if let Self::Announce(_, ports) = self { ports.len() } else { 1 }
    }

    pub(super) fn offer(&self, number: usize) -> Ask<'_> {
        match self {
            Self::Announce(hash, ports) => {
                let port = ports.get(number).copied().unwrap_or_default();
                Ask::AnnouncePeer { hash: *hash, port, implied: false }
            }
            Self::Put(item) => item.ask(),
            other => other.question(),
        }
    }
}

impl Stored {
    fn ask(&self) -> Ask<'_> {
        let signed = Held { key: &self.key, seq: self.seq, signature: &self.signature };
        Ask::Put(Put {
            value: &self.value,
            signed: Some(signed),
            salt: b"",
            cas: self.cas,
            target: Some(self.target),
        })
    }
}
