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

/// How a mail that was begun ends.
#[derive(Clone, Copy, Debug)]
enum Mailing {
    Sent,
    /// The worker is killed after the server took the mail, before the message was marked: it is sent again.
    SentUnmarked,
    /// The worker is killed before the server took it: the code is stored and nobody has it.
    Killed,
    ServerFails,
}

/// Who has a stored code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Somebody,
    /// Its mail is on the way.
    InFlight,
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    state: CodeState,
    /// Minutes since the challenge was opened.
    minute: i64,
    /// Messages that wait for the mail worker, with the one that it works on.
    waiting: u8,
    /// The stored codes, the newest first; two are valid.
    codes: Vec<Holder>,
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
    shown_to_operator: bool,
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
            codes: Vec::new(),
            any_mailed: false,
            failures: 2,
            asked: 1,
            last_asked: 0,
            evaluated: 0,
            accepted: 0,
            begun: None,
            killed_while_mailing: false,
            shown_to_operator: false,
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

    fn holds(&self, place: usize) -> bool {
        self.codes.get(place) == Some(&Holder::Somebody)
    }

    /// `killed`: the service dies after the guess was counted, before the action that it allows is committed.
    fn guess(&mut self, guess: Guess, killed: bool) {
        if !self.apply(Event::Guessed) {
            return;
        }
        self.evaluated += 1;
        let right = guess == Guess::Newest && self.holds(0) || guess == Guess::Older && self.holds(1);
        if right && !killed {
            self.accepted += u8::from(self.apply(Event::Accepted));
        }
    }

    fn make_code(&mut self, holder: Holder) -> bool {
        let made = self.apply(Event::MailStarted);
        if made {
            self.codes.insert(0, holder);
            self.begun = self.begun.or(Some(self.minute));
        }
        made
    }

    fn start_mail(&mut self) {
        if !self.make_code(Holder::InFlight) {
            // An outage of the mail server alone never makes a challenge die unmailed.
            let over = self.state.consumed_at.is_some() || self.state.attempts >= MAX_ATTEMPTS;
            let reached = self.any_mailed || self.killed_while_mailing || self.shown_to_operator;
            assert!(reached || over, "no mail was ever sent: {self:?}");
            self.waiting -= 1;
        }
    }

    fn in_flight(&self) -> Option<usize> {
        self.codes.iter().position(|holder| *holder == Holder::InFlight)
    }

    fn finish_mail(&mut self, place: usize, mailing: Mailing) {
        match mailing {
            Mailing::Sent => self.waiting -= 1,
            _ => self.failures -= 1,
        }
        match mailing {
            Mailing::Sent | Mailing::SentUnmarked => (self.codes[place], self.any_mailed) = (Holder::Somebody, true),
            Mailing::Killed => (self.codes[place], self.killed_while_mailing) = (Holder::Nobody, true),
            Mailing::ServerFails => {
                self.codes.remove(place);
                let first = self.codes.is_empty();
                if self.apply(Event::MailFailed { first }) {
                    self.begun = self.begun.filter(|_| !first);
                }
            }
        }
    }

    fn is_alive(&self) -> bool {
        let ended = self.begun.is_some_and(|begun| self.minute >= begun + 3);
        self.accepted == 0 && self.evaluated < 5 && !ended
    }

    fn check(&self) {
        assert!(self.evaluated <= 5, "OT-04 {self:?}");
        assert!(self.accepted <= 1, "OT-03 {self:?}");
        assert!(self.asked <= 5, "OT-06 {self:?}");
        if let (Some(begun), Some(end)) = (self.begun, self.state.expires_at) {
            assert_eq!(end, at(begun + 3), "OT-06: no mail after the first changes the end: {self:?}");
        }
        let alive = self.is_alive();
        assert_eq!(is_open(&self.state, at(self.minute)), alive, "{self:?}");
        let may_ask = alive && self.asked < 5 && self.minute < 3;
        assert_eq!(may_send(&self.state, at(0), at(self.minute)), may_ask, "{self:?}");
        // Of the codes that were made after the last one that arrived, a single one may be of no use: what a killed worker
        // made, or what is on the way.
        let newest_held = self.codes.iter().position(|holder| *holder == Holder::Somebody);
        let mut tries = self.clone();
        tries.guess(if self.holds(0) { Guess::Newest } else { Guess::Older }, false);
        if !alive {
            assert_eq!(tries, *self, "a guess after the end");
        } else if newest_held.is_some_and(|place| place < 2) {
            assert_eq!(tries.accepted, 1, "whoever has a valid mail and a guess left gets in: {self:?}");
        } else if newest_held.is_some() {
            assert!(self.killed_while_mailing, "only killed workers push out a mail that arrived: {self:?}");
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
        match self.in_flight() {
            Some(place) => {
                add(&|world| world.finish_mail(place, Mailing::Sent));
                if self.failures > 0 {
                    for mailing in [Mailing::SentUnmarked, Mailing::Killed, Mailing::ServerFails] {
                        add(&|world| world.finish_mail(place, mailing));
                    }
                }
            }
            None if self.waiting > 0 => add(&World::start_mail),
            None => {}
        }
        if !self.shown_to_operator {
            add(&|world| world.shown_to_operator = world.make_code(Holder::Somebody));
        }
        add(&World::request);
        for guess in [Guess::Newest, Guess::Older, Guess::Wrong] {
            add(&|world| world.guess(guess, false));
            add(&|world| world.guess(guess, true));
        }
        worlds
    }
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

#[test]
fn en_01_while_the_mail_server_is_away_nobody_can_tell_a_challenge_from_one_of_nobody() {
    let late = World::new().state;
    let of_nobody = apply(&late, Event::MailStarted, at(0)).unwrap();
    let mut open = vec![(late, of_nobody, 0)];
    let mut seen = HashSet::new();
    while let Some((late, of_nobody, minute)) = open.pop() {
        if minute > 5 || !seen.insert((late.clone(), of_nobody.clone(), minute)) {
            continue;
        }
        let now = at(minute);
        assert_eq!(may_send(&late, at(0), now), may_send(&of_nobody, at(0), now), "{late:?} {of_nobody:?} {minute}");
        open.push((late.clone(), of_nobody.clone(), minute + 1));
        let after = |state: &CodeState, event| apply(state, event, now).unwrap_or_else(|_refused| state.clone());
        for event in [Event::Guessed, Event::CodeRequested { spacing: SPACING }] {
            open.push((after(&late, event), after(&of_nobody, event), minute));
        }
    }
    assert!(seen.len() > 100, "{} states", seen.len());
}
