use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use kit::Clock;
use mail_parser::MessageParser;
use tokio::sync::Notify;

/// The most mails that are kept; after that the oldest are dropped.
const KEPT: usize = 5_000;

/// One received mail.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: String,
    pub message_id: String,
    pub from: String,
    /// The envelope's recipients, in lower case.
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub size: usize,
    pub received_at: DateTime<Utc>,
}

#[derive(Default)]
struct Inner {
    mails: Mutex<VecDeque<Mail>>,
    arrived: Notify,
}

/// The received mails, the newest first. Clones share them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Inner>);

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn keep(&self, from: &str, to: &[String], raw: &[u8]) {
        let parsed = MessageParser::default().parse(raw);
        let part = |read: &dyn Fn(&mail_parser::Message<'_>) -> Option<String>| {
            parsed.as_ref().and_then(read).unwrap_or_default()
        };
        let mail = Mail {
            id: kit::ids::random().simple().to_string(),
            message_id: part(&|m| m.message_id().map(str::to_owned)),
            from: from.to_owned(),
            to: to.iter().map(|address| address.to_lowercase()).collect(),
            subject: part(&|m| m.subject().map(str::to_owned)),
            text: part(&|m| m.body_text(0).map(|text| text.into_owned())),
            html: part(&|m| m.body_html(0).map(|text| text.into_owned())),
            size: raw.len(),
            received_at: Clock::system().now(),
        };
        let mut mails = self.0.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(mail);
        mails.truncate(KEPT);
        drop(mails);
        self.0.arrived.notify_waiters();
    }

    /// The mails for which `wanted` is true, the newest first.
    pub fn find(&self, wanted: impl Fn(&Mail) -> bool) -> Vec<Mail> {
        let mails = self.0.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().filter(|mail| wanted(mail)).cloned().collect()
    }

    /// Deletes the mails for which `unwanted` is true.
    pub fn delete(&self, unwanted: impl Fn(&Mail) -> bool) {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner).retain(|mail| !unwanted(mail));
    }

    /// Waits for a mail to `address` whose subject contains `subject`; returns the newest one.
    pub async fn wait_for(&self, address: &str, subject: &str) -> Mail {
        let address = address.to_lowercase();
        loop {
            let arrived = self.0.arrived.notified();
            if let Some(mail) =
                self.find(|mail| mail.to.contains(&address) && mail.subject.contains(subject)).into_iter().next()
            {
                return mail;
            }
            arrived.await;
        }
    }
}

impl Mail {
    /// The one-time code in the text: a word of six digits.
    pub fn code(&self) -> Option<String> {
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        self.text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code).map(str::to_owned)
    }
}
