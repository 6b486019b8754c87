//! The audit log.

mod csv;
mod views;

use actix_web::http::header::HeaderValue;
use proto::auth as pb;
use proto::time::to_proto;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, Reach, Rule};

use views::AuditEventView;

/// The most rows of a CSV file.
const MAX_ROWS: u32 = 2_000;

const FILTERS: &[Param] = &[
    Param::id("actor", "The id of the user who did it.").many(),
    Param::text("action", "What was done, such as authn_login_fail.").many(),
    Param::time("since", "At this time or later."),
    Param::time("until", "Before this time."),
    Param::one_of(
        "format",
        &["json", "csv"],
        "csv answers with a file of the newest 2,000 rows; for more, move until.",
    ),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/audit/", &list).id("list_audit_events").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[FILTERS]).list::<AuditEventView>()
        .summary("Who did what, to whom, from where and with which result; the newest first"),
];

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let as_file = context.query_value("format").as_deref() == Some("csv");
    let request = context.grpc_request(pb::ListAuditEventsRequest {
        page: query.message(),
        actor: context.query_values("actor"),
        action: context.query_values("action"),
        since: context.query_time("since").and_then(to_proto),
        until: context.query_time("until").and_then(to_proto),
        rows: if as_file { MAX_ROWS } else { 0 },
    });
    let found = context.app.peers.audit_events().list(request).await?.into_inner();
    let rows: Vec<_> = found.events.into_iter().map(AuditEventView::from).collect();
    if as_file {
        let name = HeaderValue::from_static("attachment; filename=\"audit.csv\"");
        let file = csv::file(&rows).await?;
        return Ok(Reply::other("text/csv; charset=utf-8", file).header("content-disposition", name));
    }
    page_reply(&context, &query, found.page, rows)
}
