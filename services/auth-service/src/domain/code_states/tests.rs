//! Every life of a challenge that clients can give it, with a mail server that fails and a crash at every point. A client
//! remembers nothing but the mails it was sent, and after a lost answer it asks again, so the walk over the states holds
//! every sequence of steps of any number of clients.

use std::collections::HashSet;

use super::*;

const SPACING: Duration = Duration::from_secs(60);
/// Two requests for a code fit into a life, with a minute left.
const TTL_SECS: i32 = 180;

/// A code that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    /// That of the newest code made, or of the one before.
    Newest,
    Older,
    /// No valid one.
    Wrong,
}

/// What the mail worker does with a waiting message.
#[derive(Clone, Copy, Debug)]
enum Mailing {
    Sent,
    /// Killed after the server took the mail, before the message was marked: it is sent again.
    SentUnmarked,
    /// Killed before the server was asked: the code is stored and nobody has it.
    KilledBefore,
    ServerFails,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    state: CodeState,
    /// Minutes since the challenge was opened.
    minute: i64,
    /// Messages that wait for the mail worker.
    waiting: u8,
    /// Whether somebody was mailed the newest code, and the one before. These two are valid.
    mailed: [bool; 2],
    any_mailed: bool,
    /// Failures of the mail server and of the worker that may still come.
    failures: u8,
    /// How often a code was asked for and not refused.
    asked: i32,
    /// The minute of the last one.
    last_asked: i64,
    /// What the rules are about.
    evaluated: u8,
    accepted: u8,
    /// When the first mail of this life was begun.
    begun: Option<i64>,
    killed_while_mailing: bool,
}

impl World {
    fn new() -> Self {
        let state = CodeState {
            ttl_secs: TTL_SECS,
            attempts: 0,
            sends: 1,
            last_sent_at: Some(at(0)),
            expires_at: None,
            consumed_at: None,
        };
        Self {
            state,
            minute: 0,
            waiting: 1,
            mailed: [false; 2],
            any_mailed: false,
            failures: 2,
            asked: 1,
            last_asked: 0,
            evaluated: 0,
            accepted: 0,
            begun: None,
            killed_while_mailing: false,
        }
    }

    fn apply(&mut self, event: Event) -> bool {
        match apply(&self.state, event, at(self.minute)) {
            Ok(next) => self.state = next,
            Err(_refused) => return false,
        }
        true
    }

    fn request(&mut self) {
        let before = self.state.clone();
        if self.apply(Event::CodeRequested { spacing: SPACING }) {
            self.waiting += u8::from(before.expires_at.is_some());
            assert!(self.minute > self.last_asked, "OT-06: a minute between two {self:?}");
            (self.asked, self.last_asked) = (self.asked + 1, self.minute);
        }
        assert_eq!((self.state.attempts, self.state.expires_at), (before.attempts, before.expires_at), "OT-06");
    }

    /// `killed`: the service dies after the guess was counted, before the action that it allows is committed.
    fn guess(&mut self, guess: Guess, killed: bool) {
        if !self.apply(Event::Guessed) {
            return;
        }
        self.evaluated += 1;
        let right = guess == Guess::Newest && self.mailed[0] || guess == Guess::Older && self.mailed[1];
        if right && !killed {
            self.accepted += u8::from(self.apply(Event::Accepted));
        }
    }

    fn mail(&mut self, mailing: Mailing) {
        let first = self.state.expires_at.is_none();
        if !self.apply(Event::MailStarted) {
            // An outage of the mail server alone never makes a challenge die unmailed.
            let over = self.state.consumed_at.is_some() || self.state.attempts >= MAX_ATTEMPTS;
            assert!(self.any_mailed || self.killed_while_mailing || over, "no mail was ever sent: {self:?}");
            self.waiting -= 1;
            return;
        }
        self.mailed = [false, self.mailed[0]];
        self.begun = self.begun.or(Some(self.minute));
        match mailing {
            Mailing::Sent => self.waiting -= 1,
            _ => self.failures -= 1,
        }
        match mailing {
            Mailing::Sent | Mailing::SentUnmarked => (self.mailed[0], self.any_mailed) = (true, true),
            Mailing::KilledBefore => self.killed_while_mailing = true,
            Mailing::ServerFails => {
                self.begun = self.begun.filter(|_| !first);
                self.apply(Event::MailFailed { first });
            }
        }
    }

