//! Deletions and restorations of users arrive late, twice and in another order than they were made, and the service is
//! killed while it applies them; what a user has made ends in the state that a model of it has.

use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join_all;
use kit::caller::{Actor, Caller, Role, Session};
use kit::grpc::Peer;
use kit::ids::{SessionId, TenantId, UserId};
use kit_pg::bootstrap::open;
use proto::common::DeliverRequest;
use proto::common::event_sink_client::EventSinkClient;
use proto::songlist::CreatePlaylistRequest;
use proto::songlist::playlists_client::PlaylistsClient;
use serde_json::{Value, json};
use testkit::caller::call;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::service::Songlist;

/// Numbers that look random and are the same in every run (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The user makes a playlist or requests a song.
    Create,
    /// The user deletes one of these.
    DeleteOne,
    /// An administrator deletes one.
    Moderate,
    DeleteSelf,
    DeleteByAdmin(usize),
    Restore {
        data: bool,
    },
}

/// The tables with what users make.
const TABLES: [&str; 2] = ["playlists", "song_requests"];

/// Something that a user has made.
#[derive(Clone, Copy)]
struct Made {
    table: &'static str,
    id: Uuid,
    /// `None` while it is live.
    deleter: Option<Uuid>,
}

/// One user, with what the model says of all that the user has made.
struct Life<'a> {
    songlist: &'a Songlist,
    superuser: &'a Client,
    sink: EventSinkClient<Peer>,
    tenant: Uuid,
    user: Uuid,
    admins: [Uuid; 2],
    now: DateTime<Utc>,
    live: bool,
    version: i64,
    operations: Vec<Value>,
    messages: Vec<(Uuid, i64, Value)>,
    model: Vec<Made>,
}

impl<'a> Life<'a> {
    fn new(songlist: &'a Songlist, superuser: &'a Client, sink: &EventSinkClient<Peer>) -> Self {
        Self {
            songlist,
            superuser,
            sink: sink.clone(),
            tenant: kit::ids::random(),
            user: kit::ids::random(),
            admins: [kit::ids::random(), kit::ids::random()],
            now: "2026-11-27T00:00:00Z".parse().unwrap(),
            live: true,
            version: 1,
            operations: Vec::new(),
            messages: Vec::new(),
            model: Vec::new(),
        }
    }

    fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.songlist.db.schema)
    }

    /// Does a step where it is possible; it takes a second.
    async fn step(&mut self, step: Step) {
        self.now += Duration::seconds(1);
        match step {
            Step::Create if self.live => self.create().await,
            Step::DeleteOne if self.live => self.remove(self.user).await,
            Step::Moderate if self.live => self.remove(self.admins[0]).await,
            Step::DeleteSelf if self.live => self.operation("DELETE", self.user, false),
            Step::DeleteByAdmin(which) if self.live => {
                self.operation("DELETE", *self.admins.get(which).unwrap(), false);
            }
            Step::Restore { data } if !self.live => self.operation("RESTORE", self.admins[1], data),
            _ => {}
        }
    }

    async fn create(&mut self) {
        let id = kit::ids::random();
        let table = *TABLES.get(self.model.len() % 2).unwrap();
        let fields = match table {
            "playlists" => ("name, name_norm", format!("'{id}', '{id}'")),
            _ => (
                "song_title, artist_name, title_norm, artist_norm, status",
                format!("'{id}', 'a', '{id}', 'a', 'PENDING'"),
            ),
        };
        let sql = format!(
            "INSERT INTO {} (id, tenant_id, user_id, {}, created_at, updated_at) \
             VALUES ('{id}', '{}', '{}', {}, '{now}', '{now}')",
            self.table(table),
            fields.0,
            self.tenant,
            self.user,
            fields.1,
            now = self.now
        );
        self.superuser.execute(&sql, &[]).await.unwrap();
        self.model.push(Made { table, id, deleter: None });
    }

    /// Deletes the first thing that is live for the model and in the database.
    async fn remove(&mut self, by: Uuid) {
        let (schema, now, superuser) = (&self.songlist.db.schema, self.now, self.superuser);
        for made in self.model.iter_mut().filter(|made| made.deleter.is_none()) {
            let sql = format!(
                "UPDATE {schema}.{} SET deleted_at = '{now}', deleted_by = '{by}' WHERE id = '{}' AND deleted_at IS NULL",
                made.table, made.id
            );
            if superuser.execute(&sql, &[]).await.unwrap() == 1 {
                made.deleter = Some(by);
                return;
            }
        }
    }

    /// What auth-service does.
    fn operation(&mut self, kind: &str, actor: Uuid, restore_data: bool) {
        self.version += 1;
        self.live = kind == "RESTORE";
        self.operations.push(json!({ "version": self.version, "kind": kind, "actor_id": actor,
                                     "restore_data": restore_data, "at": self.now }));
        self.messages.push((kit::ids::random(), self.version, json!({ "operations": self.operations })));
        for made in &mut self.model {
            match (kind, made.deleter) {
                ("DELETE", None) => made.deleter = Some(actor),
                ("RESTORE", Some(by)) if restore_data && by != self.user => made.deleter = None,
                _ => {}
            }
        }
    }

    fn message(&self, message: usize) -> tonic::Request<DeliverRequest> {
        let (id, version, payload) = self.messages.get(message).unwrap();
        let request = DeliverRequest {
            message_id: id.to_string(),
            topic: "user.operations".to_owned(),
            tenant_id: Some(self.tenant.to_string()),
            aggregate_id: self.user.to_string(),
            version: *version,
            payload: payload.to_string(),
        };
        call(&Caller::system("auth"), request)
    }

    async fn deliver(&self, message: usize) {
        self.sink.clone().deliver(self.message(message)).await.unwrap();
    }

    /// The service dies while it applies a message: its transaction is broken off at some point, or committed without an
    /// answer. auth-service sends the message again.
    async fn deliver_and_die(&self, message: usize, after: StdDuration) {
        let _ = tokio::time::timeout(after, self.sink.clone().deliver(self.message(message))).await;
    }

    /// What is live in the database and in the model.
    async fn agrees(&self) -> bool {
        let mut found = Vec::new();
        for table in TABLES {
            let table = self.table(table);
            let sql = format!("SELECT id::text FROM {table} WHERE user_id = '{}' AND deleted_at IS NULL", self.user);
            found.extend(self.superuser.query(&sql, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
        }
        let live = self.model.iter().filter(|made| made.deleter.is_none());
        let mut wanted: Vec<String> = live.map(|made| made.id.to_string()).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        found == wanted
    }
}

/// A life of random steps; messages come at random moments, some twice, the rest at the end in a random order.
async fn random_life(mut life: Life<'_>, seed: u64) -> bool {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut open: Vec<usize> = Vec::new();
    for _ in 0..14 {
        let step = match dice.below(9) {
            0..=2 => Step::Create,
            3 => Step::DeleteOne,
            4 => Step::Moderate,
            5 => Step::DeleteSelf,
            6 => Step::DeleteByAdmin(dice.below(2)),
            _ => Step::Restore { data: dice.below(2) == 0 },
        };
        let before = life.messages.len();
        life.step(step).await;
        open.extend(before..life.messages.len());
        while !open.is_empty() && dice.below(3) == 0 {
            let message = open.swap_remove(dice.below(open.len()));
            match dice.below(4) {
                0 => {
                    life.deliver(message).await;
                    open.push(message);
                }
                1 => {
                    let after = u64::try_from(dice.below(8_000)).unwrap();
                    life.deliver_and_die(message, StdDuration::from_micros(after)).await;
                    open.push(message);
                }
                _ => life.deliver(message).await,
            }
        }
    }
    while !open.is_empty() {
        life.deliver(open.swap_remove(dice.below(open.len()))).await;
    }
    life.agrees().await
}

#[tokio::test]
async fn fault_27_and_fault_30_and_fault_31_a_thousand_lives_with_delays_duplicates_and_crashes_end_as_their_model() {
    let songlist = Songlist::start().await;
    let superuser = open(songlist.db.admin_url()).await.unwrap();
    let sink = EventSinkClient::new(songlist.called_by("auth"));
    for block in 0..125_u64 {
        let lives = (0..8).map(|n| random_life(Life::new(&songlist, &superuser, &sink), block * 8 + n + 1));
        for (n, agrees) in join_all(lives).await.into_iter().enumerate() {
            assert!(agrees, "life {}", block * 8 + u64::try_from(n).unwrap() + 1);
        }
    }
}

/// Every order of the numbers below `n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..n).map(|at| {
                let mut longer = order.clone();
                longer.insert(at, n - 1);
                longer
            })
        })
        .collect()
}

