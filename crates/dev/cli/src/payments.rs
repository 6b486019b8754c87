use clap::Subcommand;
use kit::env::Env;
use kit::money::decimal;
use payments_service::operators;
use uuid::Uuid;

use crate::payments_export::{Wanted, export};
use crate::say;

/// The commands about payments.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Show webhooks that wait, were put aside or have a note, the oldest first.
    Inbox {
        /// The most webhooks that are shown.
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// Apply a webhook again.
    Replay {
        /// The id that Razorpay gave the event.
        event: String,
    },
    /// Show why a tenant is premium, or is not: everything that is known about its payments.
    Why {
        /// The tenant's id.
        tenant: Uuid,
    },
    /// Ask Razorpay now about every payment about which there may be something to learn.
    Reconcile,
    /// Write the ledger of a span of time to standard output, for accounting.
    Export(Wanted),
    /// Compute every payment, its ledger and who is premium from the recorded facts again, and show what does not agree.
    Verify,
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    let config = payments_service::Config::from_env(env);
    env.finish()?;
    let app = payments_service::App::new(config)?;
    match what {
        What::Inbox { limit } => {
            let events = operators::inbox(&app, limit).await?;
            for event in &events {
                let at = event.received_at.format("%Y-%m-%dT%H:%M:%SZ");
                let (id, name, state) = (&event.event_id, &event.event, &event.state);
                say(&format!("{id}  {at}  {state}  {name}, {} attempts: {}", event.attempts, event.note));
            }
            say(&format!("{} webhooks.", events.len()));
        }
        What::Replay { event } => {
            anyhow::ensure!(operators::replay(&app, &event).await?, "no webhook has this id");
            say("It is applied again now.");
        }
        What::Why { tenant } => {
            let (premium, accounts) = operators::why(&app, tenant).await?;
            say(if premium { "The tenant is premium." } else { "The tenant is not premium." });
            for account in accounts {
                say(&format!(
                    "{}  {}  {}  {}, refunded {}, to be refunded {}",
                    account.id,
                    account.created_at.format("%Y-%m-%dT%H:%M:%SZ"),
                    account.status,
                    decimal(account.amount_minor),
                    decimal(account.refunded_minor),
                    decimal(account.refund_due_minor),
                ));
                for (at, fact, cause) in account.facts {
                    say(&format!("    {}  {cause}: {fact}", at.format("%Y-%m-%dT%H:%M:%SZ")));
                }
            }
        }
        What::Reconcile => {
            for round in operators::reconcile(&app).await? {
                say(&round);
            }
            say("All that was due was asked about.");
        }
        What::Export(wanted) => export(&app, wanted).await?,
        What::Verify => {
            let (count, faults) = operators::verify(&app).await?;
            for fault in &faults {
                say(fault);
            }
            anyhow::ensure!(faults.is_empty(), "{} of what {count} payments say does not agree", faults.len());
            say(&format!("{count} payments agree with their facts, the ledger and who is premium."));
        }
    }
    Ok(())
}
