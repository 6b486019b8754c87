//! The replicas of one service as a client sees them: which of them get calls, and why.
//!
//! Calls go round. A replica is passed over while it has many more calls under way than the least busy one, and left when its
//! health check says so or is not answered, when it cannot be reached, or when its calls fail and those of others do not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::metrics::Metrics;

/// So many failed calls in a row make a replica an outlier, when others have none.
const OUTLIER: u32 = 5;
/// For how long an outlier gets no calls, the first time; each time longer.
const EJECTION: Duration = Duration::from_secs(5);
/// The longest ejection.
const MAX_EJECTION: Duration = Duration::from_secs(60);
/// After so long the ejections of a replica begin with the shortest again.
const FORGIVEN: Duration = Duration::from_secs(300);

/// Why a replica gets no calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody has asked it yet.
    New,
    /// It says that it does not serve: it stops, or its database is away.
    NotServing,
    /// It accepts connections and does not answer.
    NoAnswer,
    /// It cannot be connected to.
    Unreachable,
    /// Its calls fail while those of others do not.
    Outlier,
}

impl Reason {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::NotServing => "not serving",
            Self::NoAnswer => "no answer",
            Self::Unreachable => "unreachable",
            Self::Outlier => "outlier",
        }
    }
}

/// What a health check has found.
pub(super) type Checked = Result<(), Reason>;

#[derive(Debug)]
struct Standing {
    left: Option<Reason>,
    ejected_until: Option<Instant>,
    ejected_at: Option<Instant>,
    ejections: u32,
    /// When its connection was last lost, and whether the calls that were lost with it may be tried again.
    lost: Option<(Instant, bool)>,
    /// Cancelled when the calls under way are given up.
    given_up: CancellationToken,
}

/// One replica.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) addr: SocketAddr,
    /// The address as metrics name it.
    name: String,
    pub(super) channel: Channel,
    /// A connection of its own for health checks: those of calls may be full.
    pub(super) checks: Channel,
    /// How many calls it has answered.
    pub(super) answers: AtomicUsize,
    under_way: AtomicUsize,
    failures: AtomicU32,
    available: AtomicBool,
    standing: Mutex<Standing>,
}

impl Replica {
    pub(super) fn new(addr: SocketAddr, channel: Channel, checks: Channel) -> Arc<Self> {
        Arc::new(Self {
            addr,
            name: addr.to_string(),
            channel,
            checks,
            answers: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            available: AtomicBool::new(false),
            standing: Mutex::new(Standing {
                left: Some(Reason::New),
                ejected_until: None,
                ejected_at: None,
                ejections: 0,
                lost: None,
                given_up: CancellationToken::new(),
            }),
        })
    }

    fn is_available(&self) -> bool {
        self.available.load(Ordering::Relaxed)
    }

    fn busy(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }
}

/// The replica that was chosen for an attempt, which is under way there until this is dropped.
pub(super) struct Chosen {
    pub(super) replica: Arc<Replica>,
    pub(super) given_up: CancellationToken,
    pub(super) began: Instant,
}

impl Chosen {
    fn of(replica: &Arc<Replica>) -> Self {
        replica.under_way.fetch_add(1, Ordering::Relaxed);
        let given_up = replica.standing.lock().unwrap_or_else(PoisonError::into_inner).given_up.clone();
        Self { replica: replica.clone(), given_up, began: Instant::now() }
    }

    /// Whether an attempt under which the connection was lost may be repeated. The first one of a loss asks the budget, and its
    /// answer is that of all the others.
    pub(super) fn may_repeat_lost(&self, ask: impl FnOnce() -> bool) -> bool {
        let mut standing = self.replica.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, allowed)) = standing.lost
            && self.began < at
        {
            return allowed;
        }
        let allowed = ask();
        standing.lost = Some((Instant::now(), allowed));
        allowed
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        self.replica.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The replicas of one service.
#[derive(Debug)]
pub(super) struct Replicas {
    peer: &'static str,
    all: watch::Sender<Arc<[Arc<Replica>]>>,
    turn: AtomicUsize,
    pub(super) metrics: Metrics,
}

