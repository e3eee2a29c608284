use std::net::SocketAddr;

use super::bencode::Writer;
use super::{Ask, Held, push_address};
use crate::dht::Id;

/// Which program sends: `BB` and a version, as libtorrent sends `LT` and one.
const VERSION: &[u8; 4] = b"BB\x00\x01";

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Chosen by the asker.
    pub transaction: &'a [u8],
    /// The asker.
    pub id: &'a Id,
    /// The asker does not answer (BEP 43).
    pub read_only: bool,
    /// Ask for nodes of both families (BEP 32).
    pub both: bool,
    /// The token of an earlier answer.
    pub token: Option<&'a [u8]>,
}

/// A question as it is sent.
#[must_use]
pub fn query(asking: Asking<'_>, ask: &Ask<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(b"d1:ad");
    if let Ask::Put(put) = ask
        && let Some(cas) = put.cas
    {
        out.raw(b"3:cas").integer(cas);
    }
    out.raw(b"2:id").bytes(&asking.id.0);
    let method: &[u8] = match ask {
        Ask::Ping | Ask::Other(_) => b"4:ping",
        Ask::FindNode(target) => {
            out.raw(b"6:target").bytes(&target.0);
            b"9:find_node"
        }
        Ask::GetPeers(hash) => {
            out.raw(b"9:info_hash").bytes(&hash.0);
            b"9:get_peers"
        }
        Ask::AnnouncePeer { hash, port, implied } => {
            out.raw(b"12:implied_port").integer(i64::from(*implied));
            out.raw(b"9:info_hash").bytes(&hash.0).raw(b"4:port").integer((*port).into());
            b"13:announce_peer"
        }
        Ask::Get { target, seq } => {
            if let Some(seq) = seq {
                out.raw(b"3:seq").integer(*seq);
            }
            out.raw(b"6:target").bytes(&target.0);
            b"3:get"
        }
        Ask::Put(put) => {
            if let Some(signed) = &put.signed {
                out.raw(b"1:k").bytes(signed.key);
                if !put.salt.is_empty() {
                    out.raw(b"4:salt").bytes(put.salt);
                }
                out.raw(b"3:seq").integer(signed.seq).raw(b"3:sig").bytes(signed.signature);
            }
            if let Some(target) = &put.target {
                out.raw(b"6:target").bytes(&target.0);
            }
            b"3:put"
        }
    };
    if let Some(token) = asking.token {
        out.raw(b"5:token").bytes(token);
    }
    if let Ask::Put(put) = ask {
        out.raw(b"1:v").raw(put.value);
    }
    let asks_for_nodes = matches!(ask, Ask::FindNode(_) | Ask::GetPeers(_) | Ask::Get { .. });
    if asking.both && asks_for_nodes {
        out.raw(b"4:wantl2:n42:n6e");
    }
    out.raw(b"e1:q").raw(method);
    if asking.read_only {
        out.raw(b"2:roi1e");
    }
    out.raw(b"1:t").bytes(asking.transaction).raw(b"1:v").bytes(VERSION).raw(b"1:y1:qe");
    out.finish()
}

/// What a node answers; what is empty is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer<'a> {
    /// IPv4 nodes, 26 bytes each.
    pub nodes: &'a [u8],
    /// IPv6 nodes, 38 bytes each.
    pub nodes6: &'a [u8],
    /// Peers under an info hash.
    pub peers: &'a [SocketAddr],
    /// What storing needs.
    pub token: &'a [u8],
    /// An item's value, as it is encoded.
    pub value: Option<&'a [u8]>,
    /// What makes it mutable.
    pub signed: Option<Held<'a>>,
    /// The number alone, where the asker has the item.
    pub seq: Option<i64>,
    /// There is more for who sends the token along.
    pub more: bool,
}

/// An answer as it is sent, to who is told where it was seen (BEP 42); without `seen` also the program is left out, so that no answer is
/// longer than its question.
#[must_use]
pub fn answer(transaction: &[u8], id: &Id, seen: Option<SocketAddr>, answer: &Answer<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(b"d");
    if let Some(seen) = seen {
        out.raw(b"2:ip").bytes(&compact(seen));
    }
    out.raw(b"1:rd2:id").bytes(&id.0);
    if let Some(signed) = &answer.signed {
        out.raw(b"1:k").bytes(signed.key);
    }
    if answer.more {
        out.raw(b"4:morei1e");
    }
    if !answer.nodes.is_empty() {
        out.raw(b"5:nodes").bytes(answer.nodes);
    }
    if !answer.nodes6.is_empty() {
        out.raw(b"6:nodes6").bytes(answer.nodes6);
    }
    if let Some(seq) = answer.signed.map(|signed| signed.seq).or(answer.seq) {
        out.raw(b"3:seq").integer(seq);
    }
    if let Some(signed) = &answer.signed {
        out.raw(b"3:sig").bytes(signed.signature);
    }
    if !answer.token.is_empty() {
        out.raw(b"5:token").bytes(answer.token);
    }
    if let Some(value) = answer.value {
        out.raw(b"1:v").raw(value);
    }
    if !answer.peers.is_empty() {
        out.raw(b"6:valuesl");
        for peer in answer.peers {
            out.bytes(&compact(*peer));
        }
        out.raw(b"e");
    }
    out.raw(b"e1:t").bytes(transaction);
    if seen.is_some() {
        out.raw(b"1:v").bytes(VERSION);
    }
    out.raw(b"1:y1:re");
    out.finish()
}

/// An error as it is sent.
#[must_use]
pub fn error(transaction: &[u8], code: i64, text: &str) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(b"d1:el").integer(code).bytes(text.as_bytes()).raw(b"e1:t").bytes(transaction);
    out.raw(b"1:v").bytes(VERSION).raw(b"1:y1:ee");
    out.finish()
}

fn compact(at: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(18);
    push_address(&mut bytes, at);
    bytes
}
