//! Password hashing on threads of its own, with a bounded queue that no tenant fills alone.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kit::ids::TenantId;
use kit::{Code, Error, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::old_hashes::Floor;
use super::password_hashes::{self, DECOY, Memory, StoredHash, failed};
use super::passwords::MAX_CHARS;

/// The most hashes per core that run or wait; further ones are refused with 503 at once.
const QUEUE_PER_CORE: usize = 8;
/// A thread that has had nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(2);
/// A tenth of the normal priority. With the lowest one (19) sign-ins would starve while reads use every core.
const NICE: i32 = 10;

/// Hashes passwords, one at a time on each core. The threads have a low priority, so that many sign-ins at once do not
/// delay other work.
pub(crate) struct Hasher {
    jobs: Sender<Job>,
    queue: Arc<Semaphore>,
    /// The most places in the queue that one tenant may have.
    share: usize,
    taken: Arc<Mutex<HashMap<Option<TenantId>, usize>>>,
    floor: Arc<Floor>,
}

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// A place in the queue of hashes, given back when it is dropped.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    whose: Option<TenantId>,
    taken: Arc<Mutex<HashMap<Option<TenantId>, usize>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = taken.get_mut(&self.whose) {
            *places -= 1;
            if *places == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

impl Hasher {
    /// Starts the threads; they end when the hasher is dropped.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores {
            let waiting = waiting.clone();
            std::thread::spawn(move || {
                // On Linux this sets the priority of the calling thread. Hashing works without it, so an error is
                // ignored.
                let _ = rustix::process::setpriority_process(None, NICE);
                work_off(&waiting);
            });
        }
        let places = cores * QUEUE_PER_CORE;
        Self {
            jobs,
            queue: Arc::new(Semaphore::new(places)),
            share: (places / 2).max(1),
            taken: Arc::default(),
            floor: Arc::default(),
        }
    }

    /// Refuses when [`Self::turn`] would: a request that will need a hash asks before it costs anything else. `tenant` is
    /// `None` while it is not known whose the request is; then only the whole queue is looked at.
    ///
    /// # Errors
    /// `service_busy`.
    pub(crate) fn require_room(&self, tenant: Option<TenantId>) -> Result<(), Error> {
        let places = |tenant| self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(&Some(tenant)).copied();
        let is_full = self.queue.available_permits() == 0;
        let has_share = tenant.and_then(places).is_some_and(|places| places >= self.share);
        if is_full || has_share { Err(busy()) } else { Ok(()) }
    }

    /// A place in the queue for a tenant (`None`: the platform).
    ///
    /// # Errors
    /// `service_busy` when the queue is full, or half full with hashes of this tenant.
    pub(crate) fn turn(&self, tenant: Option<TenantId>) -> Result<Turn, Error> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_full| busy())?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let places = taken.entry(tenant).or_default();
        if *places >= self.share {
            return Err(busy());
        }
        *places += 1;
        Ok(Turn { _place: place, whose: tenant, taken: self.taken.clone() })
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `Internal` when hashing fails.
    pub(crate) async fn hash(&self, turn: Turn, password: &Secret) -> Result<String, Error> {
        let password = password.clone();
        self.off_thread(turn, move |memory| password_hashes::make(memory, &password)).await
    }

    /// True when the hash is one of the password. `None` and hashes that are not used (of another kind, or of an absurd
    /// cost) never verify, and take as long as others.
    ///
    /// # Errors
    /// `Internal` when hashing fails.
    pub(crate) async fn verify(&self, turn: Turn, password: &Secret, hash: Option<&str>) -> Result<bool, Error> {
        if password.expose().chars().count() > MAX_CHARS {
            return Ok(false);
        }
        let known = hash.and_then(StoredHash::parse);
        let (password, floor) = (password.clone(), self.floor.clone());
        let (right, began) = self
            .off_thread(turn, move |memory| {
                let (real, began) = (known.is_some(), Instant::now());
                let Some(stored) = known.or_else(|| StoredHash::parse(DECOY)) else { return Ok((false, began)) };
                let is_current = stored.is_current();
                let right = stored.verify(memory, &password)? && real;
                if !is_current {
                    floor.took(began.elapsed());
                }
                Ok((right, began))
            })
            .await?;
        self.floor.reach(began).await;
        Ok(right)
    }

    /// How long the comparison with a hash takes now.
    ///
    /// # Errors
    /// `Internal` when hashing fails.
    pub(super) async fn time_of(&self, turn: Turn, hash: &'static str) -> Result<Duration, Error> {
        self.off_thread(turn, move |memory| {
            let began = Instant::now();
            if let Some(stored) = StoredHash::parse(hash) {
                stored.verify(memory, &Secret::new("nobody's password"))?;
            }
            Ok(began.elapsed())
        })
        .await
    }

    /// How long a comparison takes at least.
    pub(super) fn floor(&self) -> &Floor {
        &self.floor
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&mut Memory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job = move |memory: &mut Memory| {
            let _turn = turn;
            // When the request was cancelled while it waited, nothing is computed.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        };
        self.jobs.send(Box::new(job)).map_err(|_ended| failed("its threads have ended"))?;
        answered.await.map_err(|_panicked| failed("a thread panicked"))?
    }
}

