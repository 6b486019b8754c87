use csv_async::AsyncWriterBuilder;
use kit::Error;

use super::views::AuditEventView;
use crate::http::error::HttpError;

const COLUMNS: [&str; 10] =
    ["id", "created_at", "service", "action", "result", "actor_id", "actor_role", "target_id", "network", "request_id"];

/// The events as a CSV file with a header.
pub(super) async fn file(events: &[AuditEventView]) -> Result<Vec<u8>, HttpError> {
    let mut writer = AsyncWriterBuilder::new().create_writer(Vec::new());
    writer.write_record(COLUMNS).await.map_err(Error::internal)?;
    for event in events {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
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
        ];
        writer.write_record(cells.map(no_formula)).await.map_err(Error::internal)?;
    }
    Ok(writer.into_inner().await.map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?)
}

/// A request id comes from the client. A spreadsheet takes a cell that begins with one of these for a formula.
fn no_formula(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::no_formula;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(no_formula("=1+1".to_owned()), "'=1+1");
        assert_eq!(no_formula("a=b".to_owned()), "a=b");
    }
}
