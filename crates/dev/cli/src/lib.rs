//! The `songlist` command line, for operators and developers.

mod chaos;
mod demo;
mod dev;
mod doctor;
mod doctor_replicas;
mod example;
mod generate;
mod keys;
mod mail;
mod migrate;
mod payments;
mod payments_export;
mod running;
mod seed;
mod songs;
mod superuser;
mod with_servers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kit::env::Env;

pub use example::env_example;

/// Run, administer and try SongList.
///
/// Exit codes: 0 done, 1 failed (the reason is printed), 2 wrong usage, 64 wrong configuration.
#[derive(Parser)]
#[command(name = "songlist", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything on this machine: private PostgreSQL and Redis, five services, sandbox; Ctrl-C stops it all.
    ///
    /// With DATABASE_ADMIN_URL or REDIS_URL set, those servers are used. Addresses come from the same variables that
    /// the services read (see .env.example); when a port is taken, the error names it.
    Dev {
        #[command(flatten)]
        at: At,
        /// How many replicas of which services, such as songlist=2,auth=2,gateway=2; one of each when not named. Several
        /// gateways have a small front at the gateway's address.
        #[arg(long, value_delimiter = ',')]
        replicas: Vec<dev::Count>,
    },
    /// Play the whole journey against a running stack and print each step with its status and time.
    Demo {
        #[command(flatten)]
        at: At,
    },
    /// Play the journey against a running stack while its processes are killed with SIGKILL and Redis is flushed.
    ///
    /// Plays it once per service. Fails when the journey does not reach its end, when a failure is not answered with a
    /// proper 503, or when a message is lost.
    Chaos {
        #[command(flatten)]
        at: At,
        /// Kill the service before every step of the journey whose number is a multiple of this.
        #[arg(long, default_value_t = 3)]
        every: usize,
        /// Services to kill; all five, one after the other, when missing.
        #[arg(value_parser = chaos::VICTIMS)]
        victims: Vec<String>,
    },
    /// Run the pending migrations of every service, or of one.
    ///
    /// Needs <SVC>_MIGRATE_DATABASE_URL, or the DB_* parts with the owner roles.
    Migrate {
        /// auth, songlist, payments or scheduler; all of them when missing.
        service: Option<String>,
    },
    /// Insert the rows that an installation begins with; may be repeated.
    Seed {
        #[command(subcommand)]
        what: seed::What,
    },
    /// Fill a running development stack with tenants and songs, the same ones for the same seed.
    Gen {
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        amounts: generate::Amounts,
    },
    /// Import GLOBAL songs.
    Songs {
        #[command(subcommand)]
        what: songs::What,
    },
    /// Create and administer SUPER_ADMINs.
    Superuser {
        #[command(subcommand)]
        what: superuser::What,
    },
    /// Look at mails that were not sent yet, and try them again.
    Mail {
        #[command(subcommand)]
        what: mail::What,
    },
    /// Look at payments: webhooks, the reasons of premium, and whether the books agree.
    Payments {
        #[command(subcommand)]
        what: payments::What,
    },
    /// Rotate the keys that sign tokens.
    Keys {
        #[command(subcommand)]
        what: keys::What,
    },
    /// Check everything that SongList needs and print what to do about each fault.
    Doctor,
    /// Print .env.example: every variable with its default.
    EnvExample,
    /// Print docs/permissions.md, made from the gateway's policy table.
    Permissions,
    /// Print docs/errors.md, made from the enum of error codes.
    Errors,
    /// Print the OpenAPI document, as the gateway of this environment serves it.
    Openapi,
    /// Print proto/descriptor.lock: the fields and methods that services of another release rely on.
    Descriptors,
    /// Start throw-away PostgreSQL and Redis servers, run a command with TEST_DATABASE_URL and TEST_REDIS_URL set, stop them.
    WithServers {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<String>,
    },
}

/// Where a development stack keeps its servers, logs and `demo.json`.
#[derive(clap::Args)]
struct At {
    /// The stack's folder; several stacks may run at the same time, each with its own folder and ports.
    #[arg(long, default_value = ".dev")]
    dev_dir: PathBuf,
}

/// Runs the command that the arguments name.
pub async fn run(cli: Cli) -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut env = Env::process();
    let outcome = match cli.command {
        Command::Dev { at, replicas } => Box::pin(dev::run(&mut env, &at.dev_dir, &replicas)).await,
        Command::Demo { at } => demo::run(&at.dev_dir).await,
        Command::Chaos { at, every, victims } => chaos::run(&at.dev_dir, &victims, every).await,
        Command::Migrate { service } => migrate::run(&mut env, service.as_deref()).await,
        Command::Seed { what } => Box::pin(seed::run(&mut env, what)).await,
        Command::Gen { at, amounts } => Box::pin(generate::run(&at.dev_dir, &amounts)).await,
        Command::Songs { what } => Box::pin(songs::run(&mut env, what)).await,
        Command::Mail { what } => Box::pin(mail::run(&mut env, what)).await,
        Command::Payments { what } => Box::pin(payments::run(&mut env, what)).await,
        Command::Keys { what } => Box::pin(keys::run(&mut env, what)).await,
        Command::Superuser { what } => Box::pin(superuser::run(&mut env, what)).await,
        Command::Doctor => Box::pin(doctor::run(&mut env)).await,
        Command::EnvExample => {
            say(&env_example());
            Ok(())
        }
        Command::Descriptors => proto::descriptor_lock().map(|lock| say(&lock)).map_err(Into::into),
        Command::Permissions => {
            say(&gateway::permissions_table());
            Ok(())
        }
        Command::Errors => {
            say(&gateway::errors_table());
            Ok(())
        }
        Command::Openapi => {
            let public_url = gateway::Config::from_env(&mut env).public_url;
            serde_json::to_string_pretty(&gateway::openapi_document(&public_url))
                .map(|document| say(&document))
                .map_err(Into::into)
        }
        Command::WithServers { command } => return with_servers::run(&command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("songlist: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line to the terminal.
#[expect(clippy::print_stdout, reason = "a command line prints")]
fn say(line: &str) {
    println!("{line}");
}
