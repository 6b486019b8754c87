//! What an operator does with GLOBAL songs.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use kit::env::Env;
use songlist_service::{ImportFormat, ImportOptions};
use tokio::io::BufReader;

use crate::say;
use crate::superuser::explain;

#[derive(Subcommand)]
pub(crate) enum What {
    /// Import a file of GLOBAL songs, CSV or NDJSON, as `POST /songs/import/` does for a SUPER_ADMIN.
    ///
    /// Rows are committed a thousand at a time, so a file whose import was cut off can be imported again.
    Import {
        /// The file; one that ends in .ndjson or .jsonl has a song as a JSON object on each line.
        file: PathBuf,
        /// Name or id of the genre for rows without one.
        #[arg(long)]
        genre: Option<String>,
        /// The column of a field, such as `title=Song Clean`; may be repeated.
        #[arg(long = "column", value_parser = column)]
        columns: Vec<(String, String)>,
        /// Tell what would be created and linked, and store nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

fn column(text: &str) -> Result<(String, String), String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN")?;
    Ok((field.to_owned(), column.to_owned()))
}

pub(crate) async fn run(env: &mut Env, what: What) -> anyhow::Result<()> {
    let config = songlist_service::Config::from_env(env);
    env.finish()?;
    let app = songlist_service::App::new(config)?;
    let What::Import { file, genre, columns, dry_run } = what;
    let is_ndjson = file.extension().is_some_and(|end| end == "ndjson" || end == "jsonl");
    let format = if is_ndjson { ImportFormat::Ndjson } else { ImportFormat::Csv };
    let options = ImportOptions { format, columns: columns.into_iter().collect(), genre, dry_run };
    let unreadable = || format!("{} cannot be read", file.display());
    let opened = tokio::fs::File::open(&file).await.with_context(unreadable)?;
    let progress = ProgressBar::new(opened.metadata().await.with_context(unreadable)?.len());
    let style = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    progress.set_style(ProgressStyle::with_template(style)?);
    let reader = BufReader::new(progress.wrap_async_read(opened));
    let report = Box::pin(songlist_service::import_songs(&app, options, reader)).await.map_err(explain)?;
    progress.finish_and_clear();
    for error in &report.errors {
        say(&format!("row {}: {}: {}", error.row, error.field, error.message));
    }
    let (total, created, failed) = (report.total, report.created, report.failed);
    say(&format!("{total} rows: {created} created, {} there already, {failed} refused", report.skipped_duplicates));
    anyhow::ensure!(failed == 0, "{failed} rows were refused");
    Ok(())
}
