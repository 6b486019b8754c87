use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use kit::Clock;
use kit::assertion::KeyRing;
use kit::health::Health;
use kit::lifecycle::Shutdown;

use crate::connection::Conn;
use crate::{Pool, Scope};

impl Pool {
    /// Compares the machine's clock with that of the database, which all replicas share.
    pub fn watch_clock(&self, clock: &Clock, keys: &KeyRing, health: &Health, shutdown: &Shutdown) {
        let pool = self.clone();
        kit::clock_offset::watch(health, clock, keys, shutdown, move || {
            let pool = pool.clone();
            async move {
                let asked = pool.transaction(Scope::Worker, async |conn: &mut Conn| {
                    let now = diesel::dsl::sql::<Timestamptz>("clock_timestamp()");
                    Ok(diesel::select(now).get_result::<DateTime<Utc>>(conn).await?)
                });
                asked.await.ok()
            }
        });
    }
}
