//! Tests of the command line with real processes, and of the files that it generates.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod canary;
mod dev;
mod generated_files;
mod production;
