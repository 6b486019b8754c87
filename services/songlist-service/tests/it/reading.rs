//! Reads in one flush: what happens when a read is cancelled or its connection is lost.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use diesel::QueryableByName;
use diesel::sql_types::{Int8, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use kit_pg::{Conn, Pool, Scope, TxError};
use songlist_service::MIGRATIONS;
use testkit::TestDb;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    tenant_id: Uuid,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Int8)]
    count: i64,
}

/// Polls a future this many times and then drops it.
struct Cut<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Reads every playlist that the scope shows, and counts them: two queries in one flush.
async fn tenants_seen(pool: &Pool, scope: Scope) -> kit::Result<(Vec<Uuid>, i64)> {
    pool.read(scope, async |conn: &Conn| {
        let (mut one, mut two) = (conn, conn);
        let rows = diesel::sql_query("SELECT tenant_id FROM playlists").load::<Row>(&mut one);
        let count = diesel::sql_query("SELECT count(*) AS count FROM playlists").get_result::<Count>(&mut two);
        let (rows, count) = try_join(rows, count).await?;
        Ok::<_, TxError>((rows.into_iter().map(|row| row.tenant_id).collect(), count.count))
    })
    .await
}

async fn with_playlists(tenants: &[TenantId]) -> (TestDb, Pool) {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let superuser = open(db.admin_url()).await.unwrap();
    for tenant in tenants {
        let id = kit::ids::random();
        let insert = format!(
            "INSERT INTO {}.playlists (id, tenant_id, user_id, name, name_norm, created_at, updated_at) \
             VALUES ('{id}', '{tenant}', '{tenant}', 'a', 'a', now(), now())",
            db.schema
        );
        superuser.batch_execute(&insert).await.unwrap();
    }
    let mut config = db.config().unwrap();
    config.max_connections = 1;
    // Nothing but a cancelled request ends a statement in time.
    config.statement_timeout = std::time::Duration::from_secs(60);
    config.application_name.clone_from(&db.schema);
    let pool = Pool::new(&config, &[]);
    (db, pool)
}

/// Renames every playlist that the tenant's scope shows; their number.
async fn rename(pool: &Pool, tenant: TenantId) -> usize {
    let update = async |conn: &mut Conn| Ok(diesel::sql_query("UPDATE playlists SET name = 'b'").execute(conn).await?);
    pool.transaction(Scope::Tenant(tenant), update).await.unwrap()
}

#[tokio::test]
async fn a_read_that_is_dropped_at_any_await_shows_no_other_tenants_rows_and_loses_no_connection() {
    let tenants = [TenantId::new(), TenantId::new(), TenantId::new()];
    let (_db, pool) = with_playlists(&tenants).await;
    let (mut cut, mut whole) = (0, 0);
    // Each cancelled read costs a connection. Ten thousand rounds take a minute, so they are run by hand only.
    let rounds =
        std::env::var_os("SONGLIST_TEST_CUTS").map_or(1_000_usize, |rounds| rounds.to_str().unwrap().parse().unwrap());
    for round in 0..rounds {
        let tenant = tenants[round % tenants.len()];
        let read = Cut { future: Box::pin(tenants_seen(&pool, Scope::Tenant(tenant))), polls: round % 29 };
        match read.await {
            None => {
                cut += 1;
                // In a transaction that the cancelled read left open, this would fail or change nothing.
                let own = tenants[(round + 1) % tenants.len()];
                assert_eq!(rename(&pool, own).await, 1, "a cancelled read left its transaction open");
            }
            Some(seen) => {
                assert_eq!(seen.unwrap(), (vec![tenant.0], 1));
                whole += 1;
            }
        }
        // The next user of the connection sees only rows of its own scope: one for a tenant, none for the platform.
        if round % 50 == 0 {
            let own = tenants[(round + 1) % tenants.len()];
            assert_eq!(tenants_seen(&pool, Scope::Tenant(own)).await.unwrap(), (vec![own.0], 1));
            assert_eq!(tenants_seen(&pool, Scope::Platform).await.unwrap(), (vec![], 0));
        }
    }
    assert!(cut > rounds / 10 && whole > rounds / 10, "{cut} were cut, {whole} came to their end");
}

#[tokio::test]
async fn a_write_after_a_read_is_in_a_transaction_of_its_own() {
    let tenants = [TenantId::new(), TenantId::new()];
    let (_db, pool) = with_playlists(&tenants).await;
    for tenant in tenants.iter().cycle().take(20) {
        assert_eq!(tenants_seen(&pool, Scope::Tenant(*tenant)).await.unwrap(), (vec![tenant.0], 1));
        assert_eq!(rename(&pool, *tenant).await, 1, "the read's transaction was read-only and is over");
    }
}

#[tokio::test]
async fn a_read_on_a_connection_that_died_idle_is_made_on_another_one() {
    let tenant = TenantId::new();
    let (db, pool) = with_playlists(&[tenant]).await;
    tenants_seen(&pool, Scope::Tenant(tenant)).await.unwrap();
    let superuser = open(db.admin_url()).await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    assert_eq!(superuser.query(kill, &[&db.schema]).await.unwrap().len(), 1);
    assert_eq!(tenants_seen(&pool, Scope::Tenant(tenant)).await.unwrap(), (vec![tenant.0], 1));
}

