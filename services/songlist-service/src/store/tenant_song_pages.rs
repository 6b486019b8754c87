//! The rows of a tenant's list that match filters: hits of a search, counts and pages.

use diesel::dsl::{AsSelect, SqlTypeOf, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, Window, Windowed, behind, few, in_order, uncached};
use uuid::Uuid;

use self::access_path::access_path;
use self::deep_pages::{deep_page, from_landmark};
use super::access_paths::AccessPath;
use super::filters::{Column, Filters, Key, Order, SortBy, Visibility, have_trigrams};
use super::indexed_parts::{by_trigrams, contains};
use super::search::{Condition, Hit, Length, Stage, by_bitmaps, on_list, within};
use super::tenant_artists::{by_artist, by_many_artists};
use super::tenant_songs::{Query, TenantSong, find_many, live};
use super::{indexed_parts, short_parts, tenant_song_counts, tenant_song_landmarks};
use crate::schema::tenant_songs;

/// The hits of a stage of a search among the links that match the filters.
pub(crate) async fn hits(
    conn: &Conn,
    id: TenantId,
    length: Length,
    filters: &Filters,
    stage: &Stage,
) -> Result<Vec<Hit>, TxError> {
    let is_frequent = match stage {
        Stage::Part(part) => is_frequent(conn, id, length, part).await?,
        _ => false,
    };
    if !stage.is_within() || is_frequent {
        let query = on_list::hits(filtered(id, filters), length, stage, on_list::with_part);
        let is_kept = !is_frequent && filters.plain();
        return Ok(if is_kept { query.load(&mut &*conn).await? } else { uncached(query).load(&mut &*conn).await? });
    }
    let query = uncached(on_list::hits(beside_words(id, filters), length, stage, |part| with_part(length, part)));
    within(conn, length, async |mut conn: &Conn| Ok(query.load(&mut conn).await?)).await
}

/// True for a short part of so many links that reading the list finds enough of them sooner than an index.
async fn is_frequent(conn: &Conn, id: TenantId, length: Length, part: &str) -> Result<bool, TxError> {
    let by_letters = length == Length::Long && short_parts::is_short(part);
    Ok(by_letters && short_parts::is_frequent(&tenant_song_landmarks::sample(conn, id).await?, part))
}

/// True for links of which title, artist or album contain this part, to be found in an index when the list is long.
fn with_part(length: Length, part: &str) -> Condition<tenant_songs::table> {
    let short = if length == Length::Long { short_parts::on_list::one_with(part) } else { None };
    short.unwrap_or_else(|| on_list::with_part(part))
}

/// The links that a list shows, to be read in its order until a page is full.
fn filtered(id: TenantId, filters: &Filters) -> Query {
    let is_looked_up = |column| is_looked_up(filters, column);
    let all = matching(live(id), filters, is_looked_up);
    if filters.artist.is_empty() { all } else { all.filter(by_artist(filters, is_looked_up(Column::Artist))) }
}

/// The same links, to be found by their artists when these narrow the list down.
fn found(id: TenantId, filters: &Filters) -> Query {
    let is_looked_up = |column| is_looked_up(filters, column);
    let all = matching(live(id), filters, is_looked_up);
    if filters.artist.is_empty() { all } else { all.filter(by_many_artists(id, filters, is_looked_up(Column::Artist))) }
}

/// The links that match, to be found beside the words of a search, or by their artists when these are few and no part of a name is looked
/// up. Of more artists their names are compared: the index of words finds whole artists too, and would be read once for each of them.
fn beside_words(id: TenantId, filters: &Filters) -> Query {
    let rest = Filters { visibility: filters.visibility, is_active: filters.is_active, ..Filters::default() };
    let links = matching(live(id), &rest, |_| false);
    match &filters.artists {
        Some(artists)
            if artists.len() <= indexed_parts::MOST_BESIDE_WORDS
                && !indexed_parts::is_beside_words(&filters.artist) =>
        {
            let others = Filters { artist: Vec::new(), ..filters.clone() };
            let of_artists = links.filter(tenant_songs::artist_norm.eq_any(artists.clone()));
            indexed_parts::on_list::beside_words(of_artists, &others)
        }
        _ => indexed_parts::on_list::beside_words(links, filters),
    }
}

