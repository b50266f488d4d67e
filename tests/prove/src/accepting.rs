//! A port of this machine, and what becomes of whoever comes there.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};

/// Listens on a free port, which is returned, and lets each who comes be carried with this state, until that is dropped.
pub(crate) async fn accept_each<S, Carried>(
    state: &Arc<S>,
    carry: impl Fn(TcpStream, Arc<S>) -> Carried + Send + 'static,
) -> Result<u16>
where
    S: Send + Sync + 'static,
    Carried: Future + Send + 'static,
    Carried::Output: Send,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("there is no free port")?;
    let port = listener.local_addr()?.port();
    let accepting = Arc::downgrade(state);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Some(state) = accepting.upgrade() else { return };
            tokio::spawn(carry(stream, state));
        }
    });
    Ok(port)
}
