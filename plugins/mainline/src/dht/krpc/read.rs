use super::bencode::{Malformed, Value};
use super::{Ask, Body, Held, Message, Put, Query, Reply};
use crate::dht::Id;

/// The longest transaction id that is told back; longer ones are nobody's.
const MAX_TRANSACTION: usize = 64;
/// The longest token that is sent back: with more a stranger would have us send datagrams that are cut on their way.
const MAX_TOKEN: usize = 64;

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// When it is no message of this protocol. What comes after the message is passed over, as some nodes send more.
    pub fn read(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (message, _) = Value::split(datagram)?;
        let (mut kind, mut method, mut transaction, mut version, mut ip) = (None, None, None, None, None);
        let (mut arguments, mut told, mut error, mut read_only) = (None, None, None, false);
        for (key, value) in message.entries() {
            match key {
                b"a" => arguments = Some(value),
                b"e" => error = Some(value),
                b"ip" => ip = value.bytes().and_then(super::address),
                b"q" => method = value.bytes(),
                b"r" => told = Some(value),
                b"ro" => read_only = value.integer() == Some(1),
                b"t" => transaction = value.bytes(),
                b"v" => version = value.bytes(),
                b"y" => kind = value.bytes(),
                _ => {}
            }
        }
        let transaction = transaction.filter(|bytes| bytes.len() <= MAX_TRANSACTION).ok_or(Malformed)?;
        let body = match kind {
            Some(b"q") => {
                Body::Query(query(method.ok_or(Malformed)?, arguments.ok_or(Malformed)?, read_only)?)
            }
            Some(b"r") => Body::Reply(reply(told.ok_or(Malformed)?)?),
            Some(b"e") => failure(error.ok_or(Malformed)?)?,
            _ => return Err(Malformed),
        };
        Ok(Self { transaction, version, ip, body })
    }
}

/// The entries of `a` and `r` that have a meaning here.
#[derive(Default)]
struct Fields<'a> {
    id: Option<Id>,
    target: Option<Id>,
    hash: Option<Id>,
    port: Option<i64>,
    implied: bool,
    token: Option<&'a [u8]>,
    want: [bool; 2],
    nodes: &'a [u8],
    nodes6: &'a [u8],
    values: Option<Value<'a>>,
    value: Option<&'a [u8]>,
    key: Option<&'a [u8; 32]>,
    signature: Option<&'a [u8; 64]>,
    seq: Option<i64>,
    cas: Option<i64>,
    salt: &'a [u8],
    more: bool,
}

impl<'a> Fields<'a> {
    fn read(dictionary: Value<'a>) -> Self {
        let mut fields = Self::default();
        for (key, value) in dictionary.entries() {
            fields.take(key, value);
        }
        fields
    }

    fn take(&mut self, key: &[u8], value: Value<'a>) {
        let id = || value.bytes().and_then(Id::from_slice);
        match key {
            b"id" => self.id = id(),
            b"target" => self.target = id(),
            b"info_hash" => self.hash = id(),
            b"port" => self.port = value.integer(),
            b"implied_port" => self.implied = value.integer().is_some_and(|number| number != 0),
            b"token" => self.token = value.bytes().filter(|token| token.len() <= MAX_TOKEN),
            b"want" => {
                let wants = |family: &[u8]| value.list().any(|item| item.bytes() == Some(family));
                self.want = [wants(b"n4"), wants(b"n6")];
            }
            b"nodes" => self.nodes = value.bytes().unwrap_or_default(),
            b"nodes6" => self.nodes6 = value.bytes().unwrap_or_default(),
            b"values" => self.values = Some(value),
            b"v" => self.value = Some(value.encoded()),
            b"k" => self.key = value.bytes().and_then(|bytes| bytes.try_into().ok()),
            b"sig" => self.signature = value.bytes().and_then(|bytes| bytes.try_into().ok()),
            b"seq" => self.seq = value.integer(),
            b"cas" => self.cas = value.integer(),
            b"salt" => self.salt = value.bytes().unwrap_or_default(),
            b"more" => self.more = value.integer() == Some(1),
            _ => {}
        }
    }

    fn signed(&self) -> Option<Held<'a>> {
        Some(Held { key: self.key?, seq: self.seq?, signature: self.signature? })
    }
}

fn query<'a>(method: &[u8], arguments: Value<'a>, read_only: bool) -> Result<Query<'a>, Malformed> {
    let fields = Fields::read(arguments);
    let ask = match method {
        b"ping" => Ask::Ping,
        b"find_node" => Ask::FindNode(fields.target.ok_or(Malformed)?),
        b"get_peers" => Ask::GetPeers(fields.hash.ok_or(Malformed)?),
        b"announce_peer" => Ask::AnnouncePeer {
            hash: fields.hash.ok_or(Malformed)?,
            port: fields.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
            implied: fields.implied,
        },
        b"get" => Ask::Get { target: fields.target.ok_or(Malformed)?, seq: fields.seq },
        b"put" => Ask::Put(Put {
            value: fields.value.ok_or(Malformed)?,
            // A key that comes without the rest is no immutable item, but a broken mutable one.
            signed: if fields.key.is_some() { Some(fields.signed().ok_or(Malformed)?) } else { None },
            salt: fields.salt,
            cas: fields.cas,
            target: fields.target,
        }),
        _ => Ask::Other(fields.target.or(fields.hash)),
    };
    let id = fields.id.ok_or(Malformed)?;
    Ok(Query { id, read_only, want: fields.want, token: fields.token, ask })
}

fn reply(told: Value<'_>) -> Result<Reply<'_>, Malformed> {
    let fields = Fields::read(told);
    Ok(Reply {
        id: fields.id.ok_or(Malformed)?,
        nodes: fields.nodes,
        nodes6: fields.nodes6,
        values: fields.values,
        token: fields.token,
        value: fields.value,
        signed: fields.signed(),
        more: fields.more,
    })
}

fn failure(error: Value<'_>) -> Result<Body<'_>, Malformed> {
    let mut parts = error.list();
    let code = parts.next().and_then(Value::integer).ok_or(Malformed)?;
    Ok(Body::Error(code, parts.next().and_then(Value::bytes).unwrap_or_default()))
}