    fn check(&self) {
        assert!(self.evaluated <= 5, "OT-04 {self:?}");
        assert!(self.accepted <= 1, "OT-03 {self:?}");
        assert!(self.asked <= 5, "OT-06 {self:?}");
        if let (Some(begun), Some(end)) = (self.begun, self.state.expires_at) {
            assert_eq!(end, at(begun + 3), "OT-06: no mail after the first changes the end: {self:?}");
        }
        let mut tries = self.clone();
        tries.guess(if self.mailed[0] { Guess::Newest } else { Guess::Older }, false);
        assert_eq!(is_open(&self.state, at(self.minute)), tries.evaluated > self.evaluated, "{self:?}");
        let ended = self.begun.is_some_and(|begun| self.minute >= begun + 3);
        let may_send = self.accepted == 0 && !ended && self.evaluated < 5 && self.asked < 5;
        assert_eq!(may_send_at(self), may_send, "{self:?}");
        let alive = self.accepted == 0 && self.evaluated < 5 && self.begun.is_some_and(|begun| self.minute < begun + 3);
        if !alive {
            assert_eq!(tries, *self, "a guess after the end");
        } else if self.mailed.contains(&true) {
            assert_eq!(tries.accepted, 1, "whoever has a valid mail and a guess left gets in: {self:?}");
        }
    }

    /// Every world that is one event away. A service that is killed before its first commit leaves this one.
    fn next(&self) -> Vec<World> {
        let mut worlds = Vec::new();
        let mut add = |change: &dyn Fn(&mut World)| {
            let mut world = self.clone();
            change(&mut world);
            worlds.push(world);
        };
        if self.minute < 5 {
            add(&|world| world.minute += 1);
        }
        if self.waiting > 0 {
            add(&|world| world.mail(Mailing::Sent));
            if self.failures > 0 {
                for mailing in [Mailing::SentUnmarked, Mailing::KilledBefore, Mailing::ServerFails] {
                    add(&|world| world.mail(mailing));
                }
            }
        }
        add(&World::request);
        for guess in [Guess::Newest, Guess::Older, Guess::Wrong] {
            add(&|world| world.guess(guess, false));
            add(&|world| world.guess(guess, true));
        }
        worlds
    }
}

fn may_send_at(world: &World) -> bool {
    may_send(&world.state, at(world.minute))
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::minutes(minute)
}

#[test]
fn ot_03_and_ot_04_and_ot_05_and_ot_06_hold_in_every_life_of_a_challenge() {
    let mut seen = HashSet::from([World::new()]);
    let mut open = vec![World::new()];
    while let Some(world) = open.pop() {
        world.check();
        open.extend(world.next().into_iter().filter(|next| seen.insert(next.clone())));
    }
    assert!(seen.len() > 10_000, "{} worlds", seen.len());
    assert!(
        seen.iter().any(|world| world.accepted == 1 && world.evaluated == 5),
        "the last guess may be the right one"
    );
}

#[test]
fn fault_13_the_life_of_a_code_begins_with_the_mail_that_the_server_takes() {
    let mut state = World::new().state;
    for minute in 0..30 {
        let first = state.expires_at.is_none();
        assert!(first);
        state = apply(&state, Event::MailStarted, at(minute)).unwrap();
        state = apply(&state, Event::MailFailed { first }, at(minute)).unwrap();
    }
    let mailed = apply(&state, Event::MailStarted, at(30)).unwrap();
    assert_eq!(mailed.expires_at, Some(at(33)));
    let late = apply(&mailed, Event::MailStarted, at(31)).unwrap();
    let failed = apply(&late, Event::MailFailed { first: false }, at(31)).unwrap();
    assert_eq!(failed.expires_at, mailed.expires_at, "a later mail that fails takes nothing from the first");
}
