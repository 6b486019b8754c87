use clap::Subcommand;
use kit::env::Env;
use uuid::Uuid;

use crate::say;

/// The commands about mails that were not sent yet.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Show the mails that wait for another attempt or were given up, the oldest first.
    List,
    /// Try a mail again at once, or all of them.
    Retry {
        /// Its id; without one every mail that failed is tried again.
        id: Option<Uuid>,
    },
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    let config = auth_service::Config::from_env(env);
    env.finish()?;
    let app = auth_service::App::new(config).await?;
    match what {
        What::List => {
            let mails = auth_service::mails::list(&app).await?;
            for mail in &mails {
                let tenant = mail.tenant_id.map_or_else(|| "platform".to_owned(), |id| id.to_string());
                let error = mail.last_error.as_deref().unwrap_or("being sent");
                say(&format!(
                    "{}  {}  {}  {} of tenant {tenant}, {} attempts: {error}",
                    mail.id,
                    mail.created_at.format("%Y-%m-%dT%H:%M:%SZ"),
                    mail.state,
                    mail.topic,
                    mail.attempts,
                ));
            }
            say(&format!("{} mails are not sent yet.", mails.len()));
        }
        What::Retry { id } => {
            let tried = auth_service::mails::retry(&app, id).await?;
            anyhow::ensure!(id.is_none() || tried == 1, "no such mail waits for another attempt");
            say(&format!("{tried} mails are tried again now."));
        }
    }
    Ok(())
}
