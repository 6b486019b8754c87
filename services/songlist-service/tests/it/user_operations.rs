//! Deletions and restorations of users arrive late, twice and in another order than they were made; what a user has made
//! ends in the state that a model of it has.

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join_all;
use kit::caller::Caller;
use kit::grpc::Peer;
use kit_pg::bootstrap::open;
use proto::common::DeliverRequest;
use proto::common::event_sink_client::EventSinkClient;
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
    /// The user makes a playlist.
    Create,
    /// The user deletes a playlist.
    DeleteOne,
    /// An administrator deletes a playlist.
    Moderate,
    DeleteSelf,
    DeleteByAdmin(usize),
    Restore {
        data: bool,
    },
}

/// One user, with what the model says of every playlist: `None` while it is live, else who deleted it.
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
    model: Vec<(Uuid, Option<Uuid>)>,
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

    fn table(&self) -> String {
        format!("{}.playlists", self.songlist.db.schema)
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
        let sql = format!(
            "INSERT INTO {} (id, tenant_id, user_id, name, name_norm, created_at, updated_at) \
             VALUES ('{id}', '{}', '{}', '{id}', '{id}', '{now}', '{now}')",
            self.table(),
            self.tenant,
            self.user,
            now = self.now
        );
        self.superuser.execute(&sql, &[]).await.unwrap();
        self.model.push((id, None));
    }

    /// Deletes the first playlist that is live for the model and in the database.
    async fn remove(&mut self, by: Uuid) {
        let (table, now, superuser) = (self.table(), self.now, self.superuser);
        for (id, deleter) in self.model.iter_mut().filter(|(_, deleter)| deleter.is_none()) {
            let sql = format!(
                "UPDATE {table} SET deleted_at = '{now}', deleted_by = '{by}' WHERE id = '{id}' AND deleted_at IS NULL"
            );
            if superuser.execute(&sql, &[]).await.unwrap() == 1 {
                *deleter = Some(by);
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
        for (_, deleter) in &mut self.model {
            match (kind, &deleter) {
                ("DELETE", None) => *deleter = Some(actor),
                ("RESTORE", Some(by)) if restore_data && *by != self.user => *deleter = None,
                _ => {}
            }
        }
    }

    async fn deliver(&self, message: usize) {
        let (id, version, payload) = self.messages.get(message).unwrap();
        let mut sink = self.sink.clone();
        let request = DeliverRequest {
            message_id: id.to_string(),
            topic: "user.operations".to_owned(),
            tenant_id: Some(self.tenant.to_string()),
            aggregate_id: self.user.to_string(),
            version: *version,
            payload: payload.to_string(),
        };
        sink.deliver(call(&Caller::system("auth"), request)).await.unwrap();
    }

    /// The live playlists of the database and of the model.
    async fn agrees(&self) -> bool {
        let sql =
            format!("SELECT id::text FROM {} WHERE user_id = '{}' AND deleted_at IS NULL", self.table(), self.user);
        let rows = self.superuser.query(&sql, &[]).await.unwrap();
        let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let live = self.model.iter().filter(|(_, by)| by.is_none());
        let mut wanted: Vec<String> = live.map(|(id, _)| id.to_string()).collect();
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
            life.deliver(message).await;
            if dice.below(4) == 0 {
                open.push(message);
            }
        }
    }
    while !open.is_empty() {
        life.deliver(open.swap_remove(dice.below(open.len()))).await;
    }
    life.agrees().await
}

#[tokio::test]
async fn fault_30_and_fault_31_a_thousand_lives_with_delays_and_duplicates_end_as_their_model() {
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
