//! The ledger as a file.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, ValueEnum};
use csv_async::{AsyncWriter, AsyncWriterBuilder};
use kit::money::decimal;
use kit::text::no_formula;
use payments_service::App;
use payments_service::operators::{ExportedLine, Span, is_complete, ledger_lines};
use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt, stdout};
use uuid::Uuid;

/// Which lines are written, and how.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The first day, in UTC.
    #[arg(long)]
    from: NaiveDate,
    /// The day after the last one, in UTC.
    #[arg(long)]
    until: NaiveDate,
    /// The id of a tenant; all when missing.
    #[arg(long)]
    tenant: Option<Uuid>,
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Ndjson,
}

const COLUMNS: [&str; 11] = [
    "time",
    "entry",
    "account",
    "amount_minor",
    "amount",
    "currency",
    "tenant_id",
    "tenant",
    "payment_id",
    "reference_id",
    "entity_id",
];

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(crate) async fn export(app: &App, wanted: Wanted) -> anyhow::Result<()> {
    anyhow::ensure!(wanted.from < wanted.until, "the span of time is empty");
    let span = Span { from: midnight(wanted.from), until: midnight(wanted.until), tenant: wanted.tenant };
    anyhow::ensure!(is_complete(app, &span), "the last day must be over for five minutes: lines may be missing before");
    let mut csv = AsyncWriterBuilder::new().create_writer(stdout());
    if wanted.format == Format::Csv {
        csv.write_record(COLUMNS).await?;
    }
    csv.flush().await?;
    let (mut last, mut out) = (None, stdout());
    loop {
        let lines = ledger_lines(app, &span, last.as_ref()).await?;
        match wanted.format {
            Format::Csv => write_csv(&mut csv, &lines).await?,
            Format::Ndjson => write_ndjson(&mut out, &lines).await?,
        }
        // What was written is there before more is read, whatever reads it.
        csv.flush().await?;
        out.flush().await?;
        match lines.into_iter().last() {
            Some(line) => last = Some(line),
            None => break,
        }
    }
    Ok(())
}

fn time(line: &ExportedLine) -> String {
    line.at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn write_csv<W: AsyncWrite + Unpin>(csv: &mut AsyncWriter<W>, lines: &[ExportedLine]) -> anyhow::Result<()> {
    for line in lines {
        let cells: [String; COLUMNS.len()] = [
            time(line),
            no_formula(line.entry.clone()),
            line.account.clone(),
            line.amount_minor.to_string(),
            decimal(line.amount_minor),
            line.currency.clone(),
            line.tenant_id.to_string(),
            no_formula(line.tenant.clone()),
            line.payment_id.to_string(),
            line.reference_id.clone(),
            no_formula(line.entity_id.clone()),
        ];
        csv.write_record(&cells).await?;
    }
    Ok(())
}

async fn write_ndjson<W: AsyncWrite + Unpin>(out: &mut W, lines: &[ExportedLine]) -> anyhow::Result<()> {
    let mut text = String::new();
    for line in lines {
        let object = json!({
            "time": time(line), "entry": line.entry, "account": line.account, "amount_minor": line.amount_minor,
            "amount": decimal(line.amount_minor), "currency": line.currency, "tenant_id": line.tenant_id, "tenant": line.tenant,
            "payment_id": line.payment_id, "reference_id": line.reference_id, "entity_id": line.entity_id,
        });
        text.push_str(&object.to_string());
        text.push('\n');
    }
    Ok(out.write_all(text.as_bytes()).await?)
}
