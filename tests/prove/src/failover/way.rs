use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::accepting::accept_each;

/// The way from the nodes to a database server, on a port that stays whichever server is behind it.
pub(crate) struct Way {
    port: u16,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It leads to this port.
    Open(u16),
    /// What is sent arrives nowhere, and nobody is told.
    Cut,
}

impl Way {
    /// A way to a port of this machine.
    pub(crate) async fn to(port: u16) -> Result<Self> {
        let state = Arc::new(watch::Sender::new(State::Open(port)));
        let port = accept_each(&state, |node, state| carry(node, state.subscribe())).await?;
        Ok(Self { port, state })
    }

    /// Where the nodes come in.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing arrives, in either direction; connections stay open, and new ones are accepted.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// From now on it leads to this port. Whoever came before is turned away.
    pub(crate) fn lead_to(&self, port: u16) {
        self.state.send_replace(State::Open(port));
    }
}

async fn carry(mut node: TcpStream, mut state: watch::Receiver<State>) {
    let now = *state.borrow_and_update();
    let mut server = None;
    if let State::Open(port) = now {
        tokio::select! {
            // Both sides have said what they had to say, or one has gone.
            _ = forward(&mut node, &mut server, port) => return,
            _ = state.changed() => {}
        }
    }
    // Both ends are held until somebody else is behind the way, or it is no more.
    let _ = state.wait_for(|state| matches!(state, State::Open(_))).await;
}

/// Carries bytes between a node and the server behind a port, which is left in `server`.
async fn forward(node: &mut TcpStream, server: &mut Option<TcpStream>, port: u16) -> io::Result<()> {
    node.set_nodelay(true)?;
    let server = server.insert(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    server.set_nodelay(true)?;
    copy_bidirectional(node, server).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        port
    }

    async fn is_carried(node: &mut TcpStream) -> bool {
        let mut byte = [7];
        node.write_all(&byte).await.is_ok() && matches!(node.read(&mut byte).await, Ok(1))
    }

    #[tokio::test]
    async fn a_cut_way_is_silent_and_one_that_leads_elsewhere_turns_away_who_came_before() {
        let way = Way::to(echo().await).await.unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, way.port()));
        let mut before = connect().await.unwrap();
        assert!(is_carried(&mut before).await);
        way.cut();
        let mut meanwhile = connect().await.unwrap();
        for node in [&mut before, &mut meanwhile] {
            assert!(timeout(Duration::from_millis(20), is_carried(node)).await.is_err(), "silence is no answer");
        }
        way.lead_to(echo().await);
        assert!(!is_carried(&mut before).await && !is_carried(&mut meanwhile).await);
        assert!(is_carried(&mut connect().await.unwrap()).await);
    }
}
