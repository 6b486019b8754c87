//! The bytes of an import: how much of them one row may have, and what the file is.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use kit::{Code, Error};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, ReadBuf};

/// The largest row in bytes. Parsers keep a whole row in memory.
pub(super) const MAX_ROW: usize = 64 * 1024;

/// How many bytes were read since the last row. Clones share it.
#[derive(Clone, Default)]
pub(super) struct RowSize(Arc<AtomicUsize>);

impl RowSize {
    /// A row was read whole.
    pub(super) fn begin_row(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A reader that fails when a row is larger than [`MAX_ROW`].
pub(super) struct Bounded<R> {
    inner: R,
    size: RowSize,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, size: RowSize) -> Self {
        Self { inner, size }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.size.0.load(Ordering::Relaxed) > MAX_ROW {
            return Poll::Ready(Err(io::Error::other("a row is larger than 64 KiB")));
        }
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.size.0.fetch_add(buf.filled().len() - before, Ordering::Relaxed);
        outcome
    }
}

/// Reads the next line, without its end; false at the end of the file.
///
/// # Errors
/// When the line is larger than [`MAX_ROW`], or the upload was cut off.
pub(super) async fn read_line<R: AsyncBufRead + Unpin>(file: &mut R, line: &mut Vec<u8>) -> io::Result<bool> {
    use tokio::io::AsyncReadExt;
    line.clear();
    let most = u64::try_from(MAX_ROW).unwrap_or(u64::MAX);
    let read = file.take(most).read_until(b'\n', line).await?;
    if read == MAX_ROW && line.last() != Some(&b'\n') {
        return Err(io::Error::other("a row is larger than 64 KiB"));
    }
    Ok(read > 0)
}

/// The character between the columns: the one of `,`, `;` and tab that the first line has most of. Spreadsheets of many
/// countries write semicolons.
///
/// # Errors
/// 415 for files that are no text, such as PDF documents and archives.
pub(super) async fn delimiter<R: AsyncBufRead + Unpin>(file: &mut R) -> Result<u8, Error> {
    const NO_TEXT: [&[u8]; 4] = [b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"];
    let start =
        file.fill_buf().await.map_err(|error| Error::invalid("file", format!("The file cannot be read: {error}")))?;
    if NO_TEXT.iter().any(|magic| start.starts_with(magic)) {
        return Err(Error::new(Code::UnsupportedMediaType).message("Send CSV or NDJSON; this is another kind of file."));
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    Ok([b',', b';', b'\t'].into_iter().rev().max_by_key(|wanted| count(*wanted)).unwrap_or(b','))
}
