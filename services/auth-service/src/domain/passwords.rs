use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use kit::{Code, Error, Secret};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Semaphore, oneshot};

use super::identity::{Person, compared};

/// The longest password; longer ones are refused before they are hashed.
const MAX_CHARS: usize = 128;
const MIN_CHARS: usize = 8;
/// The most hashes per core that run or wait; further ones are refused with 503 at once.
const QUEUE_PER_CORE: usize = 8;
/// Memory in KiB, passes and lanes of Argon2id, as OWASP recommends.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A hash of a random password that nobody knows, with the same cost. It is verified for unknown accounts, so that
/// these take the same time.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$ySDe5zMqulPpMtcUeGCwkw$CQHt/K1JdvLMhaOrXDAOFPHrQTMqk+z9buB9Zs7BwI0";

/// The most common passwords of eight characters and more (the list by Royce Williams that Django contains).
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../common_passwords.txt").lines().collect());

/// Checks a new password against the policy and the fields of its user.
///
/// # Errors
/// A sentence for the field.
pub(crate) fn check_new(password: &Secret, person: &Person) -> Result<(), String> {
    let text = password.expose();
    let chars = text.chars().count();
    if chars < MIN_CHARS {
        return Err(format!("Use at least {MIN_CHARS} characters."));
    }
    if chars > MAX_CHARS {
        return Err(format!("Use at most {MAX_CHARS} characters."));
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Err("Use more than digits.".to_owned());
    }
    let folded = compared(text);
    if COMMON.contains(folded.as_str()) {
        return Err("This password is too common.".to_owned());
    }
    let local = person.email.split('@').next().unwrap_or_default();
    let names = [&person.username, local, &person.first_name, &person.last_name, "songlist"];
    if names.iter().any(|name| similar(&folded, &compared(name))) {
        return Err("This password is too similar to your names.".to_owned());
    }
    Ok(())
}

/// True when the name makes up most of the password, or contains the password.
fn similar(password: &str, name: &str) -> bool {
    let (long, short) = (password.chars().count(), name.chars().count());
    short >= 4 && (password.contains(name) && short * 10 >= long * 6 || name.contains(password))
}

/// Hashes passwords on its own threads, one per core, with a bounded queue. The threads have a low priority, so
/// that many sign-ins at once do not delay other work.
pub(crate) struct Hasher {
    jobs: mpsc::Sender<Job>,
    admitted: Arc<Semaphore>,
}

type Job = Box<dyn FnOnce() + Send>;

/// A tenth of the normal priority. With the lowest one (19) sign-ins would starve while reads use every core.
const NICE: i32 = 10;

impl Hasher {
    /// Starts the threads; they end when the hasher is dropped.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores {
            let waiting = waiting.clone();
            std::thread::spawn(move || {
                // On Linux this sets the priority of the calling thread. Hashing works without it, so an error is
                // ignored.
                let _ = rustix::process::setpriority_process(None, NICE);
                loop {
                    let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // After a panic only this request fails, because its answer is dropped; the thread goes on.
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(job));
                }
            });
        }
        Self { jobs, admitted: Arc::new(Semaphore::new(cores * QUEUE_PER_CORE)) }
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `Unavailable` when the queue is full.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, Error> {
        let password = password.clone();
        self.off_thread(move || {
            let mut salt = [0_u8; 16];
            SystemRandom::new().fill(&mut salt).map_err(failed)?;
            let hash = argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// True when the hash is one of the password. `None` and unusable hashes never verify, and take as long as others.
    ///
    /// # Errors
    /// `Unavailable` when the queue is full.
    pub(crate) async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool, Error> {
        if password.expose().chars().count() > MAX_CHARS {
            return Ok(false);
        }
        let known = hash.filter(|hash| hash.starts_with("$argon2id$"));
        let (password, hash, real) = (password.clone(), known.unwrap_or(DECOY).to_owned(), known.is_some());
        self.off_thread(move || {
            let Ok(parsed) = PasswordHash::new(&hash) else { return Ok(false) };
            Ok(argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok() && real)
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_full| busy())?;
        let (answer, answered) = oneshot::channel();
        let job = move || {
            let _admitted = admitted;
            // When the request was cancelled while it waited, nothing is computed.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        };
        self.jobs.send(Box::new(job)).map_err(|_ended| failed("its threads have ended"))?;
        answered.await.map_err(|_panicked| failed("a thread panicked"))?
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(anyhow::anyhow!("password hashing: {error}"))
}

fn busy() -> Error {
    Error::new(Code::ServiceBusy).retry_after(Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        let text = str::to_owned;
        Person {
            username: text("anna.kumar"),
            email: text("anna@example.com"),
            first_name: text("Anna"),
            last_name: text("Kumar"),
            phone_no: String::new(),
        }
    }

    fn refused(password: &str) -> bool {
        check_new(&Secret::new(password), &person()).is_err()
    }

    #[test]
    fn pw_01_lengths_are_counted_in_characters() {
        assert!(refused("kx7!दल") && !refused("kx7!दलज़9") && !refused(&"🎵x".repeat(64)) && refused(&"🎵x".repeat(65)));
    }

    #[test]
    fn pw_05_and_pw_07_common_and_personal_passwords_are_refused() {
        for bad in ["password", "PASSWORD1", "iloveyou1", "1234567890123", "anna.kumar", "Anna.Kumar1", "songlist1"] {
            assert!(refused(bad), "{bad}");
        }
        assert!(!refused("correct horse battery"));
    }

    #[tokio::test]
    async fn pw_08_hashes_are_argon2id_with_their_own_salts_and_pw_13_others_never_verify() {
        let hasher = Hasher::new();
        let password = Secret::new("correct horse battery");
        let (one, two) = (hasher.hash(&password).await.unwrap(), hasher.hash(&password).await.unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two);
        assert!(hasher.verify(&password, Some(&one)).await.unwrap());
        assert!(!hasher.verify(&Secret::new("correct horse batterz"), Some(&one)).await.unwrap());
        for bad in [None, Some("!"), Some(""), Some("$argon2id$rubbish"), Some("md5$x$y")] {
            assert!(!hasher.verify(&password, bad).await.unwrap(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn pw_03_the_last_byte_of_a_long_password_counts() {
        let hasher = Hasher::new();
        let long = "🎵".repeat(127);
        let hash = hasher.hash(&Secret::new(format!("{long}🎶"))).await.unwrap();
        assert!(hasher.verify(&Secret::new(format!("{long}🎶")), Some(&hash)).await.unwrap());
        assert!(!hasher.verify(&Secret::new(format!("{long}🎵")), Some(&hash)).await.unwrap());
    }
}
