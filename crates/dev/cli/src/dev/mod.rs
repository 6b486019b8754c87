//! `songlist dev`: starts and watches everything on one machine.

mod children;
mod plan;
mod replicas;
mod report;
mod servers;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use kit::env::Env;
use tokio::signal::unix::{SignalKind, signal};

use crate::say;
use children::Children;
use plan::Plan;
pub(crate) use plan::SANDBOX_VARIABLES;
pub(crate) use replicas::Count;
use report::Report;
use servers::Servers;

/// Starts everything, waits until it is ready, prints the addresses, and runs until Ctrl-C.
pub(crate) async fn run(env: &mut Env, folder: &Path, counts: &[Count]) -> anyhow::Result<()> {
    let folder = std::env::current_dir()?.join(folder);
    fs::create_dir_all(folder.join("log")).with_context(|| format!("cannot make {}", folder.display()))?;
    let plan = Plan::from_env(env, counts)?;
    env.finish()?;
    plan.require_free_ports()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    tokio::select! {
        outcome = start_and_watch(env, &folder, &plan) => outcome,
        () = stopped => Ok(()),
    }
}

async fn start_and_watch(env: &mut Env, folder: &Path, plan: &Plan) -> anyhow::Result<()> {
    say("starting PostgreSQL and Redis ...");
    let mut servers = Servers::start(env, folder).await?;
    say("migrating and seeding ...");
    let variables = plan.variables(&servers, folder);
    servers.prepare(&variables).await?;
    let mut seeds = Env::of(variables.clone());
    servers.demo_tenant = Box::pin(crate::seed::run_demo(&mut seeds)).await?;
    let mut children = Children::start(&binaries()?, &folder.join("log"), &variables, &plan.replicas)?;
    plan.wait_until_ready(&mut children).await?;
    if let Some(gateways) = plan.gateways() {
        sandbox::front::start(plan.address("GATEWAY_HTTP_ADDR"), gateways).await?;
    }
    let report = Report::of(folder, plan, &servers);
    report.write(&children)?;
    report.print();
    loop {
        if children.restart_the_dead()? {
            report.write(&children)?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The folder of the other binaries, which is that of this one.
fn binaries() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("this program has no folder")?.to_owned())
}
