//! The songs of a catalogue that match filters: hits of a search, counts and pages.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::SmallInt;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError, Window, behind, few, in_order, merged, uncached};
use uuid::Uuid;

use self::access_path::access_path;
use super::access_paths::AccessPath;
use super::filters::{Column, Filters, Key, Order, SortBy, Visibility};
use super::indexed_parts::{by_trigrams, contains};
use super::search::{Condition, Hit, Length, Stage, by_bitmaps, in_catalogue};
use super::songs::{Catalogue, Song, find_many, sample, seen};
use super::{indexed_parts, short_parts};
use crate::schema::{song_counts, songs};

type Query = songs::BoxedQuery<'static, Pg>;

/// The songs of a list that match the filters.
fn filtered(catalogue: Catalogue, filters: &Filters) -> Query {
    let seen =
        songs::table.filter(songs::deleted_at.is_null()).filter(seen(catalogue, filters.visibility)).into_boxed();
    let mut all = seen;
    if !filters.title.is_empty() {
        all = all.filter(contains(songs::title_norm, &filters.title, by_trigrams(filters, Column::Title)));
    }
    if !filters.artist.is_empty() {
        all = all.filter(contains(songs::artist_norm, &filters.artist, by_trigrams(filters, Column::Artist)));
    }
    if !filters.album.is_empty() {
        all = all.filter(contains(songs::album_norm, &filters.album, by_trigrams(filters, Column::Album)));
    }
    match &filters.genres {
        Some(ids) => all.filter(songs::genre_id.eq_any(ids.clone())),
        None => all,
    }
}

/// The same songs, to be found beside the words of a search.
fn beside_words(catalogue: Catalogue, filters: &Filters) -> Query {
    let seen = Filters { visibility: filters.visibility, ..Filters::default() };
    indexed_parts::in_catalogue::beside_words(filtered(catalogue, &seen), filters)
}

/// The filters of each visibility that they let through: each has indexes of its own.
fn of_each_visibility(catalogue: Catalogue, filters: &Filters) -> Vec<Filters> {
    let visibilities = match (catalogue, filters.visibility) {
        (Catalogue::TenantAndGlobal(_), None) => vec![Some(Visibility::Tenant), Some(Visibility::Global)],
        (_, one) => vec![one],
    };
    visibilities.into_iter().map(|visibility| Filters { visibility, ..filters.clone() }).collect()
}

/// The songs that match the filters, a list of each visibility.
fn lists(catalogue: Catalogue, filters: &Filters) -> Vec<Query> {
    of_each_visibility(catalogue, filters).iter().map(|filters| filtered(catalogue, filters)).collect()
}

/// The hits of a stage of a search among the songs that match the filters.
pub(crate) async fn hits(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    stage: &Stage,
) -> Result<Vec<Hit>, TxError> {
    let is_frequent = match stage {
        Stage::Part(part) if short_parts::is_short(part) => {
            short_parts::is_frequent(&sample(conn, catalogue, filters.visibility).await?, part)
        }
        _ => false,
    };
    let mut all = Vec::new();
    for filters in of_each_visibility(catalogue, filters) {
        // Reading the list finds enough songs with a frequent part sooner than an index.
        let by_index = stage.is_within() && !is_frequent;
        let list = if by_index { beside_words(catalogue, &filters) } else { filtered(catalogue, &filters) };
        let with_part = if is_frequent { in_catalogue::with_part } else { with_part };
        let query = in_catalogue::hits(list, Length::Long, stage, with_part);
        if !stage.is_within() && filters.plain_but_visibility() {
            all.extend(query.load::<Hit>(&mut &*conn).await?);
            continue;
        }
        let query = uncached(query);
        let load = async |mut conn: &Conn| Ok(query.load::<Hit>(&mut conn).await?);
        all.extend(if by_index { by_bitmaps(conn, load).await? } else { load(conn).await? });
    }
    Ok(all)
}

/// True for songs of which title, artist or album contain this part, to be found in an index.
fn with_part(part: &str) -> Condition<songs::table> {
    short_parts::in_catalogue::one_with(part).unwrap_or_else(|| in_catalogue::with_part(part))
}

