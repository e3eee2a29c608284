//! Which transactions have a tag: pages of a gateway's index, the newest first.

use bitboot_plugin_api::Result;
use bitboot_rpc::{Answer, Node as _, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use crate::base64url::decode_hash;
use crate::topic::{APP, KEY, OURS, Topic};

/// A transaction as the index has it: where to look, nothing that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: [u8; 32],
    /// The address of its owner.
    pub(crate) owner: [u8; 32],
    pub(crate) size: u64,
    /// The height of its block; `None` where it waits for one.
    pub(crate) height: Option<u64>,
}

/// A part of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// What to ask for the next one with; `None` behind the last.
    pub(crate) next: Option<String>,
}

/// The most entries of a page: what gateways give at once.
pub(crate) const MOST: u8 = 100;
/// The largest page.
const LIMIT: u64 = 256 << 10;
/// The longest cursor that is handed back.
pub(super) const CURSOR: usize = 1024;

const QUERY: &str = "query($app: String!, $ours: [String!]!, $key: String!, $topic: [String!]!, $first: Int!, $after: String) {
  transactions(tags: [{ name: $app, values: $ours }, { name: $key, values: $topic }], first: $first, after: $after, sort: HEIGHT_DESC) {
    pageInfo { hasNextPage }
    edges { cursor node { id owner { address } data { size } block { height } } }
  }
}";

#[derive(Deserialize)]
struct Said {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    transactions: Transactions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transactions {
    page_info: PageInfo,
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Edge {
    cursor: String,
    node: Node,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    owner: Owner,
    data: Size,
    block: Option<Block>,
}

#[derive(Deserialize)]
struct Owner {
    address: String,
}

#[derive(Deserialize)]
struct Size {
    /// Text, or a number.
    size: Value,
}

#[derive(Deserialize)]
struct Block {
    #[serde(deserialize_with = "super::height")]
    height: u64,
}

impl Gateway {
    /// A page of the transactions of a topic.
    pub(crate) async fn list(&self, topic: &Topic, first: u8, after: Option<&str>) -> Result<Page> {
        self.check().await?;
        let variables = json!({
            "app": APP, "ours": [OURS], "key": KEY, "topic": [topic.text()], "first": first, "after": after
        });
        let body = json!({ "query": QUERY, "variables": variables });
        let request = Request::post("/graphql", body.to_string(), LIMIT);
        self.endpoint.ask(&request, |answer| page(&answer)).await
    }
}

pub(super) fn page(answer: &Answer) -> Option<Page> {
    let said: Said = serde_json::from_slice(&answer.body).ok()?;
    let Transactions { page_info, edges } = said.data.transactions;
    let last = edges.last().map(|edge| edge.cursor.clone());
    Some(Page {
        // What is none is passed over: it hides itself only.
        entries: edges.into_iter().take(MOST.into()).filter_map(|edge| entry(edge.node)).collect(),
        next: last.filter(|cursor| page_info.has_next_page && cursor.len() <= CURSOR),
    })
}

fn entry(node: Node) -> Option<Entry> {
    let size = match &node.data.size {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    let (id, owner) = (decode_hash(&node.id)?, decode_hash(&node.owner.address)?);
    Some(Entry { id, owner, size, height: node.block.map(|block| block.height) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(edges: &str, more: bool) -> Option<Page> {
        let body = format!(
            r#"{{"data":{{"transactions":{{"pageInfo":{{"hasNextPage":{more}}},"edges":[{edges}]}}}}}}"#
        );
        page(&Answer { status: 200, body: body.into_bytes() })
    }

    fn edge(id: &str, size: &str, block: &str) -> String {
        let owner = "B".repeat(42) + "A";
        format!(
            r#"{{"cursor":"c{id}","node":{{"id":"{id}","owner":{{"address":"{owner}"}},"data":{{"size":{size}}},"block":{block}}}}}"#
        )
    }

    #[test]
    fn pages_are_read_and_what_is_no_entry_is_passed_over() {
        let good = "A".repeat(43);
        let edges = [
            edge(&good, "\"168\"", "null"),
            edge(&good, "168", r#"{"height":7}"#),
            edge("short", "168", "null"),
            edge(&good, "-1", "null"),
        ];
        let page = read(&edges.join(","), true).unwrap();
        let heights: Vec<_> = page.entries.iter().map(|entry| (entry.size, entry.height)).collect();
        assert_eq!(heights, [(168, None), (168, Some(7))]);
        assert_eq!(page.next, Some(format!("c{good}")));
        assert_eq!(read("", true), Some(Page::default()), "there is nothing to go on with");
        assert_eq!(read(&edges[0], false).unwrap().next, None);
    }

    #[test]
    fn a_page_has_its_bounds_and_lies_are_none() {
        let good = edge(&"A".repeat(43), "1", "null");
        assert_eq!(read(&vec![good.as_str(); 500].join(","), true).unwrap().entries.len(), 100);
        let long = good.replacen("cA", &"c".repeat(2000), 1);
        assert_eq!(read(&long, true).unwrap().next, None);
        for lie in ["{", "[]", r#"{"errors":[]}"#, r#"{"data":null}"#, "<html>"] {
            assert_eq!(page(&Answer { status: 200, body: lie.into() }), None, "{lie}");
        }
    }
}
