//! The `songlist` binary.

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