#[tokio::test]
async fn fault_30_two_admins_a_user_and_four_operations_in_every_sequence_and_every_order_of_arrival() {
    let songlist = Songlist::start().await;
    let superuser = open(songlist.db.admin_url()).await.unwrap();
    let sink = EventSinkClient::new(songlist.called_by("auth"));
    let deletes = [Step::DeleteSelf, Step::DeleteByAdmin(0), Step::DeleteByAdmin(1)];
    let restores = [Step::Restore { data: true }, Step::Restore { data: false }];
    let mut lives = Vec::new();
    for first in deletes {
        for second in restores {
            for third in deletes {
                for fourth in restores {
                    lives.extend(orders(4).into_iter().map(|order| ([first, second, third, fourth], order)));
                }
            }
        }
    }
    assert_eq!(lives.len(), 36 * 24);
    for block in lives.chunks(8) {
        let run = block.iter().map(async |(operations, order)| {
            let mut life = Life::new(&songlist, &superuser, &sink);
            for operation in operations {
                life.step(Step::Create).await;
                life.step(Step::Create).await;
                life.step(Step::DeleteOne).await;
                life.step(*operation).await;
            }
            for message in order {
                life.deliver(*message).await;
            }
            assert!(life.agrees().await, "{operations:?} arrived as {order:?}");
        });
        join_all(run).await;
    }
}

#[tokio::test]
async fn nothing_is_made_for_a_user_who_is_deleted() {
    let songlist = Songlist::start().await;
    let superuser = open(songlist.db.admin_url()).await.unwrap();
    let sink = EventSinkClient::new(songlist.called_by("auth"));
    let mut life = Life::new(&songlist, &superuser, &sink);
    life.step(Step::DeleteByAdmin(0)).await;
    life.deliver(0).await;
    // The access token serves for a moment longer than its user.
    let session = Session { id: SessionId::new(), ver: 1, auth_time: kit::Clock::system().now() };
    let (id, tenant) = (UserId(life.user), TenantId(life.tenant));
    let actor = Actor::User { id, tenant, role: Role::Listener, session };
    let caller = Caller { actor, ..Caller::system("gateway") };
    let message = || CreatePlaylistRequest { name: "Late".into(), ..CreatePlaylistRequest::default() };
    let mut playlists = PlaylistsClient::new(songlist.called_by("gateway"));
    let refused = playlists.create(call(&caller, message())).await.unwrap_err();
    assert_eq!(kit::Error::from(refused).code(), kit::Code::TokenNotValid);
    life.step(Step::Restore { data: false }).await;
    life.deliver(1).await;
    playlists.create(call(&caller, message())).await.unwrap();
}

#[tokio::test]
async fn operations_whose_predecessors_are_missing_wait_for_them() {
    let songlist = Songlist::start().await;
    let superuser = open(songlist.db.admin_url()).await.unwrap();
    let sink = EventSinkClient::new(songlist.called_by("auth"));
    let mut life = Life::new(&songlist, &superuser, &sink);
    life.step(Step::Create).await;
    life.step(Step::DeleteSelf).await;
    life.step(Step::Restore { data: true }).await;
    // The second message as one that has no room for the first operation.
    let (_, _, payload) = life.messages.get_mut(1).unwrap();
    let first = payload["operations"].as_array_mut().unwrap().remove(0);
    payload["after"] = first["version"].clone();
    let early = life.sink.clone().deliver(life.message(1)).await.unwrap_err();
    assert_eq!(early.code(), tonic::Code::Unavailable);
    life.deliver(0).await;
    life.deliver(1).await;
    assert!(life.agrees().await, "the own deletion stays");
}