impl Replicas {
    pub(super) fn new(peer: &'static str, metrics: Metrics) -> Self {
        Self { peer, all: watch::Sender::default(), turn: AtomicUsize::new(0), metrics }
    }

    pub(super) fn all(&self) -> Arc<[Arc<Replica>]> {
        self.all.borrow().clone()
    }

    /// Replaces the replicas, after a look-up.
    pub(super) fn set(&self, replicas: Vec<Arc<Replica>>) {
        let old = self.all.send_replace(replicas.into());
        let new = self.all();
        let (was, is) = (|addr| old.iter().any(|r| r.addr == addr), |addr| new.iter().any(|r| r.addr == addr));
        for gone in old.iter().filter(|replica| !is(replica.addr)) {
            tracing::info!(peer = self.peer, replica = %gone.addr, "a replica has gone from the list");
            if gone.available.swap(false, Ordering::Relaxed) {
                self.metrics.peers.available(self.peer, &gone.name, -1);
            }
            self.metrics.peers.forget(self.peer, &gone.name);
        }
        for come in new.iter().filter(|replica| !was(replica.addr)) {
            self.metrics.peers.available(self.peer, &come.name, 0);
        }
    }

    /// Waits until an address is known.
    pub(super) async fn known(&self) {
        let _ = self.all.subscribe().wait_for(|all| !all.is_empty()).await;
    }

    /// The replica for the next call, not one of those that were tried when there is another; `None` while no address is known.
    pub(super) fn pick(&self, tried: &[SocketAddr]) -> Option<Chosen> {
        let all = self.all.borrow();
        let untried = |replica: &&Arc<Replica>| !tried.contains(&replica.addr);
        let usable = |replica: &&Arc<Replica>| replica.is_available() && untried(replica);
        // While none is known to serve, any may be better than nothing.
        let found = self
            .next_of(|| all.iter().filter(usable))
            .or_else(|| self.next_of(|| all.iter().filter(untried)))
            .or_else(|| self.next_of(|| all.iter()));
        found.map(Chosen::of)
    }

    /// The one whose turn it is; the least busy one while that has more than twice as many calls under way, and three more.
    fn next_of<'a, I>(&self, choice: impl Fn() -> I) -> Option<&'a Arc<Replica>>
    where
        I: Iterator<Item = &'a Arc<Replica>>,
    {
        let count = choice().count();
        // A choice without anybody takes no turn: two turns a call would always meet the same one of two.
        let turn = (count > 0).then(|| self.turn.fetch_add(1, Ordering::Relaxed))?.checked_rem(count)?;
        let (next, least) = (choice().nth(turn)?, choice().min_by_key(|replica| replica.busy())?);
        Some(if next.busy() > 2 * least.busy() + 3 { least } else { next })
    }

    /// True when there is another replica than these, whether it is known to serve or not.
    pub(super) fn lists_other(&self, than: &[SocketAddr]) -> bool {
        self.all.borrow().iter().any(|other| !than.contains(&other.addr))
    }

    /// True when another replica than these is known to serve.
    pub(super) fn has_other(&self, than: &[SocketAddr]) -> bool {
        self.all.borrow().iter().any(|other| !than.contains(&other.addr) && other.is_available())
    }

