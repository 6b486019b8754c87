//! A network link that a test can break.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Connections are closed at once, as a server on its way up does.
    Refusing,
    /// Connections stay open and carry nothing, as behind a dead switch.
    Frozen,
}

/// A loopback port in front of a server. It forwards until the test breaks it; connections that are open then break too.
pub struct FaultyLink {
    addr: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
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
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = accepted.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, to.clone(), watched.clone()));
            }
        });
        Ok(Self { addr, state, accepted })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes every connection, and every new one at once.
    pub fn refuse(&self) {
        self.state.send_replace(State::Refusing);
    }

    /// Carries nothing any more and says nothing.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Forwards again.
    pub fn mend(&self) {
        self.state.send_replace(State::Up);
    }

    /// How many connections were tried so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn forward(mut client: TcpStream, to: String, mut state: watch::Receiver<State>) {
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
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                    // A connection that was frozen half-way cannot be mended: its bytes are lost.
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
