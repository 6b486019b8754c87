//! CSV (RFC 4180), safe to open in a spreadsheet.

use csv_async::AsyncWriterBuilder;
use kit::Error;

use crate::http::error::HttpError;

/// Lines of a CSV file.
pub(crate) async fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, HttpError> {
    let mut writer = AsyncWriterBuilder::new().create_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(no_formula)).await.map_err(Error::internal)?;
    }
    Ok(writer.into_inner().await.map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?)
}

/// A spreadsheet takes a cell that begins with one of these for a formula.
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