/// The number of songs of a list: the stored count when there is no filter except visibility.
pub(crate) async fn count(mut conn: &Conn, catalogue: Catalogue, filters: &Filters) -> Result<i64, TxError> {
    if !filters.plain_but_visibility() {
        let mut all = 0;
        for list in lists(catalogue, filters) {
            all += list.count().get_result::<i64>(&mut conn).await?;
        }
        return Ok(all);
    }
    count_under(conn, catalogue, filters.visibility).await
}

/// The stored count of songs of a visibility.
async fn count_under(mut conn: &Conn, catalogue: Catalogue, visibility: Option<Visibility>) -> Result<i64, TxError> {
    let of = song_counts::tenant_id.eq_any(catalogue.counted_under(visibility));
    let totals: Vec<i64> = song_counts::table.filter(of).select(song_counts::total).load(&mut conn).await?;
    Ok(totals.into_iter().sum())
}

/// A number that songs are sorted by; those without one come before all others. Its indexes are of this expression, because a page by
/// cursor begins in one place of them, which it would not when missing numbers were NULL. `coalesce` is no condition of an index beside
/// the policy: Postgres does not know that it is leakproof.
macro_rules! number {
    ($column:literal) => {
        sql::<SmallInt>(concat!("(CASE WHEN ", $column, " IS NULL THEN '0'::smallint ELSE ", $column, " END)"))
    };
}

fn release_year() -> SqlLiteral<SmallInt> {
    number!("songs.release_year")
}

fn duration() -> SqlLiteral<SmallInt> {
    number!("songs.duration")
}

/// The songs of a list behind `after`.
fn behind_key(query: Query, order: Order, after: Option<&Key>) -> Query {
    use songs as s;
    let descending = order.descending;
    match (after, order.by) {
        (Some(Key::Time(at, id)), _) => query.filter(behind(descending, (s::created_at, s::id), *at, *id)),
        (Some(Key::Text(text, id)), SortBy::Title) => {
            query.filter(behind(descending, (s::title_norm, s::id), text.clone(), *id))
        }
        (Some(Key::Text(text, id)), _) => query.filter(behind(descending, (s::artist_norm, s::id), text.clone(), *id)),
        (Some(Key::Number(number, id)), SortBy::Duration) => {
            query.filter(behind(descending, (duration(), s::id), number.unwrap_or(0), *id))
        }
        (Some(Key::Number(number, id)), _) => {
            query.filter(behind(descending, (release_year(), s::id), number.unwrap_or(0), *id))
        }
        (Some(Key::Offset(_)) | None, _) => query,
    }
}

/// The songs of a list behind `after`, in order.
fn ordered(catalogue: Catalogue, filters: &Filters, order: Order, after: Option<&Key>) -> Query {
    use songs as s;
    let query = behind_key(filtered(catalogue, filters), order, after);
    match (order.by, order.descending) {
        (SortBy::CreatedAt, true) => query.order((s::created_at.desc(), s::id.desc())),
        (SortBy::CreatedAt, false) => query.order((s::created_at, s::id)),
        (SortBy::Title, true) => query.order((s::title_norm.desc(), s::id.desc())),
        (SortBy::Title, false) => query.order((s::title_norm, s::id)),
        (SortBy::Artist, true) => query.order((s::artist_norm.desc(), s::id.desc())),
        (SortBy::Artist, false) => query.order((s::artist_norm, s::id)),
        (SortBy::ReleaseYear, true) => query.order((release_year().desc(), s::id.desc())),
        (SortBy::ReleaseYear, false) => query.order((release_year(), s::id)),
        (SortBy::Duration, true) => query.order((duration().desc(), s::id.desc())),
        (SortBy::Duration, false) => query.order((duration(), s::id)),
    }
}

/// The order in the names of columns; Postgres names an expression after its last column.
fn names(order: Order) -> &'static str {
    match (order.by, order.descending) {
        (SortBy::CreatedAt, true) => "created_at DESC, id DESC",
        (SortBy::CreatedAt, false) => "created_at, id",
        (SortBy::Title, true) => "title_norm DESC, id DESC",
        (SortBy::Title, false) => "title_norm, id",
        (SortBy::Artist, true) => "artist_norm DESC, id DESC",
        (SortBy::Artist, false) => "artist_norm, id",
        (SortBy::ReleaseYear, true) => "release_year DESC, id DESC",
        (SortBy::ReleaseYear, false) => "release_year, id",
        (SortBy::Duration, true) => "duration DESC, id DESC",
        (SortBy::Duration, false) => "duration, id",
    }
}

