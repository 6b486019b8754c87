use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, OldRows, TxError};
use kit_redis::Subject;
use uuid::Uuid;

use crate::schema::revocations;

/// Revocations by age; an old one matters to no token that is still valid.
pub(crate) const OLD: OldRows = OldRows { table: "revocations", condition: "created_at < $1" };

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = revocations)]
pub(crate) struct Revocation {
    pub id: Uuid,
    pub subject: String,
    pub subject_id: Uuid,
    pub min_version: i64,
}

/// The name of a subject in the table, and its id.
pub(crate) fn names(subject: Subject) -> (&'static str, Uuid) {
    match subject {
        Subject::Session(id) => ("session", id.0),
        Subject::User(id) => ("user", id.0),
        Subject::Tenant(id) => ("tenant", id.0),
    }
}

pub(crate) async fn insert(conn: &mut Conn, subject: Subject, min_version: i64) -> Result<(), TxError> {
    let (name, id) = names(subject);
    diesel::insert_into(revocations::table)
        .values((
            revocations::id.eq(kit::ids::new_v7()),
            revocations::subject.eq(name),
            revocations::subject_id.eq(id),
            revocations::min_version.eq(min_version),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Revocations of the last `secs` seconds by the database's clock. Readers choose a longer time than seems necessary,
/// because a transaction may commit after one that began later.
pub(crate) async fn recent(mut conn: &Conn, secs: i64) -> Result<Vec<Revocation>, TxError> {
    use diesel::sql_types::{BigInt, Timestamptz};
    let since = diesel::dsl::sql::<Timestamptz>("now() - interval '1 second' * ").bind::<BigInt, _>(secs);
    Ok(revocations::table
        .filter(revocations::created_at.gt(since))
        .select(Revocation::as_select())
        .load(&mut conn)
        .await?)
}
