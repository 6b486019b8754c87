//! CSV (RFC 4180), safe to open in a spreadsheet.

use csv_async::AsyncWriterBuilder;
use kit::Error;
use kit::text::no_formula;

use crate::http::error::HttpError;

/// Lines of a CSV file.
pub(crate) async fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, HttpError> {
    let mut writer = AsyncWriterBuilder::new().create_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(no_formula)).await.map_err(Error::internal)?;
    }
    Ok(writer.into_inner().await.map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?)
}