/// True when Postgres may look parts of this text up. When neither title nor album has trigrams it reads the list, and is to know how many
/// links have the parts.
fn is_looked_up(filters: &Filters, column: Column) -> bool {
    by_trigrams(filters, column) || !have_trigrams(&filters.title) && !have_trigrams(&filters.album)
}

/// Those of the links that match the filters, except that by artist. Approval is a literal in the SQL, so that the planner can choose
/// the index for it.
fn matching(links: Query, filters: &Filters, is_looked_up: impl Fn(Column) -> bool) -> Query {
    let mut query = links;
    if !filters.title.is_empty() {
        query = query.filter(contains(tenant_songs::title_norm, &filters.title, is_looked_up(Column::Title)));
    }
    if !filters.album.is_empty() {
        query = query.filter(contains(tenant_songs::album_norm, &filters.album, is_looked_up(Column::Album)));
    }
    if let Some(ids) = &filters.genres {
        query = query.filter(tenant_songs::genre_id.eq_any(ids.clone()));
    }
    query = match filters.visibility {
        Some(Visibility::Global) => query.filter(tenant_songs::is_global),
        Some(Visibility::Tenant) => query.filter(not(tenant_songs::is_global)),
        None => query,
    };
    match filters.is_active {
        Some(true) => query.filter(tenant_songs::is_active),
        Some(false) => query.filter(not(tenant_songs::is_active)),
        None => query,
    }
}

/// The number of rows of a list: the stored count when there is no filter except approval.
pub(crate) async fn count(mut conn: &Conn, id: TenantId, filters: &Filters) -> Result<i64, TxError> {
    if filters.plain() {
        return tenant_song_counts::kept(conn, id, filters.is_active).await;
    }
    if filters.plain_but_visibility() && filters.visibility == Some(Visibility::Global) {
        // These are many: the others, which are few on most lists, have an index of their own.
        let others = Filters { visibility: Some(Visibility::Tenant), ..filters.clone() };
        let others: i64 = found(id, &others).count().get_result(&mut conn).await?;
        return Ok(tenant_song_counts::kept(conn, id, filters.is_active).await? - others);
    }
    Ok(found(id, filters).count().get_result(&mut conn).await?)
}

/// The query of a page.
type PageQuery = Windowed<tenant_songs::BoxedQuery<'static, Pg, SqlTypeOf<AsSelect<TenantSong, Pg>>>>;

fn page(id: TenantId, filters: &Filters, order: Order, after: Option<&Key>, window: Window) -> PageQuery {
    window.of(ordered(behind_key(filtered(id, filters), order, after), order).select(TenantSong::as_select()))
}

/// The links of a list behind `after`.
fn behind_key(query: Query, order: Order, after: Option<&Key>) -> Query {
    use tenant_songs as t;
    let descending = order.descending;
    match (after, order.by) {
        (Some(Key::Time(at, id)), _) => query.filter(behind(descending, (t::created_at, t::id), *at, *id)),
        (Some(Key::Text(text, id)), SortBy::Title) => {
            query.filter(behind(descending, (t::title_norm, t::id), text.clone(), *id))
        }
        (Some(Key::Text(text, id)), _) => query.filter(behind(descending, (t::artist_norm, t::id), text.clone(), *id)),
        (Some(Key::Number(year, id)), _) => {
            query.filter(behind(descending, (t::release_year, t::id), year.unwrap_or(0), *id))
        }
        (Some(Key::Offset(_)) | None, _) => query,
    }
}

fn ordered(query: Query, order: Order) -> Query {
    use tenant_songs as t;
    match (order.by, order.descending) {
        (SortBy::Title, true) => query.order((t::title_norm.desc(), t::id.desc())),
        (SortBy::Title, false) => query.order((t::title_norm.asc(), t::id.asc())),
        (SortBy::Artist, true) => query.order((t::artist_norm.desc(), t::id.desc())),
        (SortBy::Artist, false) => query.order((t::artist_norm.asc(), t::id.asc())),
        (SortBy::ReleaseYear, true) => query.order((t::release_year.desc(), t::id.desc())),
        (SortBy::ReleaseYear, false) => query.order((t::release_year.asc(), t::id.asc())),
        (SortBy::CreatedAt | SortBy::Duration, true) => query.order((t::created_at.desc(), t::id.desc())),
        (SortBy::CreatedAt | SortBy::Duration, false) => query.order((t::created_at.asc(), t::id.asc())),
    }
}

