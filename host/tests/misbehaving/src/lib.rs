//! Backends that break the contract, each in its own way. What happens is set by their configuration, so that one library serves
//! every test; the libraries that are not even opened are under `examples/`.

mod careless;
mod credentials;
mod dies;
mod floods;
mod garbage;
mod hangs;
mod intrudes;
mod lax;
mod memory;
mod panics;
mod prints;
mod slow;
mod toll;

use bitboot_plugin_api::export_plugin;

use careless::Careless;
use credentials::Credentials;
use dies::Dies;
use floods::Floods;
use garbage::Garbage;
use hangs::Hangs;
use intrudes::Intrudes;
use lax::Lax;
use panics::Panics;
use prints::Prints;
use slow::Slow;
use toll::Toll;

export_plugin! {
    manifest: "../plugin.toml",
    backends: [Panics, Careless, Lax, Hangs, Slow, Floods, Garbage, Prints, Dies, Toll, Intrudes, Credentials]
}
