//! The songs of a catalogue that match filters: hits of a search, counts and pages.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, Window, few, in_order, like_anywhere, merged, uncached};
use uuid::Uuid;

use self::access_path::access_path;
use super::access_paths::AccessPath;
use super::filters::{Filters, Key, Order, SortBy, Visibility, behind};
use super::search::{Condition, Hit, Stage, by_bitmaps, contains, in_catalogue};
use super::short_parts;
use super::songs::{Catalogue, Song, find_many, sample, seen};
use crate::schema::{song_counts, songs};

/// The id under which GLOBAL songs are counted.
const GLOBAL: TenantId = TenantId(Uuid::nil());

type Query = songs::BoxedQuery<'static, Pg>;

/// The songs of a list that match the filters.
fn filtered(catalogue: Catalogue, filters: &Filters) -> Query {
    let seen =
        songs::table.filter(songs::deleted_at.is_null()).filter(seen(catalogue, filters.visibility)).into_boxed();
    let mut all = seen;
    if !filters.title.is_empty() {
        all = all.filter(contains(songs::title_norm, &filters.title));
    }
    if !filters.artist.is_empty() {
        all = all.filter(contains(songs::artist_norm, &filters.artist));
    }
    if !filters.album.is_empty() {
        all = all.filter(contains(songs::album_norm, &filters.album));
    }
    match &filters.genres {
        Some(ids) => all.filter(songs::genre_id.eq_any(ids.clone())),
        None => all,
    }
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
        Stage::Part(part) if short_parts::in_catalogue::title_or_album_with(part).is_some() => {
            short_parts::is_frequent(&sample(conn, catalogue, filters.visibility).await?, part)
        }
        _ => false,
    };
    let mut all = Vec::new();
    for filters in of_each_visibility(catalogue, filters) {
        let list = filtered(catalogue, &filters);
        // Reading the list finds enough songs with a frequent part sooner than an index.
        let (query, by_index) = match stage {
            Stage::Part(_) if is_frequent => (in_catalogue::hits(list, stage, with_any_part), false),
            _ => (in_catalogue::hits(list, stage, with_part), stage.is_within()),
        };
        let query = uncached(query);
        let load = async |mut conn: &Conn| Ok(query.load::<Hit>(&mut conn).await?);
        all.extend(if by_index { by_bitmaps(conn, load).await? } else { load(conn).await? });
    }
    Ok(all)
}

/// True for songs of which title, album or artist contain this part.
fn with_any_part(part: &str) -> Condition<songs::table> {
    Box::new(in_catalogue::title_or_album_with(part).or(songs::artist_norm.like(like_anywhere(part))))
}

/// True for songs of which title, album or artist contain this part, or title or album when it is short.
fn with_part(part: &str) -> Condition<songs::table> {
    short_parts::in_catalogue::title_or_album_with(part).unwrap_or_else(|| with_any_part(part))
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
    let own = |id: TenantId| [id.0].to_vec();
    let of = match (catalogue, filters.visibility) {
        (Catalogue::Global, Some(Visibility::Tenant)) => Vec::new(),
        (Catalogue::Global, _) | (_, Some(Visibility::Global)) => own(GLOBAL),
        (Catalogue::TenantAndGlobal(id), Some(Visibility::Tenant)) => own(id),
        (Catalogue::TenantAndGlobal(id), None) => [id.0, GLOBAL.0].to_vec(),
    };
    let totals: Vec<i64> =
        song_counts::table.filter(song_counts::tenant_id.eq_any(of)).select(song_counts::total).load(&mut conn).await?;
    Ok(totals.into_iter().sum())
}

type PageQuery = songs::BoxedQuery<'static, Pg, SqlTypeOf<AsSelect<Song, Pg>>>;

/// The rows of a query behind a number, which may be missing, and an id; those without a number come before all others.
macro_rules! behind_number {
    ($query:expr, $order:expr, $column:ident, $number:expr, $id:expr) => {
        match ($number, $order.descending) {
            (Some(number), true) => {
                let same = songs::$column.eq(number).and(songs::id.lt($id));
                $query.filter(songs::$column.is_null().or(songs::$column.lt(number)).or(same))
            }
            (None, true) => $query.filter(songs::$column.is_null()).filter(songs::id.lt($id)),
            (Some(number), false) => {
                let same = songs::$column.eq(number).and(songs::id.gt($id));
                $query.filter(songs::$column.gt(number).or(same))
            }
            (None, false) => $query.filter(songs::$column.is_not_null().or(songs::id.gt($id))),
        }
    };
}

