//! Sending mail: by SMTP, into a folder or to the console.

mod templates;

use std::path::PathBuf;
use std::time::Duration;

use kit::Secret;
use kit::env::Env;
use kit::tls::Authorities;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use templates::Templates;
pub(crate) use templates::{Params, Template};

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailConfig {
    backend: String,
    host: String,
    port: u16,
    user: Option<String>,
    password: Secret,
    use_tls: bool,
    authorities: Authorities,
    from: String,
    folder: PathBuf,
    /// The base URL of links in mails.
    frontend_url: String,
}

impl MailConfig {
    /// Reads the `EMAIL_*` variables.
    pub fn from_env(env: &mut Env) -> Self {
        let from = env.text("DEFAULT_FROM_EMAIL", "SongList <no-reply@songlist.example>", "Sender of every mail");
        if from.parse::<Mailbox>().is_err() {
            env.problem("DEFAULT_FROM_EMAIL is not an address such as SongList <no-reply@example.com>");
        }
        let host = env.text("EMAIL_HOST", "127.0.0.1", "SMTP server");
        let use_tls = env.get("EMAIL_USE_TLS", false, "STARTTLS, required");
        if !use_tls && !env.may_be_plain("smtp", &host) {
            env.problem(
                "EMAIL_USE_TLS must be true: codes would be readable on the wire (or set ALLOW_PLAINTEXT=smtp)",
            );
        }
        let config = Self {
            backend: env.choice(
                "EMAIL_BACKEND",
                &["smtp", "console", "file"],
                "smtp",
                "How mail leaves: smtp, console or file",
            ),
            host,
            port: env.get("EMAIL_PORT", 1025_u16, "Port of the SMTP server"),
            user: env.opt("EMAIL_HOST_USER", "User at the SMTP server"),
            password: Secret::new(env.opt("EMAIL_HOST_PASSWORD", "Password at the SMTP server").unwrap_or_default()),
            use_tls,
            authorities: Authorities::from_env(
                env,
                "EMAIL_CA_FILE",
                "PEM file of the authorities that sign the SMTP server's certificate; empty: the public ones",
            ),
            folder: PathBuf::from(env.text("EMAIL_FILE_PATH", ".dev/mail", "Folder of EMAIL_BACKEND=file")),
            frontend_url: env.text("FRONTEND_URL", "http://127.0.0.1:8000", "Where links in mails lead"),
            from,
        };
        if env.production() && config.backend != "smtp" {
            env.problem("EMAIL_BACKEND must be smtp in production: codes do not belong into a file or a log");
        }
        config
    }

    /// SMTP without TLS to a local port, for tests.
    pub fn local_smtp(port: u16) -> Self {
        let mut env = Env::of([("EMAIL_PORT", port.to_string())]);
        Self::from_env(&mut env)
    }
}

enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    File(AsyncFileTransport<Tokio1Executor>),
    Console,
}

/// Sends mails over a pool of connections.
pub(crate) struct Mailer {
    transport: Transport,
    from: Mailbox,
    templates: Templates,
    frontend_url: String,
}

/// A mail to be sent.
struct Mail {
    to: String,
    subject: String,
    text: String,
    html: String,
}

impl Mailer {
    /// # Errors
    /// When the sender's address cannot be parsed or the folder cannot be made.
    pub(crate) fn new(config: &MailConfig) -> anyhow::Result<Self> {
        let transport = match config.backend.as_str() {
            "file" => {
                std::fs::create_dir_all(&config.folder)?;
                Transport::File(AsyncFileTransport::new(&config.folder))
            }
            "console" => Transport::Console,
            _ => Transport::Smtp(smtp(config)?),
        };
        let (from, templates) = (config.from.parse()?, Templates::new()?);
        Ok(Self { transport, from, templates, frontend_url: config.frontend_url.clone() })
    }

    /// # Errors
    /// When the server does not accept it; the outbox tries again.
    pub(crate) async fn send(&self, template: Template, to: String, params: Params) -> anyhow::Result<()> {
        let params = Params { frontend: self.frontend_url.clone(), ..params };
        let mail = self.templates.render(template, to, &params)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(mail.to.parse()?)
            .subject(mail.subject)
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))?;
        match &self.transport {
            Transport::Smtp(smtp) => {
                smtp.send(message).await?;
            }
            Transport::File(folder) => {
                folder.send(message).await?;
            }
            Transport::Console => {
                use tokio::io::AsyncWriteExt;
                tokio::io::stdout().write_all(&message.formatted()).await?;
            }
        }
        Ok(())
    }
}

fn smtp(config: &MailConfig) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let builder = if config.use_tls {
        AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&config.host)?.tls(Tls::Required(tls(config)?))
    } else {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
    };
    let builder = builder.port(config.port).timeout(Some(Duration::from_secs(10)));
    Ok(match &config.user {
        Some(user) => builder.credentials(Credentials::new(user.clone(), config.password.expose().to_owned())).build(),
        None => builder.build(),
    })
}

fn tls(config: &MailConfig) -> anyhow::Result<TlsParameters> {
    let builder = TlsParameters::builder(config.host.clone());
    let builder = match config.authorities.private() {
        None => builder,
        Some(pem) => builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem.as_bytes())?),
    };
    Ok(builder.build()?)
}
