//! The `bitboot` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    bitboot::cli::main()
}
