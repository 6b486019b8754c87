use anyhow::Context;
use clap::Subcommand;
use kit::Secret;
use kit::env::Env;
use kit::error::Error;

use crate::say;

/// The commands about SUPER_ADMINs. Passwords are read from the first line of standard input when not given.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Create a verified SUPER_ADMIN; one that exists is left as it is.
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        username: String,
        /// The password; visible in the process list, so standard input is the better way.
        #[arg(long)]
        password: Option<String>,
    },
    /// Set a new password; every session ends.
    ResetPassword {
        #[arg(long)]
        email: String,
        #[arg(long)]
        password: Option<String>,
    },
    /// Print a code for the newest sign-in that waits for one: for signing in while mail does not work.
    Otp {
        #[arg(long)]
        email: String,
    },
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    let config = auth_service::Config::from_env(env);
    env.finish()?;
    let superusers = auth_service::Superusers::new(auth_service::App::new(config).await?);
    match what {
        What::Create { email, username, password } => {
            let password = password_or_stdin(password)?;
            let new = auth_service::NewSuperuser { username, email, password };
            let made = superusers.create(&new).await.map_err(explain)?;
            say(if made {
                "SUPER_ADMIN created."
            } else {
                "A SUPER_ADMIN with this e-mail exists; nothing was changed."
            });
        }
        What::ResetPassword { email, password } => {
            superusers.reset_password(&email, &password_or_stdin(password)?).await.map_err(explain)?;
            say("Password set; every session was ended.");
        }
        What::Otp { email } => {
            let code = superusers
                .otp(&email)
                .await
                .map_err(explain)
                .context("begin to sign in first, then ask for the code")?;
            say(code.expose());
        }
    }
    Ok(())
}

fn password_or_stdin(given: Option<String>) -> anyhow::Result<Secret> {
    if let Some(password) = given {
        return Ok(Secret::new(password));
    }
    eprintln!("Password:");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

#[expect(clippy::needless_pass_by_value, reason = "the argument of map_err")]
/// An error for an operator, with its fields and its cause.
pub(crate) fn explain(error: Error) -> anyhow::Error {
    let fields: Vec<String> = error.fields().iter().map(|(field, text)| format!("{field}: {text}")).collect();
    let cause = error.source().map(|source| format!(" ({source:#})")).unwrap_or_default();
    anyhow::anyhow!("{error} {}{cause}", fields.join(" "))
}