/// Does jobs until the hasher is dropped.
fn work_off(waiting: &Mutex<Receiver<Job>>) {
    let mut memory = Memory::new();
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(IDLE);
        match job {
            // After a panic only this request fails, because its answer is dropped; the thread goes on.
            Ok(job) => drop(std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut memory)))),
            Err(RecvTimeoutError::Timeout) => memory = Memory::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn busy() -> Error {
    Error::new(Code::ServiceBusy).retry_after(Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(hasher: &Hasher) -> Turn {
        hasher.turn(None).unwrap()
    }

    #[tokio::test]
    async fn pw_08_hashes_are_argon2id_with_their_own_salts_and_pw_13_others_never_verify() {
        let hasher = Hasher::new();
        let password = Secret::new("correct horse battery");
        let one = hasher.hash(turn(&hasher), &password).await.unwrap();
        let two = hasher.hash(turn(&hasher), &password).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two);
        assert!(hasher.verify(turn(&hasher), &password, Some(&one)).await.unwrap());
        assert!(!hasher.verify(turn(&hasher), &Secret::new("correct horse batterz"), Some(&one)).await.unwrap());
        for bad in [None, Some("!"), Some(""), Some("$argon2id$rubbish"), Some("md5$x$y")] {
            assert!(!hasher.verify(turn(&hasher), &password, bad).await.unwrap(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn pw_03_the_last_byte_of_a_long_password_counts() {
        let hasher = Hasher::new();
        let long = "🎵".repeat(127);
        let hash = hasher.hash(turn(&hasher), &Secret::new(format!("{long}🎶"))).await.unwrap();
        assert!(hasher.verify(turn(&hasher), &Secret::new(format!("{long}🎶")), Some(&hash)).await.unwrap());
        assert!(!hasher.verify(turn(&hasher), &Secret::new(format!("{long}🎵")), Some(&hash)).await.unwrap());
    }

    #[test]
    fn pw_15_the_queue_is_bounded_and_no_tenant_fills_it_alone() {
        let hasher = Hasher::new();
        let one = Some(TenantId::new());
        let of_one: Vec<Turn> = std::iter::from_fn(|| hasher.turn(one).ok()).collect();
        assert_eq!(of_one.len(), hasher.share);
        assert!(hasher.require_room(one).is_err() && hasher.require_room(None).is_ok());
        let of_others: Vec<Turn> = std::iter::from_fn(|| hasher.turn(Some(TenantId::new())).ok()).collect();
        assert_eq!(of_others.len(), hasher.share, "the other half of the queue is for other tenants");
        assert!(hasher.require_room(None).is_err());
        drop((of_one, of_others));
        assert!(hasher.turn(one).is_ok(), "places are given back");
    }
}