    /// Notes how a call has ended.
    pub(super) fn ended(&self, replica: &Arc<Replica>, outcome: &super::attempt::Outcome) {
        use super::attempt::Outcome;
        if !self.lists(replica) {
            return;
        }
        self.metrics.peers.call(self.peer, &replica.name, outcome.name());
        match outcome {
            Outcome::Answered(_) => {
                replica.failures.store(0, Ordering::Relaxed);
                replica.answers.fetch_add(1, Ordering::Relaxed);
                // The only one is not checked: where else should calls go?
                if !replica.is_available() && self.all.borrow().len() == 1 {
                    self.take_back(replica);
                }
            }
            Outcome::NeverSent { cannot_connect: true, .. } => self.leave(replica, Reason::Unreachable),
            // It is closing its connection in good order, or left already.
            Outcome::NeverSent { cannot_connect: false, .. }
            | Outcome::GivenUp
            | Outcome::Late { in_a_hurry: true, .. } => {}
            Outcome::Unavailable(_) | Outcome::Broken(_) | Outcome::Late { .. } => {
                if matches!(outcome, Outcome::Unavailable(_)) {
                    replica.answers.fetch_add(1, Ordering::Relaxed);
                }
                let failures = replica.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= OUTLIER && self.others_do_well(replica) {
                    self.leave(replica, Reason::Outlier);
                }
            }
        }
    }

    /// False for a replica that has gone from the list while a call was under way: its metrics are gone too.
    fn lists(&self, replica: &Arc<Replica>) -> bool {
        self.all.borrow().iter().any(|known| Arc::ptr_eq(known, replica))
    }

    /// What all replicas fail at is no fault of one of them; and at least half of them must remain.
    fn others_do_well(&self, replica: &Replica) -> bool {
        let all = self.all.borrow();
        let others = || all.iter().filter(|other| other.addr != replica.addr && other.is_available());
        others().any(|other| other.failures.load(Ordering::Relaxed) == 0) && others().count() * 2 >= all.len()
    }

    /// Notes what a health check has found.
    pub(super) fn checked(&self, replica: &Arc<Replica>, found: Checked) {
        match found {
            _ if !self.lists(replica) => {}
            Ok(()) => self.take_back(replica),
            Err(reason) => self.leave(replica, reason),
        }
    }

    fn leave(&self, replica: &Arc<Replica>, reason: Reason) {
        // What is under way at a replica that stops will be finished; what a frozen one has is better tried elsewhere.
        let give_up = matches!(reason, Reason::NoAnswer) && self.has_other(&[replica.addr]);
        let mut standing = replica.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if reason == Reason::Outlier && standing.left.is_none() {
            if standing.ejected_at.is_some_and(|at| at.elapsed() > FORGIVEN) {
                standing.ejections = 0;
            }
            let longer = EJECTION * 2_u32.saturating_pow(standing.ejections.min(8));
            standing.ejected_until = Some(Instant::now() + longer.min(MAX_EJECTION));
            standing.ejected_at = Some(Instant::now());
            standing.ejections = standing.ejections.saturating_add(1);
        }
        if give_up {
            std::mem::take(&mut standing.given_up).cancel();
        }
        let was_serving = standing.left.is_none();
        if was_serving || standing.left == Some(Reason::New) {
            standing.left = Some(reason);
        }
        // Under the lock, so that the flag and the reason agree.
        if replica.available.swap(false, Ordering::Relaxed) {
            self.metrics.peers.available(self.peer, &replica.name, -1);
        }
        drop(standing);
        if was_serving {
            self.metrics.event("replica_left");
            let (peer, reason) = (self.peer, reason.text());
            tracing::warn!(alarm = "replica_left", peer, replica = %replica.addr, reason, "a replica gets no calls while others serve");
        }
    }

    fn take_back(&self, replica: &Arc<Replica>) {
        let mut standing = replica.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.ejected_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        standing.ejected_until = None;
        let Some(reason) = standing.left.take() else { return };
        replica.failures.store(0, Ordering::Relaxed);
        if !replica.available.swap(true, Ordering::Relaxed) {
            self.metrics.peers.available(self.peer, &replica.name, 1);
        }
        drop(standing);
        self.metrics.event("replica_taken");
        let (peer, reason) = (self.peer, reason.text());
        tracing::info!(peer, replica = %replica.addr, was = reason, "a replica gets calls");
    }
}
