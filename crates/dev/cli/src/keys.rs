use clap::Subcommand;
use kit::env::Env;

use crate::say;

/// The commands about the keys that sign tokens.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Publish a new signing key; ten minutes later it signs, and nobody is signed out.
    ///
    /// Every replica of auth-service and gateway has to run a release that knows this command.
    Rotate {
        /// Replace every key at once, because one was stolen: everybody has to sign in again.
        #[arg(long)]
        now: bool,
    },
    /// Seal every signing key with the first key of AUTH_KEY_ENCRYPTION_KEY, after which the others can be taken away.
    ///
    /// To change that key: append the new one on every replica; then put it first on every replica; then run this.
    Reseal,
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    let config = auth_service::Config::from_env(env);
    env.finish()?;
    let app = auth_service::App::new(config).await?;
    match what {
        What::Reseal => {
            let again = auth_service::keys::reseal(&app).await?;
            say(&format!("{again} keys were sealed again."));
        }
        What::Rotate { now: false } => {
            let kid = auth_service::keys::rotate(&app).await?;
            say(&format!("Key {kid} is published; it signs in ten minutes."));
        }
        What::Rotate { now: true } => {
            let kid = auth_service::keys::replace_all(&app).await?;
            say(&format!("Key {kid} signs now; within seconds no earlier token is valid."));
        }
    }
    Ok(())
}
