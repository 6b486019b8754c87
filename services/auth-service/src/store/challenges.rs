use chrono::{DateTime, Utc};
use diesel::dsl::case_when;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Timestamptz};
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, OldRows, TxError};
use uuid::Uuid;

use crate::schema::{address_guesses, challenge_codes, challenges};

/// Challenges by age; their codes are deleted with them.
pub(crate) const OLD: OldRows = OldRows { table: "challenges", condition: "created_at < $1" };
/// Counts of guesses by address, which matter for a day.
pub(crate) const OLD_GUESSES: OldRows = OldRows { table: "address_guesses", condition: "since < $1" };

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = challenges)]
pub(crate) struct Challenge {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    pub registration_id: Option<Uuid>,
    pub purpose: String,
    pub email: String,
    pub email_norm: String,
    #[diesel(embed)]
    pub state: CodeState,
    pub created_at: DateTime<Utc>,
    /// An operator was shown a code of it.
    pub by_operator: bool,
    /// `email`: a code is mailed; `totp`: an authenticator shows it.
    pub method: String,
    /// Whose code it is, for the mail.
    pub username: String,
    /// The network from which it was asked for, roughly; for the mail.
    pub place: String,
}

/// What changes in the life of a challenge; `domain/code_states.rs` has its rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = challenges, treat_none_as_null = true)]
pub(crate) struct CodeState {
    /// The life in seconds, from the first mail on.
    pub ttl_secs: i32,
    /// The guesses that were counted.
    pub attempts: i32,
    /// How often a code was asked for.
    pub sends: i32,
    /// When a code was last asked for.
    pub last_sent_at: Option<DateTime<Utc>>,
    /// The end of the life; none before the first mail.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used or voided.
    pub consumed_at: Option<DateTime<Utc>>,
}

