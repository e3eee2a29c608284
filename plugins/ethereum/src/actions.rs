//! What only this kind of backend can do: tell what the wallet has, and put the contract on a chain.

use alloy_primitives::{Address, Bytes};
use bitboot_plugin_api::{Action, ActionInfo, Error, ErrorKind, Output, Quote, Result};
use bitboot_rpc::first;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::backend::Ethereum;
use crate::contract::DEPLOYER;
use crate::fees::told;
use crate::node::Node;
use crate::purse::Deed;

/// What the actions take: nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

pub(crate) fn all() -> Vec<ActionInfo> {
    vec![
        ActionInfo::new::<NoArguments>("wallet", "The address of this backend's key, and what lies there"),
        ActionInfo::new::<NoArguments>(
            "deploy",
            "Put the contract on this chain, once and for everybody; costs a fee where nobody has done it",
        ),
    ]
}

/// What is to be done for the contract to be on a chain.
enum Missing {
    Nothing,
    /// It gets the address that it has everywhere.
    Everywhere(Deed),
    /// This chain does not have what gives it that address: it gets another one.
    Elsewhere(Deed),
}

impl Ethereum {
    pub(crate) async fn act(&self, action: Action, out: Output) -> Result<()> {
        match action.name.as_str() {
            "wallet" => self.wallet(out).await,
            "deploy" => self.deploy(out).await,
            other => Err(unknown(other)),
        }
    }

    pub(crate) async fn quote_act(&self, action: &Action) -> Result<Quote> {
        if action.name != "deploy" {
            return Ok(Quote::free());
        }
        let node = first(&self.nodes).await?;
        match self.missing(node).await? {
            Missing::Nothing => Ok(Quote::free()),
            Missing::Everywhere(deed) | Missing::Elsewhere(deed) => {
                let owner = self.purse.owner().await?;
                let plan = self.purse.quote(&self.nodes, owner, &deed).await?;
                let mut quote = self.quoted(&plan);
                quote.writes = format!("the contract, in a transaction of {owner}");
                quote.readers = "everybody, for ever: that the account has done it, and when".into();
                Ok(quote)
            }
        }
    }

    async fn wallet(&self, out: Output) -> Result<()> {
        let owner = self.purse.owner().await?;
        let node = first(&self.nodes).await?;
        let (balance, count) = (node.balance(owner).await?, node.nonce(owner).await?);
        let chain = self.config.chain().name();
        out.emit(&json!({
            "address": owner.to_string(),
            "balance": told(balance),
            "transactions": count,
            "chain": chain,
        }))
        .await
    }

    async fn deploy(&self, out: Output) -> Result<()> {
        let node = first(&self.nodes).await?;
        let (deed, is_elsewhere) = match self.missing(node).await? {
            Missing::Nothing => return self.tell_contract(&out, self.contract, None, false).await,
            Missing::Everywhere(deed) => (deed, false),
            Missing::Elsewhere(deed) => (deed, true),
        };
        let owner = self.purse.owner().await?;
        let cx = out.cx().clone();
        let plan = self.purse.spend(&self.nodes, owner, &deed).await?;
        let sent = self.purse.send(&self.nodes, owner, plan, &deed.purpose, &cx).await?;
        let contract = if is_elsewhere { owner.create(sent.nonce) } else { self.contract };
        if sent.receipt.is_some() && !self.is_there(node, contract).await? {
            let what = format!("the contract is not at {contract} although it was deployed");
            return Err(Error::new(ErrorKind::Integrity, what).because(sent.outcome()?));
        }
        // Somebody else may have been faster: then ours was undone, and the contract is there all the same.
        let outcome = sent.outcome().unwrap_or_else(|error| error.to_string());
        self.tell_contract(&out, contract, Some((outcome, told(sent.fee()))), is_elsewhere).await
    }

    async fn tell_contract(
        &self,
        out: &Output,
        contract: Address,
        done: Option<(String, String)>,
        is_elsewhere: bool,
    ) -> Result<()> {
        let mut told = json!({ "contract": contract.to_string(), "chain": self.config.chain().name() });
        match done {
            Some((note, fee)) => (told["fee"], told["note"]) = (json!(fee), json!(note)),
            None => told["note"] = json!("it is on this chain already"),
        }
        if is_elsewhere {
            told["next"] =
                json!(format!("tell it to all who meet there: bitboot backend set NAME contract={contract}"));
        }
        out.emit(&told).await
    }

    async fn missing(&self, node: &Node) -> Result<Missing> {
        if self.is_there(node, self.contract).await? {
            return Ok(Missing::Nothing);
        }
        if self.config.contract()?.is_some() {
            let what = format!(
                "the contract at {}, which this backend is set to, is another one or none",
                self.contract
            );
            return Err(Error::new(ErrorKind::Config, what)
                .fix("leave the address to the plugin: bitboot backend set NAME contract="));
        }
        let deed = |to: Option<Address>, data: Bytes| Deed {
            to,
            dearest: data.clone(),
            spare: 0,
            data,
            purpose: "to deploy the contract of bitboot".into(),
        };
        let has_deployer = !node.code(DEPLOYER).await?.is_empty();
        Ok(if has_deployer {
            Missing::Everywhere(deed(Some(DEPLOYER), self.compiled.deployment()))
        } else {
            Missing::Elsewhere(deed(None, self.compiled.bytecode.clone()))
        })
    }
}

fn unknown(action: &str) -> Error {
    Error::unsupported(format!("there is no action `{action}`"))
}
