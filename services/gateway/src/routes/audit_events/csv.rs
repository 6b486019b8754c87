use super::views::AuditEventView;
use crate::http::csv;
use crate::http::error::HttpError;

const COLUMNS: [&str; 10] =
    ["id", "created_at", "service", "action", "result", "actor_id", "actor_role", "target_id", "network", "request_id"];

/// The events as a CSV file with a header.
pub(super) async fn file(events: &[AuditEventView]) -> Result<Vec<u8>, HttpError> {
    let header = COLUMNS.map(str::to_owned).to_vec();
    csv::lines(std::iter::once(header).chain(events.iter().map(cells))).await
}

fn cells(event: &AuditEventView) -> Vec<String> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        event.id.clone(),
        event.created_at.clone(),
        event.service.clone(),
        event.action.clone(),
        event.result.clone(),
        optional(&event.actor_id),
        optional(&event.actor_role),
        optional(&event.target_id),
        optional(&event.network),
        event.request_id.clone(),
    ]
}