/// One page: rows after `after` when there is one, else from the window's offset. When the number of rows in the list is known,
/// it is read from the end that is nearer.
pub(crate) async fn list(
    mut conn: &Conn,
    id: TenantId,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    window: Window,
    count: Option<i64>,
) -> Result<Vec<TenantSong>, TxError> {
    if let Some(count) = count
        && filters.plain()
        && window.is_deep()
        && let Some(ids) = from_landmark(conn, id, filters, order, window, count).await?
    {
        return Ok(in_order(find_many(conn, id, &ids).await?, &ids, |row| row.id));
    }
    let mirrored = count.and_then(|count| window.mirrored(count));
    let (order, window) = mirrored.map_or((order, window), |mirrored| (order.reversed(), mirrored));
    let mut rows: Vec<TenantSong> = if window.is_deep() {
        let ids: Vec<Uuid> = deep_page(id, filters, order, window).load(&mut conn).await?;
        in_order(find_many(conn, id, &ids).await?, &ids, |row| row.id)
    } else {
        page(id, filters, order, after, window).load(&mut conn).await?
    };
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    if mirrored.is_some() {
        rows.reverse();
    }
    Ok(rows)
}

/// The number of links that match and are behind `after`, and one page of them; nothing when they are more than a few. When they are
/// `counted`, more are few, because all of them would be read anyway.
pub(crate) async fn few_matching(
    conn: &Conn,
    id: TenantId,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    window: Window,
    counted: bool,
) -> Result<Option<(i64, Vec<TenantSong>)>, TxError> {
    let few = async |conn: &Conn, links: Query, most: i64| {
        few_of(conn, behind_key(links, order, after), order, most, window).await
    };
    let (most, (count, ids)) = match access_path(conn, id, filters, counted).await? {
        AccessPath::ByParts(links, most) => {
            (most, by_bitmaps(conn, async |conn: &Conn| few(conn, links, most).await).await?)
        }
        AccessPath::InIndex(most) => (most, few(conn, found(id, filters), most).await?),
        AccessPath::InOrder => return Ok(None),
    };
    if count > most {
        return Ok(None);
    }
    let mut rows = in_order(find_many(conn, id, &ids).await?, &ids, |row| row.id);
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    Ok(Some((count, rows)))
}

/// The number of rows, at most `most` and one, and the ids of a page of them.
async fn few_of(
    mut conn: &Conn,
    rows: Query,
    order: Order,
    most: i64,
    window: Window,
) -> Result<(i64, Vec<Uuid>), TxError> {
    use tenant_songs as t;
    let (names, descending) = match order.by {
        SortBy::Title => ("title_norm, id", "title_norm DESC, id DESC"),
        SortBy::Artist => ("artist_norm, id", "artist_norm DESC, id DESC"),
        SortBy::ReleaseYear => ("release_year, id", "release_year DESC, id DESC"),
        SortBy::CreatedAt | SortBy::Duration => ("created_at, id", "created_at DESC, id DESC"),
    };
    let names = if order.descending { descending } else { names };
    Ok(match order.by {
        SortBy::Title => {
            few(vec![rows.select((t::id, t::title_norm))], names, most, window).get_result(&mut conn).await?
        }
        SortBy::Artist => {
            few(vec![rows.select((t::id, t::artist_norm))], names, most, window).get_result(&mut conn).await?
        }
        SortBy::ReleaseYear => {
            few(vec![rows.select((t::id, t::release_year))], names, most, window).get_result(&mut conn).await?
        }
        SortBy::CreatedAt | SortBy::Duration => {
            few(vec![rows.select((t::id, t::created_at))], names, most, window).get_result(&mut conn).await?
        }
    })
}

mod access_path;
mod deep_pages;
#[cfg(test)]
mod landmarks;
#[cfg(test)]
mod long_list;
#[cfg(test)]
mod parts;
#[cfg(test)]
pub(super) mod plans;
