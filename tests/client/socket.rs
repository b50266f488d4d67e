//! The server behind a real socket, for clients in other processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use axum::http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use regrant_tests::{Setup, TestServer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub(crate) struct Socket {
    pub(crate) server: Arc<TestServer>,
    tally: Arc<Tally>,
}

/// What the token endpoint has done.
struct Tally {
    exchanges: AtomicU32,
    holds_next: AtomicBool,
    held: Semaphore,
}

impl Socket {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(TestServer::start_with(Setup { issuer: issuer.leak(), ..Setup::default() }).await);
        let tally = Tally { exchanges: AtomicU32::new(0), holds_next: AtomicBool::new(false), held: Semaphore::new(0) };
        let socket = Self { server, tally: Arc::new(tally) };
        let (server, tally) = (Arc::clone(&socket.server), Arc::clone(&socket.tally));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (server, tally) = (Arc::clone(&server), Arc::clone(&tally));
                let service = service_fn(move |request| answer(Arc::clone(&server), Arc::clone(&tally), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        socket
    }

    /// How many requests the token endpoint got since this was asked last.
    pub(crate) fn take_exchanges(&self) -> u32 {
        self.tally.exchanges.swap(0, Ordering::SeqCst)
    }

    /// Lets the next answer of the token endpoint wait for ever, once it is decided.
    pub(crate) fn hold_next(&self) {
        self.tally.holds_next.store(true, Ordering::SeqCst);
    }

    /// Returns when an answer is held.
    pub(crate) async fn until_held(&self) {
        self.tally.held.acquire().await.unwrap().forget();
    }
}

async fn answer(
    server: Arc<TestServer>,
    tally: Arc<Tally>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_exchange = head.uri.path() == "/token";
    tally.exchanges.fetch_add(u32::from(is_exchange), Ordering::SeqCst);
    let answer = server.request(head.method.as_str(), head.uri.path()).form(body.to_vec()).send().await;
    if is_exchange && tally.holds_next.swap(false, Ordering::SeqCst) {
        tally.held.add_permits(1);
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
    let seconds = u64::try_from(server.clock_seconds()).unwrap();
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    response.headers_mut().insert("date", date.parse().unwrap());
    Ok(response)
}