/// The songs of a list behind `after`.
fn behind_key(query: Query, order: Order, after: Option<&Key>) -> Query {
    match (after, order.by) {
        (Some(Key::Time(at, id)), _) => behind!(query, order, songs::created_at, *at, *id),
        (Some(Key::Text(text, id)), SortBy::Title) => behind!(query, order, songs::title_norm, text.clone(), *id),
        (Some(Key::Text(text, id)), _) => behind!(query, order, songs::artist_norm, text.clone(), *id),
        (Some(Key::Number(number, id)), SortBy::Duration) => behind_number!(query, order, duration, *number, *id),
        (Some(Key::Number(number, id)), _) => behind_number!(query, order, release_year, *number, *id),
        (Some(Key::Offset(_)) | None, _) => query,
    }
}

/// The songs of a list behind `after`, in order, and the order in the names of columns.
fn ordered(catalogue: Catalogue, filters: &Filters, order: Order, after: Option<&Key>) -> (PageQuery, &'static str) {
    use songs as s;
    let query = behind_key(filtered(catalogue, filters), order, after);
    let (query, order) = match (order.by, order.descending) {
        (SortBy::CreatedAt, true) => (query.order((s::created_at.desc(), s::id.desc())), "created_at DESC, id DESC"),
        (SortBy::CreatedAt, false) => (query.order((s::created_at, s::id)), "created_at, id"),
        (SortBy::Title, true) => (query.order((s::title_norm.desc(), s::id.desc())), "title_norm DESC, id DESC"),
        (SortBy::Title, false) => (query.order((s::title_norm, s::id)), "title_norm, id"),
        (SortBy::Artist, true) => (query.order((s::artist_norm.desc(), s::id.desc())), "artist_norm DESC, id DESC"),
        (SortBy::Artist, false) => (query.order((s::artist_norm, s::id)), "artist_norm, id"),
        (SortBy::ReleaseYear, true) => {
            (query.order((s::release_year.desc().nulls_last(), s::id.desc())), "release_year DESC NULLS LAST, id DESC")
        }
        (SortBy::ReleaseYear, false) => {
            (query.order((s::release_year.asc().nulls_first(), s::id)), "release_year NULLS FIRST, id")
        }
        (SortBy::Duration, true) => {
            (query.order((s::duration.desc().nulls_last(), s::id.desc())), "duration DESC NULLS LAST, id DESC")
        }
        (SortBy::Duration, false) => {
            (query.order((s::duration.asc().nulls_first(), s::id)), "duration NULLS FIRST, id")
        }
    };
    (query.select(Song::as_select()), order)
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
    let of = |visibility| {
        let filters = Filters { visibility: Some(visibility), ..filters.clone() };
        ordered(catalogue, &filters, order, after)
    };
    let mut rows: Vec<Song> = match (catalogue, filters.visibility) {
        (Catalogue::TenantAndGlobal(_), None) => {
            let ((own, names), (global, _)) = (of(Visibility::Tenant), of(Visibility::Global));
            merged([own, global], names, window).load(&mut conn).await?
        }
        _ => window.of(ordered(catalogue, filters, order, after).0).load(&mut conn).await?,
    };
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    if mirrored.is_some() {
        rows.reverse();
    }
    Ok(rows)
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
    let (_, names) = ordered(catalogue, filters, order, None);
    let few = async |conn: &Conn, lists: Vec<Query>, most: i64| {
        let lists = lists.into_iter().map(|list| behind_key(list, order, after)).collect();
        few_of(conn, lists, order.by, names, most, window).await
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

/// The number of rows, at most `most` and one, and the ids of a page of them, in the order of `names`.
async fn few_of(
    mut conn: &Conn,
    lists: Vec<Query>,
    by: SortBy,
    names: &'static str,
    most: i64,
    window: Window,
) -> Result<(i64, Vec<Uuid>), TxError> {
    macro_rules! by {
        ($column:ident) => {{
            let lists = lists.into_iter().map(|list| list.select((songs::id, songs::$column))).collect();
            few(lists, names, most, window).get_result(&mut conn).await?
        }};
    }
    Ok(match by {
        SortBy::Title => by!(title_norm),
        SortBy::Artist => by!(artist_norm),
        SortBy::ReleaseYear => by!(release_year),
        SortBy::Duration => by!(duration),
        SortBy::CreatedAt => by!(created_at),
    })
}

mod access_path;
#[cfg(test)]
mod parts;
