use std::net::SocketAddr;

use bitboot_mainline::dht::krpc::{
    self, Answer, Ask, Asking, Body, Contacts, Message, Query, Reply, contacts, push_contact,
};

/// A datagram is a message or none. What a message says is the same after it was written and read again.
pub(crate) fn krpc(datagram: &[u8]) {
    let Ok(message) = Message::read(datagram) else { return };
    assert!(message.transaction.len() <= 64);
    match &message.body {
        Body::Query(query) => asks_the_same(&message, query, datagram.len()),
        Body::Reply(reply) => answers_the_same(&message, reply, datagram.len()),
        Body::Error(code, text) => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            let written = krpc::error(message.transaction, *code, text);
            let again = read(&written);
            assert_eq!((again.transaction, again.body), (message.transaction, message.body));
        }
    }
}

fn asks_the_same(message: &Message<'_>, query: &Query<'_>, length: usize) {
    // What is not known is never sent; nor is a salt without a signature.
    let is_ours = match &query.ask {
        Ask::Other(_) => false,
        Ask::Put(put) => put.signed.is_some() || put.salt.is_empty(),
        _ => true,
    };
    if !is_ours {
        return;
    }
    let can_want = matches!(query.ask, Ask::FindNode(_) | Ask::GetPeers(_) | Ask::Get { .. });
    let both = can_want && query.want == [true, true];
    let asking = Asking {
        transaction: message.transaction,
        id: &query.id,
        read_only: query.read_only,
        both,
        token: query.token,
    };
    let written = krpc::query(asking, &query.ask);
    assert!(written.len() <= length + ROOM, "{length} bytes became {}", written.len());
    let again = read(&written);
    assert_eq!(again.transaction, message.transaction);
    let expected = Query { want: [both; 2], ..query.clone() };
    assert_eq!(again.body, Body::Query(expected));
}

/// What ours has that theirs may leave out: the version, `implied_port`, the own address.
const ROOM: usize = 120;

fn answers_the_same(message: &Message<'_>, reply: &Reply<'_>, length: usize) {
    lists_the_same(reply.nodes, Contacts::V4);
    lists_the_same(reply.nodes6, Contacts::V6);
    let peers: Vec<SocketAddr> = reply.peers().collect();
    assert!(peers.len() * 8 <= length);
    let answer = Answer {
        nodes: reply.nodes,
        nodes6: reply.nodes6,
        peers: &peers,
        token: reply.token.unwrap_or_default(),
        value: reply.value,
        signed: reply.signed,
        seq: None,
        more: reply.more,
    };
    let written = krpc::answer(message.transaction, &reply.id, message.ip, &answer);
    assert!(written.len() <= length + ROOM, "{length} bytes became {}", written.len());
    let again = read(&written);
    assert_eq!((again.transaction, again.ip), (message.transaction, message.ip));
    let Body::Reply(told) = again.body else { panic!("{again:?}") };
    assert!(told.peers().eq(peers.iter().copied()));
    let token = reply.token.filter(|token| !token.is_empty());
    assert_eq!(Reply { values: None, ..told }, Reply { values: None, token, ..reply.clone() });
}

fn lists_the_same(bytes: &[u8], form: Contacts) {
    let mut again = Vec::new();
    contacts(bytes, form).for_each(|contact| push_contact(&mut again, &contact));
    assert!(bytes.starts_with(&again) && bytes.len() - again.len() < 38);
}

fn read(written: &[u8]) -> Message<'_> {
    Message::read(written).unwrap_or_else(|_| panic!("unreadable: {}", written.escape_ascii()))
}