/// The stored form of a code.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = challenge_codes)]
pub(crate) struct OneTimeCode {
    pub id: Uuid,
    pub challenge_id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub key_id: String,
    pub mac: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(conn: &mut Conn, row: &Challenge) -> Result<(), TxError> {
    diesel::insert_into(challenges::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn find_for_update(conn: &mut Conn, id: Uuid) -> Result<Option<Challenge>, TxError> {
    let row = challenges::table.find(id).select(Challenge::as_select()).for_update().first(conn).await;
    Ok(row.optional()?)
}

/// Stores the state of a challenge, which `find_for_update` has locked.
pub(crate) async fn save(conn: &mut Conn, id: Uuid, state: &CodeState) -> Result<(), TxError> {
    diesel::update(challenges::table.find(id)).set(state).execute(conn).await?;
    Ok(())
}

/// The challenges of an address and purpose. Those of nobody, which keep the address that was named, do not count.
fn of_address<'a>(tenant: Option<Uuid>, email: &'a str, purpose: &'a str) -> challenges::BoxedQuery<'a, Pg> {
    let realm = match tenant {
        Some(id) => challenges::table.filter(challenges::tenant_id.eq(id)).into_boxed(),
        None => challenges::table.filter(challenges::tenant_id.is_null()).into_boxed(),
    };
    realm
        .filter(challenges::email_norm.eq(email))
        .filter(challenges::purpose.eq(purpose))
        .filter(challenges::email.ne(""))
}

/// The open challenges of an address, the newest first.
pub(crate) async fn open_of_address(
    mut conn: &Conn,
    tenant: Option<Uuid>,
    email: &str,
    purpose: &str,
    limit: i64,
) -> Result<Vec<Challenge>, TxError> {
    Ok(of_address(tenant, email, purpose)
        .filter(challenges::consumed_at.is_null())
        .order(challenges::created_at.desc())
        .limit(limit)
        .select(Challenge::as_select())
        .load(&mut conn)
        .await?)
}

/// The codes that are valid for a challenge: the two newest.
pub(crate) async fn codes(mut conn: &Conn, challenge: Uuid) -> Result<Vec<OneTimeCode>, TxError> {
    Ok(challenge_codes::table
        .filter(challenge_codes::challenge_id.eq(challenge))
        .order(challenge_codes::created_at.desc())
        .limit(2)
        .select(OneTimeCode::as_select())
        .load(&mut conn)
        .await?)
}

/// Marks all other open challenges of a user or address as used, after one of them was answered.
pub(crate) async fn void_others(
    conn: &mut Conn,
    tenant: Option<Uuid>,
    user: Uuid,
    email: &str,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let open = challenges::table
        .filter(challenges::tenant_id.is_not_distinct_from(tenant))
        .filter(challenges::user_id.eq(user).or(challenges::email_norm.eq(email)))
        .filter(challenges::consumed_at.is_null());
    diesel::update(open).set(challenges::consumed_at.eq(now)).execute(conn).await?;
    Ok(())
}

pub(crate) async fn insert_code(conn: &mut Conn, row: &OneTimeCode) -> Result<(), TxError> {
    diesel::insert_into(challenge_codes::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn delete_code(conn: &mut Conn, id: Uuid) -> Result<(), TxError> {
    diesel::delete(challenge_codes::table.find(id)).execute(conn).await?;
    Ok(())
}

/// The newest sign-in of a user that waits for a code.
pub(crate) async fn newest_login_of(mut conn: &Conn, user: Uuid) -> Result<Challenge, TxError> {
    Ok(challenges::table
        .filter(challenges::user_id.eq(user))
        .filter(challenges::purpose.eq("LOGIN"))
        .filter(challenges::consumed_at.is_null())
        .order(challenges::created_at.desc())
        .select(Challenge::as_select())
        .first(&mut conn)
        .await?)
}

/// The guesses at codes of one purpose for an address, over all challenges that were opened after `since`.
pub(crate) async fn attempts_since(
    mut conn: &Conn,
    (tenant, email): (Option<Uuid>, &str),
    purpose: &str,
    since: DateTime<Utc>,
) -> Result<i64, TxError> {
    let recent = of_address(tenant, email, purpose).filter(challenges::created_at.gt(since));
    let sum: Option<i64> = recent.select(diesel::dsl::sum(challenges::attempts)).first(&mut conn).await?;
    Ok(sum.unwrap_or(0))
}

/// Counts a guess that names an address; returns the guesses of this address and purpose within a day.
pub(crate) async fn count_address_guess(
    conn: &mut Conn,
    tenant: Option<Uuid>,
    purpose: &str,
    email: &str,
    now: DateTime<Utc>,
) -> Result<i32, TxError> {
    let old = now - chrono::Duration::days(1);
    let is_old = || address_guesses::since.lt(old);
    let counted = diesel::insert_into(address_guesses::table)
        .values((
            address_guesses::tenant_id.eq(tenant),
            address_guesses::purpose.eq(purpose),
            address_guesses::email_norm.eq(email),
            address_guesses::guesses.eq(1),
            address_guesses::since.eq(now),
        ))
        .on_conflict((address_guesses::tenant_id, address_guesses::purpose, address_guesses::email_norm))
        .do_update()
        .set((
            address_guesses::guesses
                .eq(case_when(is_old(), 1.into_sql::<Integer>()).otherwise(address_guesses::guesses + 1)),
            address_guesses::since
                .eq(case_when(is_old(), now.into_sql::<Timestamptz>()).otherwise(address_guesses::since)),
        ))
        .returning(address_guesses::guesses)
        .get_result(conn)
        .await?;
    Ok(counted)
}

/// Notes that an operator was shown a code of the challenge.
pub(crate) async fn shown_to_operator(conn: &mut Conn, id: Uuid) -> Result<(), TxError> {
    diesel::update(challenges::table.find(id)).set(challenges::by_operator.eq(true)).execute(conn).await?;
    Ok(())
}

/// A challenge by id, in any state.
pub(crate) async fn find(mut conn: &Conn, id: Uuid) -> Result<Option<Challenge>, TxError> {
    Ok(challenges::table.find(id).select(Challenge::as_select()).first(&mut conn).await.optional()?)
}

/// The number of challenges of one purpose that were opened for an address after `since`.
pub(crate) async fn opened_for(
    mut conn: &Conn,
    (tenant, email): (Option<Uuid>, &str),
    purpose: &str,
    since: DateTime<Utc>,
) -> Result<i64, TxError> {
    let recent = of_address(tenant, email, purpose).filter(challenges::created_at.gt(since));
    Ok(recent.count().get_result(&mut conn).await?)
}
