//! Every history of a session that three clients can make in four steps each: they share the first refresh token (one of them
//! stole it), lose answers, and the service dies before or after its commit.

use std::collections::HashSet;

use super::*;

/// How a client's request goes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// The service commits; the client gets no answer.
    AnswerLost,
    /// The service is killed before its commit.
    Killed,
}

const FATES: [Fate; 3] = [Fate::Answered, Fate::AnswerLost, Fate::Killed];

/// A refresh token of the family and the access token that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Token {
    used_at: Option<i64>,
    access_used: bool,
    successor: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// Half minutes since the sign-in.
    time: i64,
    ended: bool,
    family: Vec<Token>,
    /// The token that each client holds, and the steps that it has left.
    clients: [(usize, u8); 3],
    /// How often the time may still advance.
    waits: u8,
}

impl World {
    fn new() -> Self {
        let first = Token { used_at: None, access_used: false, successor: None };
        Self { time: 0, ended: false, family: vec![first], clients: [(0, 4); 3], waits: 4 }
    }

    fn state(&self, token: usize) -> State {
        let row = &self.family[token];
        let successor = row.successor.map(|next| &self.family[next]);
        State {
            ended: self.ended,
            session_expires_at: at(1_000),
            expires_at: at(900),
            used_at: row.used_at.map(at),
            successor_used: successor.is_some_and(|next| next.used_at.is_some() || next.access_used),
        }
    }

    /// A client presents its refresh token.
    fn refresh(&mut self, client: usize, fate: Fate) {
        let (token, left) = self.clients[client];
        self.clients[client].1 = left - 1;
        if matches!(fate, Fate::Killed) {
            return;
        }
        let before = self.state(token);
        let (after, outcome) = apply(before, Presented { at: at(self.time), holder_is_current: true });
        self.must(token, before, outcome);
        self.ended = after.ended;
        if outcome == Outcome::Rotated {
            assert_eq!(self.family[token].successor, None, "TK-09: a second successor: {self:?}");
            assert_eq!(after.used_at, Some(at(self.time)));
            self.family[token].used_at = Some(self.time);
            self.family[token].successor = Some(self.family.len());
            self.family.push(Token { used_at: None, access_used: false, successor: None });
        }
        let answered = matches!(fate, Fate::Answered) && matches!(outcome, Outcome::Rotated | Outcome::Repeated);
        if let (true, Some(next)) = (answered, self.family[token].successor) {
            self.clients[client].0 = next;
        }
    }

    /// A client uses the access token that it holds; the gateway marks it.
    fn call(&mut self, client: usize) {
        let (token, left) = self.clients[client];
        self.clients[client].1 = left - 1;
        self.family[token].access_used |= !self.ended;
    }

    /// The lines of the specification, in their own words.
    fn must(&self, token: usize, state: State, outcome: Outcome) {
        let row = &self.family[token];
        let wanted = match (row.used_at, self.ended) {
            (_, true) => Outcome::Refused,
            (None, _) => Outcome::Rotated,
            (Some(used), _) if !state.successor_used && self.time - used <= 2 => Outcome::Repeated,
            _ => Outcome::Reused,
        };
        assert_eq!(outcome, wanted, "TK-10, TK-11: {self:?}");
    }

    fn check(&self) {
        let leaves = self.family.iter().filter(|token| token.successor.is_none()).count();
        assert_eq!(leaves, 1, "one token of a session is unused at any time: {self:?}");
        // A thief and the owner who both went on from the first token cannot both stay: as soon as the one who is behind
        // comes, the session ends for both.
        for (token, _) in self.clients {
            if self.state(token).successor_used && !self.ended {
                let (after, outcome) =
                    apply(self.state(token), Presented { at: at(self.time), holder_is_current: true });
                assert!(after.ended && outcome == Outcome::Reused, "TK-11: {self:?}");
            }
        }
    }

    fn next(&self) -> Vec<World> {
        let mut worlds = Vec::new();
        let mut add = |change: &dyn Fn(&mut World)| {
            let mut world = self.clone();
            change(&mut world);
            world.clients.sort_unstable();
            worlds.push(world);
        };
        if self.waits > 0 {
            add(&|world| (world.time, world.waits) = (world.time + 1, world.waits - 1));
        }
        for client in (0..3).filter(|client| self.clients[*client].1 > 0) {
            for fate in FATES {
                add(&|world| world.refresh(client, fate));
            }
            add(&|world| world.call(client));
        }
        worlds
    }
}

/// The moment after so many half minutes.
fn at(time: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::seconds(30 * time)
}

#[test]
fn tk_09_and_tk_10_and_tk_11_hold_in_every_history_of_three_clients_with_four_steps_each() {
    let mut seen = HashSet::from([World::new()]);
    let mut open = vec![World::new()];
    while let Some(world) = open.pop() {
        world.check();
        open.extend(world.next().into_iter().filter(|next| seen.insert(next.clone())));
    }
    assert!(seen.len() > 10_000, "{} worlds", seen.len());
    assert!(seen.iter().any(|world| world.ended));
}

#[test]
fn fault_08_and_fault_09_an_honest_client_is_never_signed_out_by_lost_answers_and_crashes() {
    let mut honest = vec![World { clients: [(0, 0), (0, 0), (0, 12)], waits: 0, ..World::new() }];
    while let Some(world) = honest.pop() {
        assert!(!world.ended, "{world:?}");
        if world.clients[2].1 == 0 {
            continue;
        }
        // It repeats a request within the window until it has its answer, and calls with what it holds in between.
        for fate in FATES {
            let mut next = world.clone();
            next.refresh(2, fate);
            if matches!(fate, Fate::Answered) && next.clients[2].1 > 0 {
                next.call(2);
                next.time += 100;
            }
            honest.push(next);
        }
    }
}

#[test]
fn tk_12_a_user_who_may_not_be_signed_in_gets_nothing_and_a_replay_is_still_noticed() {
    let fresh = World::new().state(0);
    let gone = |minute| Presented { at: at(minute), holder_is_current: false };
    assert_eq!(apply(fresh, gone(1)), (fresh, Outcome::Refused));
    let used = State { used_at: Some(at(1)), ..fresh };
    assert_eq!(apply(used, gone(2)), (used, Outcome::Refused));
    let replayed = State { successor_used: true, ..used };
    assert_eq!(apply(replayed, gone(2)), (State { ended: true, ..replayed }, Outcome::Reused));
}

#[test]
fn tk_06_neither_an_expired_token_nor_an_expired_session_is_renewed() {
    let fresh = World::new().state(0);
    let at_end = |time| Presented { at: at(time), holder_is_current: true };
    assert_eq!(apply(fresh, at_end(900)).1, Outcome::Refused);
    assert_eq!(apply(fresh, at_end(899)).1, Outcome::Rotated);
    let old = State { expires_at: at(2_000), ..fresh };
    assert_eq!(apply(old, at_end(1_000)).1, Outcome::Refused);
    assert_eq!(apply(State { used_at: Some(at(999)), ..old }, at_end(1_000)).1, Outcome::Refused);
}
