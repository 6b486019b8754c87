use smtp_proto::request::receiver::{DataReceiver, RequestReceiver};
use smtp_proto::{EXT_8BIT_MIME, EXT_PIPELINING, EXT_SMTP_UTF8, EhloResponse, Error, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Mailbox;

/// The most bytes of one mail that are kept.
const MAX_MAIL: usize = 5 * 1024 * 1024;

pub(crate) async fn serve(listener: TcpListener, mailbox: Mailbox) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            if let Err(error) = (Session { stream, mailbox, from: String::new(), to: Vec::new() }).run().await {
                tracing::debug!(%error, "an SMTP session was cut");
            }
        });
    }
}

struct Session {
    stream: TcpStream,
    mailbox: Mailbox,
    from: String,
    to: Vec<String>,
}

/// What a session reads next.
enum Mode {
    Command,
    Data(DataReceiver, Vec<u8>),
    End,
}

impl Session {
    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 sandbox ESMTP").await?;
        let mut commands = RequestReceiver::default();
        let mut mode = Mode::Command;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut buffer).await?;
            let mut bytes = buffer.get(..read).unwrap_or_default().iter();
            if read == 0 {
                return Ok(());
            }
            while !bytes.as_slice().is_empty() {
                mode = match mode {
                    Mode::Command => match commands.ingest(&mut bytes) {
                        Ok(request) => self.answer(request.into_owned()).await?,
                        Err(Error::NeedsMoreData { .. }) => break,
                        Err(_) => {
                            self.say("500 5.5.2 not understood").await?;
                            Mode::Command
                        }
                    },
                    Mode::Data(mut receiver, mut mail) => {
                        if receiver.ingest(&mut bytes, &mut mail) {
                            self.keep(&mail).await?;
                            Mode::Command
                        } else if mail.len() > MAX_MAIL {
                            self.say("552 5.3.4 too large").await?;
                            Mode::End
                        } else {
                            Mode::Data(receiver, mail)
                        }
                    }
                    Mode::End => return Ok(()),
                };
            }
            if matches!(mode, Mode::End) {
                return Ok(());
            }
        }
    }

    async fn answer(&mut self, request: Request<String>) -> std::io::Result<Mode> {
        match request {
            Request::Ehlo { .. } => {
                let mut hello = EhloResponse::new("sandbox");
                hello.capabilities = EXT_8BIT_MIME | EXT_PIPELINING | EXT_SMTP_UTF8;
                let mut text = Vec::new();
                hello.write(&mut text)?;
                self.stream.write_all(&text).await?;
            }
            Request::Helo { .. } => self.say("250 sandbox").await?,
            Request::Mail { from } => {
                self.from = from.address;
                self.to.clear();
                self.say("250 2.1.0 ok").await?;
            }
            Request::Rcpt { to } => {
                self.to.push(to.address);
                self.say("250 2.1.5 ok").await?;
            }
            Request::Data if self.to.is_empty() => self.say("503 5.5.1 no recipient").await?,
            Request::Data => {
                self.say("354 go on, end with a dot").await?;
                return Ok(Mode::Data(DataReceiver::new(), Vec::new()));
            }
            Request::Rset => {
                self.to.clear();
                self.say("250 2.0.0 ok").await?;
            }
            Request::Noop { .. } => self.say("250 2.0.0 ok").await?,
            Request::Quit => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Mode::End);
            }
            _ => self.say("502 5.5.1 not offered").await?,
        }
        Ok(Mode::Command)
    }

    async fn keep(&mut self, mail: &[u8]) -> std::io::Result<()> {
        self.mailbox.keep(&self.from, &self.to, mail);
        self.to.clear();
        self.say("250 2.0.0 kept").await
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await
    }
}
