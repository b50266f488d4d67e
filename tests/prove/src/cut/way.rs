use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::accepting::accept_each;

/// The longest message that is carried, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The way from a node to PostgreSQL, which reads the messages that it carries (PostgreSQL, chapter "Frontend/Backend Protocol"), and can
/// end a connection in the place of one of them.
pub(super) struct Way {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Everything is carried.
    Carry,
    /// So many messages more are carried, in both directions and on all connections together; the connection of the next ends without it.
    CutAfter(usize),
    /// That has happened. The rest is carried.
    WasCut,
}

impl Way {
    /// A way to a port of this machine.
    pub(super) async fn to(port: u16) -> Result<Self> {
        let plan = Arc::new(Mutex::new(Plan::Carry));
        let port = accept_each(&plan, move |node, plan| carry(node, port, plan)).await?;
        Ok(Self { port, plan })
    }

    /// Where the node comes in.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Ends the connection that would carry a message after so many. What the node asks by itself counts too, about once a second.
    pub(super) fn cut_after(&self, messages: usize) {
        *lock(&self.plan) = Plan::CutAfter(messages);
    }

    /// Ends no connection any more; whether one was ended.
    pub(super) fn stop_cutting(&self) -> bool {
        let mut plan = lock(&self.plan);
        let was_cut = *plan == Plan::WasCut;
        *plan = Plan::Carry;
        was_cut
    }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the next message is carried.
fn is_carried(plan: &Mutex<Plan>) -> bool {
    let mut plan = lock(plan);
    match *plan {
        Plan::Carry | Plan::WasCut => true,
        Plan::CutAfter(0) => {
            *plan = Plan::WasCut;
            false
        }
        Plan::CutAfter(left) => {
            *plan = Plan::CutAfter(left - 1);
            true
        }
    }
}

async fn carry(node: TcpStream, port: u16, plan: Arc<Mutex<Plan>>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    node.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_node, to_node) = node.into_split();
    let (from_server, to_server) = server.into_split();
    // Where one ends both do, and both sockets are closed.
    tokio::select! {
        ended = forward(from_node, to_server, Lead::First, &plan) => ended,
        ended = forward(from_server, to_node, Lead::Typed, &plan) => ended,
    }
}

/// What a message begins with, before its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// Nothing: the first message of a client.
    First,
    /// A byte that says which it is.
    Typed,
}

async fn forward(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut lead: Lead,
    plan: &Mutex<Plan>,
) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let message = read(&mut from, lead).await?;
        lead = Lead::Typed;
        if !is_carried(plan) {
            return Ok(());
        }
        to.write_all(&message).await?;
    }
}

/// One message: a length of four bytes, which counts itself, and what it says.
async fn read(from: &mut (impl AsyncRead + Unpin), lead: Lead) -> io::Result<Vec<u8>> {
    let head = match lead {
        Lead::First => 0,
        Lead::Typed => 1,
    };
    let mut message = vec![0; head + 4];
    from.read_exact(&mut message).await?;
    let length = message[head..].try_into().map(u32::from_be_bytes).map_or(0, |length| length as usize);
    if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no message of PostgreSQL"));
    }
    message.resize(head + length, 0);
    from.read_exact(&mut message[head + 4..]).await?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_in_the_place_of_a_message_in_either_direction() {
        // A server that answers each message with another of the same.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut lead = Lead::First;
                    while read(&mut socket, lead).await.is_ok() {
                        lead = Lead::Typed;
                        socket.write_all(b"Z\0\0\0\x05I").await.unwrap();
                    }
                });
            }
        });
        let way = Way::to(port).await.unwrap();
        for carried in 0..6 {
            let mut node = TcpStream::connect((Ipv4Addr::LOCALHOST, way.port())).await.unwrap();
            way.cut_after(carried);
            let mut answers = 0;
            for message in [&b"\0\0\0\x04"[..], b"S\0\0\0\x04", b"S\0\0\0\x04"] {
                if node.write_all(message).await.is_err() || read(&mut node, Lead::Typed).await.is_err() {
                    break;
                }
                answers += 1;
            }
            assert_eq!((answers, way.stop_cutting()), (carried / 2, true));
        }
        let mut node = TcpStream::connect((Ipv4Addr::LOCALHOST, way.port())).await.unwrap();
        way.cut_after(2);
        node.write_all(b"\0\0\0\x04").await.unwrap();
        read(&mut node, Lead::Typed).await.unwrap();
        assert!(!way.stop_cutting(), "what comes later is carried");
    }
}
