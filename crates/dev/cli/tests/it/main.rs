//! The command line as a person types it, and the files it generates.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod dev;
mod generated_files;