#[tokio::test]
async fn sf_04_a_statement_ends_when_its_request_is_given_up() {
    let tenant = TenantId::new();
    let (db, pool) = with_playlists(&[tenant]).await;
    let sleep = async |mut conn: &Conn| Ok(diesel::sql_query("SELECT pg_sleep(30)").execute(&mut conn).await?);
    let read = pool.read(Scope::Tenant(tenant), sleep);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), read).await.is_err());
    let superuser = open(db.admin_url()).await.unwrap();
    testkit::eventually("the statement was cancelled", || async {
        let running = "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND query LIKE '%pg_sleep%'";
        superuser.query(running, &[&db.schema]).await.unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn sf_04_a_tenant_that_holds_its_share_of_connections_leaves_the_others_to_its_neighbours() {
    let (busy, neighbour) = (TenantId::new(), TenantId::new());
    let (db, _) = with_playlists(&[busy, neighbour]).await;
    let mut config = db.config().unwrap();
    config.max_connections = 4;
    let pool = Pool::new(&config, &[]);
    let sleep = async |mut conn: &Conn| Ok(diesel::sql_query("SELECT pg_sleep(3)").execute(&mut conn).await?);
    let slow = || {
        let pool = pool.clone();
        tokio::spawn(async move { pool.read(Scope::Tenant(busy), sleep).await })
    };
    let many: Vec<_> = (0..12).map(|_| slow()).collect();
    let superuser = open(db.admin_url()).await.unwrap();
    testkit::eventually("the busy tenant holds its share", || async {
        let running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND usename = 'songlist_rw' AND datname = current_database()";
        (superuser.query(running, &[]).await.unwrap().len() >= 3).then_some(())
    })
    .await;
    let read = tokio::time::timeout(std::time::Duration::from_secs(1), tenants_seen(&pool, Scope::Tenant(neighbour)));
    assert_eq!(read.await.unwrap().unwrap(), (vec![neighbour.0], 1));
    many.iter().for_each(tokio::task::JoinHandle::abort);
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    enable_seqscan: String,
}

async fn seqscan(mut conn: &Conn) -> Result<String, TxError> {
    let setting: Setting = diesel::sql_query("SHOW enable_seqscan").get_result(&mut conn).await?;
    Ok(setting.enable_seqscan)
}

#[tokio::test]
async fn settings_of_the_planner_hold_for_one_query_only_in_reads_and_in_writes() {
    let tenant = TenantId::new();
    let (_db, pool) = with_playlists(&[tenant]).await;
    let expected = ["on", "off", "on"].map(str::to_owned);
    for _ in 0..3 {
        let read = async |conn: &Conn| {
            let before = seqscan(conn).await?;
            let within = kit_pg::without_plans(conn, &["enable_seqscan", "enable_sort"], seqscan).await?;
            Ok([before, within, seqscan(conn).await?])
        };
        assert_eq!(pool.read(Scope::Tenant(tenant), read).await.unwrap(), expected);
        let write = async |conn: &mut Conn| {
            let before = seqscan(conn).await?;
            let within = kit_pg::without_plans(conn, &["enable_seqscan"], seqscan).await?;
            Ok([before, within, seqscan(conn).await?])
        };
        assert_eq!(pool.transaction(Scope::Tenant(tenant), write).await.unwrap(), expected);
    }
    // A query that fails leaves no setting to the next user of the connection.
    let failing = async |conn: &Conn| {
        let fails = async |mut conn: &Conn| Ok(diesel::sql_query("SELECT 1 / 0").execute(&mut conn).await?);
        kit_pg::without_plans(conn, &["enable_seqscan"], fails).await
    };
    assert!(pool.read(Scope::Tenant(tenant), failing).await.is_err());
    assert_eq!(pool.read(Scope::Tenant(tenant), seqscan_of).await.unwrap(), "on");
}

async fn seqscan_of(conn: &Conn) -> Result<String, TxError> {
    seqscan(conn).await
}

/// How often the connection has run this text with the plan that it keeps, and with one of its own.
fn plans_of(text: &'static str) -> kit_pg::FixedSql<(Int8, Int8)> {
    const PLANS: &str = "SELECT coalesce(sum(generic_plans), 0)::bigint, coalesce(sum(custom_plans), 0)::bigint FROM pg_prepared_statements WHERE statement = ?";
    kit_pg::fixed_sql(PLANS).bind::<Text, _>(text)
}

#[tokio::test]
async fn fixed_sql_is_prepared_once_and_keeps_its_plan_where_a_read_that_is_planned_each_time_says_so() {
    let ask = async |mut conn: &Conn| {
        let named = kit_pg::fixed_sql::<SqlUuid>("SELECT id FROM playlists WHERE name = ?");
        Ok(named.bind::<Text, _>("Morning").load::<Uuid>(&mut conn).await?)
    };
    let tenant = TenantId::new();
    let (_db, pool) = with_playlists(&[tenant]).await;
    let read = async |mut conn: &Conn| {
        for _ in 0..3 {
            let two = async |conn: &Conn| try_join(ask(conn), ask(conn)).await;
            kit_pg::with_one_plan(conn, two).await?;
            ask(conn).await?;
        }
        let plans: (i64, i64) = plans_of("SELECT id FROM playlists WHERE name = $1").get_result(&mut conn).await?;
        Ok(plans)
    };
    assert_eq!(pool.read(Scope::Tenant(tenant).search(), read).await.unwrap(), (6, 3));
}
