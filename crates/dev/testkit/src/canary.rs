//! Looks through everything that a test made for what is secret: passwords, tokens, mailed codes. Every test that signs somebody
//! in is searched this way when its services stop: logs at the most talkative level, every column, every value of Redis, every
//! metric. An answer is searched when it arrives.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use anyhow::{bail, ensure};
use kit::telemetry;
use kit_redis::RedisConfig;
use sandbox::mailbox::{Mail, Mailbox};
use serde_json::Value;

use crate::{TestDb, redis_dump, schema};

/// Fields of requests whose values are passwords or tokens.
const SENT: [&str; 7] = [
    "password",
    "confirm_password",
    "old_password",
    "new_password",
    "confirm_new_password",
    "refresh",
    "recovery_code",
];
/// Fields of answers that issue something secret.
const ISSUED: [&str; 4] = ["access", "refresh", "secret", "recovery_codes"];
/// A shorter text may stand in a log by chance: tests send passwords such as `short` as well. A recovery code has eleven letters.
const SHORTEST: usize = 11;

/// The log of this process, in the format of production.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lock(&LOG).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what this process logs from now on.
pub fn record_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| telemetry::install_to("trace", || LogWriter));
}

/// What this process has logged.
fn log() -> String {
    String::from_utf8_lossy(&lock(&LOG)).into_owned()
}

/// The lines of the log that have all of these texts.
pub fn logged(texts: &[&str]) -> Vec<String> {
    log().lines().filter(|line| texts.iter().all(|text| line.contains(text))).map(str::to_owned).collect()
}

/// The codes in the mails of a test.
pub fn mailed_codes(mailbox: &Mailbox) -> BTreeSet<String> {
    // A number of six digits in a mail may be a part of its reader's address.
    let code = |mail: &Mail| mail.code().filter(|code| !mail.to.iter().any(|to| to.contains(code)));
    mailbox.find(|_| true).iter().filter_map(code).collect()
}

/// The passwords and tokens of one test.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    /// Remembers a password or token.
    pub fn keep(&self, secret: &str) {
        lock(&self.0).insert(secret.to_owned());
    }

    /// Remembers what a request sent and what its answer issued.
    ///
    /// # Errors
    /// When the answer holds a secret that it did not issue.
    pub fn exchanged(&self, sent: Option<&[u8]>, status: u16, answer: &Value, text: &str) -> anyhow::Result<()> {
        let mut issued = BTreeSet::new();
        let mut known = lock(&self.0);
        // What was refused is no secret, and tests send every hostile text as a password too.
        if (200..300).contains(&status) {
            collect(answer, &ISSUED, &mut issued);
            if let Some(body) = sent.and_then(|body| serde_json::from_slice(body).ok()) {
                collect(&body, &SENT, &mut known);
            }
        }
        for secret in known.iter().filter(|secret| !issued.contains(*secret)) {
            ensure!(!text.contains(secret.as_str()), "an answer holds the secret {secret}: {text}");
        }
        known.append(&mut issued);
        Ok(())
    }

    /// Searches the log of this process, every column of the databases and every value of Redis.
    ///
    /// # Errors
    /// When one of the secrets or `codes` is there, or when the log was not recorded.
    pub async fn ensure_kept(
        &self,
        dbs: &[&TestDb],
        redis: &RedisConfig,
        codes: &BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let log = log();
        ensure!(!log.is_empty(), "the log of the services was not recorded");
        self.ensure_absent("the log", &log, codes)?;
        for db in dbs {
            self.ensure_absent(&db.schema, &schema::dump(db).await?, codes)?;
        }
        let redis = redis_dump(redis).await?;
        let redis: Vec<String> = redis.iter().map(|entry| format!("{} {}", entry.key, entry.value)).collect();
        self.ensure_absent("Redis", &redis.join("\n"), codes)
    }

    /// Searches `text`, which `name` names, for every secret and every one of `codes`.
    ///
    /// # Errors
    /// When one is there.
    pub fn ensure_absent(&self, name: &str, text: &str, codes: &BTreeSet<String>) -> anyhow::Result<()> {
        for secret in lock(&self.0).iter() {
            ensure!(!text.contains(secret.as_str()), "{name} holds the secret {secret}");
            // Binary columns are read as hexadecimal digits.
            ensure!(!text.contains(&hex::encode(secret)), "{name} holds the bytes of the secret {secret}");
            // The signature of a token serves as well as the whole.
            let signature = secret.rsplit_once('.').map(|(_, last)| last).filter(|last| last.len() >= SHORTEST);
            ensure!(!signature.is_some_and(|last| text.contains(last)), "{name} holds a part of {secret}");
        }
        for number in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))) {
            if codes.contains(number.trim_matches(['.', '-', '_'])) {
                let around = text.lines().find(|line| line.contains(number)).unwrap_or_default();
                bail!("{name} holds the code {number}: {around}");
            }
        }
        Ok(())
    }
}

/// Every text within `value` that is under one of the `names`.
fn collect(value: &Value, names: &[&str], into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if names.contains(&name.as_str()) {
                    texts(inner, into);
                } else {
                    collect(inner, names, into);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, into)),
        _ => {}
    }
}

fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_found_in_an_answer_in_a_text_and_as_a_part() {
        let secrets = Secrets::default();
        let (sent, issued) =
            (json!({ "password": "a long password" }), json!({ "data": { "refresh": "aaa.bbb.signature000" } }));
        let sent = serde_json::to_vec(&sent).unwrap();
        secrets.exchanged(Some(&sent), 200, &issued, &issued.to_string()).unwrap();
        let refused = json!({ "password": "another password" });
        secrets.exchanged(Some(&serde_json::to_vec(&refused).unwrap()), 400, &json!({}), "{}").unwrap();
        let codes = BTreeSet::from(["123456".to_owned()]);
        for (text, is_there) in [
            ("in a log: a long password.", true),
            ("token aaa.bbb.signature000", true),
            ("only signature000", true),
            (&format!("\\x{}", hex::encode("a long password")), true),
            ("the code is 123456.", true),
            ("at 12:00:00.123456+00, 9123456 and another password", false),
        ] {
            assert_eq!(secrets.ensure_absent("a text", text, &codes).is_err(), is_there, "{text}");
        }
        assert!(secrets.exchanged(None, 200, &json!({}), "a long password").is_err(), "an answer repeats it");
    }
}