/// One page: rows after `after` when there is one, else from the window's offset. When the number of rows in the list is known,
/// it is read from the end that is nearer.
pub(crate) async fn list(
    mut conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    window: Window,
    count: Option<i64>,
) -> Result<Vec<Song>, TxError> {
    let mirrored = count.and_then(|count| window.mirrored(count));
    let (order, window) = mirrored.map_or((order, window), |mirrored| (order.reversed(), mirrored));
    let mut lists = of_each_visibility(catalogue, filters);
    // A tenant without songs of its own, as most are, sees the GLOBAL ones alone: merging half a million of them takes 10 ms.
    if lists.len() > 1 && window.is_deep() && count_under(conn, catalogue, Some(Visibility::Tenant)).await? == 0 {
        lists.retain(|filters| filters.visibility == Some(Visibility::Global));
    }
    let lists: Vec<Query> = lists.iter().map(|filters| ordered(catalogue, filters, order, after)).collect();
    // Songs are skipped in an index alone, and merged by a number which is no column.
    let mut rows: Vec<Song> = if window.is_deep() || matches!(order.by, SortBy::ReleaseYear | SortBy::Duration) {
        let ids = ids(conn, lists, order, window).await?;
        in_order(find_many(conn, catalogue, &ids).await?, &ids, |song| song.id)
    } else {
        let lists = lists.into_iter().map(|list| list.select(Song::as_select())).collect();
        merged(lists, names(order), window).load(&mut conn).await?
    };
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    if mirrored.is_some() {
        rows.reverse();
    }
    Ok(rows)
}

/// The ids of a page of ordered lists.
async fn ids(mut conn: &Conn, lists: Vec<Query>, order: Order, window: Window) -> Result<Vec<Uuid>, TxError> {
    macro_rules! by {
        ($key:expr, $type:ty) => {{
            let lists = lists.into_iter().map(|list| list.select((songs::id, $key))).collect();
            let rows: Vec<(Uuid, $type)> = merged(lists, names(order), window).load(&mut conn).await?;
            rows.into_iter().map(|(id, _)| id).collect()
        }};
    }
    Ok(match order.by {
        SortBy::CreatedAt => by!(songs::created_at, DateTime<Utc>),
        SortBy::Title => by!(songs::title_norm, String),
        SortBy::Artist => by!(songs::artist_norm, String),
        SortBy::ReleaseYear => by!(release_year(), i16),
        SortBy::Duration => by!(duration(), i16),
    })
}

/// The number of songs that match and are behind `after`, and one page of them; `None` when they are more than a few. When they are
/// `counted`, more are few, because all of them would be read anyway.
pub(crate) async fn few_matching(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    window: Window,
    counted: bool,
) -> Result<Option<(i64, Vec<Song>)>, TxError> {
    let few = async |conn: &Conn, lists: Vec<Query>, most: i64| {
        let lists = lists.into_iter().map(|list| behind_key(list, order, after)).collect();
        few_of(conn, lists, order, most, window).await
    };
    let (most, (count, ids)) = match access_path(conn, catalogue, filters, counted).await? {
        AccessPath::ByParts(lists, most) => {
            (most, by_bitmaps(conn, async |conn: &Conn| few(conn, lists, most).await).await?)
        }
        AccessPath::InIndex(most) => (most, few(conn, lists(catalogue, filters), most).await?),
        AccessPath::InOrder => return Ok(None),
    };
    if count > most {
        return Ok(None);
    }
    let mut rows = in_order(find_many(conn, catalogue, &ids).await?, &ids, |song| song.id);
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    Ok(Some((count, rows)))
}

/// The number of rows, at most `most` and one, and the ids of a page of them.
async fn few_of(
    mut conn: &Conn,
    lists: Vec<Query>,
    order: Order,
    most: i64,
    window: Window,
) -> Result<(i64, Vec<Uuid>), TxError> {
    macro_rules! by {
        ($key:expr) => {{
            let lists = lists.into_iter().map(|list| list.select((songs::id, $key))).collect();
            few(lists, names(order), most, window).get_result(&mut conn).await?
        }};
    }
    Ok(match order.by {
        SortBy::Title => by!(songs::title_norm),
        SortBy::Artist => by!(songs::artist_norm),
        SortBy::ReleaseYear => by!(release_year()),
        SortBy::Duration => by!(duration()),
        SortBy::CreatedAt => by!(songs::created_at),
    })
}

mod access_path;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod parts;
