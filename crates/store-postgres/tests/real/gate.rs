//! A way to a server that can be made silent, as of a machine that is paused or cut off: the system accepts connections, and nobody
//! answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use regrant_databases::{Database, Postgres};
use regrant_protocol::Secret;
use regrant_store_postgres::Address;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A port behind which the server of all tests is, for as long as it is open.
pub(crate) struct Gate {
    port: u16,
    is_open: watch::Sender<bool>,
    connections: Arc<AtomicU32>,
}

impl Gate {
    /// An open one.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (is_open, connections) = (watch::Sender::new(true), Arc::default());
        tokio::spawn(serve(listener, is_open.subscribe(), Arc::clone(&connections)));
        Self { port, is_open, connections }
    }

    /// Nothing passes any more.
    pub(crate) fn close(&self) {
        self.is_open.send_replace(false);
    }

    /// New connections pass again.
    pub(crate) fn open_again(&self) {
        self.is_open.send_replace(true);
    }

    /// How often somebody has connected.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    /// The address of a database by this gate; and where that is asked for, by the server's own port after it.
    pub(crate) fn address(&self, and_without: bool, database: &Database<'_>) -> Address {
        let own = if and_without { format!(",127.0.0.1:{}", Postgres::shared().port()) } else { String::new() };
        let url = format!("postgres://postgres@127.0.0.1:{}{own}/{}?sslmode=disable", self.port, database.name());
        let password = Secret::new(Postgres::shared().password().to_owned());
        Address::parse(&url, Some(&password)).expect("it is a URL")
    }
}

async fn serve(listener: TcpListener, is_open: watch::Receiver<bool>, connections: Arc<AtomicU32>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(carry(stream, is_open.clone()));
    }
}

async fn carry(mut near: TcpStream, mut is_open: watch::Receiver<bool>) {
    if *is_open.borrow_and_update() {
        let mut far = TcpStream::connect(("127.0.0.1", Postgres::shared().port())).await.expect("it runs");
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = is_open.wait_for(|is_open| !is_open) => {}
        }
    }
    // The ends stay as they are, and hear nothing.
    std::future::pending::<()>().await;
}
