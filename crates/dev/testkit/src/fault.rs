//! A network link that a test can break, and that counts what clients send.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Connections are closed at once, as by a server that is starting.
    Refusing,
    /// Connections stay open and nothing is forwarded, as when a network switch fails.
    Frozen,
}

/// A loopback port in front of a server. It forwards until the test breaks it, which also breaks the open connections.
pub struct FaultyLink {
    addr: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

impl FaultyLink {
    /// A link to the server at `to`, such as `127.0.0.1:5432`.
    ///
    /// # Errors
    /// When loopback has no free port.
    pub async fn to(to: impl Into<String>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (to, addr) = (to.into(), listener.local_addr()?);
        let (state, watched) = watch::channel(State::Up);
        let (accepted, sent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counter, writes) = (accepted.clone(), sent.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let _ = client.set_nodelay(true);
                tokio::spawn(forward(Counted { inner: client, reads: writes.clone() }, to.clone(), watched.clone()));
            }
        });
        Ok(Self { addr, state, accepted, sent })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes every open connection, and closes every new one at once.
    pub fn refuse(&self) {
        self.state.send_replace(State::Refusing);
    }

    /// Keeps connections open and forwards nothing.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Forwards again.
    pub fn mend(&self) {
        self.state.send_replace(State::Up);
    }

    /// The number of connections that clients have opened so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The number of writes by clients so far: on loopback, the bytes of one write arrive in one piece.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

/// The client's side of a connection, which counts the reads.
struct Counted {
    inner: TcpStream,
    reads: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(context, buffer);
        if outcome.is_ready() && buffer.filled().len() > before {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        outcome
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

async fn forward(mut client: Counted, to: String, mut state: watch::Receiver<State>) {
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Refusing => return,
            State::Frozen => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Up => {
                let Ok(mut server) = TcpStream::connect(&to).await else { return };
                let _ = server.set_nodelay(true);
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                    // A connection that was frozen cannot go on afterwards, because bytes may be lost.
                    changed = state.changed() => match changed {
                        Ok(()) if *state.borrow() == State::Frozen => {
                            let _ = state.changed().await;
                            return;
                        }
                        _ => return,
                    },
                }
            }
        }
    }
}
