//! One process is one DHT client of somebody else, see ../../README.md.

mod acks;
mod args;
mod bind;
mod client;
mod engine;
mod ops;
mod protocol;

use std::io::BufRead;
use std::process::ExitCode;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use args::{Args, Engine};
use client::Client;
use protocol::{answer, say};

fn main() -> ExitCode {
    let args = match args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => return complain(&why),
    };
    bind::every_socket_to(args.setup.host);
    acks::listen();
    // One thread: what is waited for is the network, and a second one would only add a wake-up to each packet.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    let done = match args.engine {
        Engine::Mainline => runtime.block_on(serve::<engine::mainline::Mainline>(&args)),
        Engine::Dht => runtime.block_on(serve::<engine::dht::DhtCrate>(&args)),
        Engine::N0 => runtime.block_on(serve::<engine::n0::N0>(&args)),
    };
    done.map_or_else(|why| complain(&why), |()| ExitCode::SUCCESS)
}

fn complain(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

async fn serve<C: Client>(args: &Args) -> Result<(), String> {
    // Before all else: a process whose parent dies while it bootstraps must end too.
    let mut lines = stdin_lines();
    let client = C::start(&args.setup)?;
    let bootstrapped = args.setup.bootstrap.is_empty() || ops::bootstrapped(&client).await;
    let at = client.address().await?.to_string();
    say(&serde_json::json!({ "ready": true, "at": at, "bootstrapped": bootstrapped }));
    while let Some(line) = lines.recv().await {
        say(&answer(&client, &args.setup, &line).await);
    }
    Ok(())
}

/// The lines of stdin. Its end ends the process at once, whatever it is busy with: nobody is left to hear an answer.
fn stdin_lines() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && sender.send(line).is_err() {
                break;
            }
        }
        end()
    });
    lines
}

#[expect(clippy::disallowed_methods, reason = "threads of other people's crates know no other end")]
pub(crate) fn end() -> ! {
    std::process::exit(0)
}
