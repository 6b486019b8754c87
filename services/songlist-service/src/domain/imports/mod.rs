//! Import of a whole file: rows are received as a stream, checked one by one and committed a thousand at a time. Rows
//! that exist already are skipped as duplicates, so a file whose import was cut off can be sent again.

mod batch;
mod checking;
mod rows;
mod source;

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use kit::bulk_thread;
use kit::caller::Caller;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error};
use tokio::io::AsyncBufRead;
use uuid::Uuid;

use super::{premium, songs};
use crate::App;
use batch::{Batch, Candidate};
use rows::RawRow;

/// Rows that are committed in one transaction.
const BATCH: usize = 1_000;
/// The most rows of one file.
const MAX_ROWS: u64 = 100_000;
/// When to come back while another import runs, or as many as can.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);
/// After so many rows others get the processor. A request has to wait several times until it is answered.
const ROWS_AT_A_TIME: u64 = 10;
/// The most errors that are listed one by one.
const MAX_ERRORS: usize = 100;

/// The format of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Ndjson,
}

/// How the file is to be imported.
#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    /// Maps fields of a song to columns of the file.
    pub columns: HashMap<String, String>,
    /// Name or id of the genre for rows without one.
    pub genre: Option<String>,
    pub dry_run: bool,
}

/// A row that was refused.
#[derive(Clone, Debug)]
pub struct RowError {
    /// The number of the row, from 1; the header does not count.
    pub row: u64,
    pub field: String,
    pub message: String,
}

/// The results of the rows: created + linked + skipped_duplicates + failed = total.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub total: u64,
    pub created: u64,
    pub linked: u64,
    pub skipped_duplicates: u64,
    pub failed: u64,
    pub errors: Vec<RowError>,
    pub errors_truncated: bool,
}

impl Report {
    fn fail(&mut self, row: u64, field: &str, message: impl Into<String>) {
        self.failed += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(RowError { row, field: field.to_owned(), message: message.into() });
        } else {
            self.errors_truncated = true;
        }
    }
}

/// One running import.
struct Import<'a> {
    app: &'a App,
    caller: &'a Caller,
    owner: Option<TenantId>,
    user: UserId,
    options: Options,
    /// Genres by their compared name or id; `None` for those that do not exist.
    genres: HashMap<String, Option<Uuid>>,
    /// Hashes of the compared forms that this file has contained so far.
    seen: HashSet<[u8; 32]>,
    /// Rows of the batch that is being filled.
    waiting: Vec<Candidate>,
    report: Report,
}

/// Imports a file into the ADMIN's own tenant (premium), or into GLOBAL for a SUPER_ADMIN.
///
/// # Errors
/// When the file cannot be read at all; single invalid rows are in the report.
pub(crate) async fn run(
    app: &App,
    caller: &Caller,
    options: Options,
    file: impl AsyncBufRead + Send + 'static,
) -> Result<Report, Error> {
    let (user, owner) = songs::writer(caller)?;
    if let Some(tenant) = owner {
        premium::require(&premium::granted(app, tenant).await)?;
    }
    // One import of a tenant at a time: those of others share the thread and the connection.
    let turn = app.imports.now(&owner).ok_or_else(|| {
        Error::new(Code::RateLimited)
            .message("An import is running already. Wait until it has ended.")
            .retry_after(BUSY)
    })?;
    let running = app.imports_at_once.clone().try_acquire_owned().map_err(|_none_left| {
        app.metrics.event("import_refused");
        Error::new(Code::ServiceUnavailable)
            .message("Many imports are running. Try again in some seconds.")
            .retry_after(BUSY)
    })?;
    let (app, caller) = (app.clone(), caller.clone());
    let thread = app.bulk_thread.clone();
    let import = async move {
        // Until the work has ended there, also when its request is given up before.
        let _held = (turn, running);
        import_rows(&app, &caller, (user, owner), options, file).await
    };
    thread.run(import).await
}

async fn import_rows(
    app: &App,
    caller: &Caller,
    (user, owner): (UserId, Option<TenantId>),
    options: Options,
    file: impl AsyncBufRead + Send,
) -> Result<Report, Error> {
    let mut import = Import {
        app,
        caller,
        owner,
        user,
        options,
        genres: HashMap::new(),
        seen: HashSet::new(),
        waiting: Vec::with_capacity(BATCH),
        report: Report::default(),
    };
    let mut file = pin!(file);
    let read = match import.options.format {
        Format::Csv => rows::each_csv(&mut import, &mut file).await,
        Format::Ndjson => rows::each_ndjson(&mut import, &mut file).await,
    };
    // What was stored stays also when the file cannot be read to its end.
    read?;
    import.flush().await?;
    import.report.errors.sort_by_key(|error| error.row);
    Ok(import.report)
}

impl Import<'_> {
    /// Handles the next row; commits the batch when it is full.
    async fn take(&mut self, row: Result<RawRow, String>) -> Result<(), Error> {
        self.report.total += 1;
        let number = self.report.total;
        if number.is_multiple_of(ROWS_AT_A_TIME) {
            bulk_thread::give_way().await;
        }
        if number > MAX_ROWS {
            return Err(Error::invalid("file", format!("A file may have {MAX_ROWS} rows.")));
        }
        match row {
            Err(message) => self.report.fail(number, "non_field_errors", message),
            Ok(raw) => self.check(number, raw).await?,
        }
        if self.waiting.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Stores the current batch. Rows are not read meanwhile, which would keep two processors busy at once (docs/performance-lists.md).
    async fn flush(&mut self) -> Result<(), Error> {
        let rows = std::mem::replace(&mut self.waiting, Vec::with_capacity(BATCH));
        if rows.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            app: self.app,
            caller: self.caller,
            owner: self.owner,
            dry_run: self.options.dry_run,
            is_first: self.report.created + self.report.linked == 0,
            rows,
        };
        let done = batch.store().await?;
        if !done.lost.is_empty() {
            self.genres.clear();
        }
        for row in done.lost {
            self.report.fail(row, "genre", "This genre does not exist.");
        }
        self.report.created += done.created;
        self.report.linked += done.linked;
        self.report.skipped_duplicates += done.skipped;
        Ok(())
    }
}
