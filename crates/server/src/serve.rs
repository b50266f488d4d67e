//! HTTP/1.1 on sockets: our own accept loop on hyper.
//!
//! Nothing that a client can do to a connection is unbounded: connections, head, time to send a request, time to take
//! the answer, and time to idle each have a limit ([`TransportLimits`], [`head`]). A head that two parsers could
//! read differently is answered 400 before hyper sees it. Each request carries the time of its first byte
//! ([`regrant_http::FirstByte`]) and, from the network, the peer's address ([`ConnectInfo`]).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use regrant_store_sqlite::Failpoint;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::unconstrained;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::request_id::{REQUEST_ID, random_name};

use arrival::{Arrivals, monotonic_now};
use listener::{Peer, Socket};
use open_connections::OpenConnection;
use refusal::Refusal;
use stream::RequestStream;

pub use answers::Answers;
pub(crate) use arrival::elapsed;
pub use listener::Listener;
pub(crate) use open_connections::connections_open;

mod answers;
mod arrival;
pub mod chunks;
mod deadline;
pub mod framing;
pub mod head;
mod listener;
mod open_connections;
pub mod refusal;
mod stream;
pub mod tls;

/// The most connections that are open at once; others wait in the listener's queue.
pub const CONNECTIONS_MAX: u32 = 10_240;

/// How long a request may take to arrive, head and body, from its first byte. A new connection has as long for its
/// first byte, and before that for the TLS handshake.
pub const REQUEST_READ_SECONDS_MAX: u64 = 10;

/// How long the client may leave an answer unread.
pub const RESPONSE_WRITE_SECONDS_MAX: u64 = 10;

/// How long a connection may idle between requests.
pub const IDLE_SECONDS_MAX: u64 = 75;

/// How long running requests have to finish once the server is told to stop.
pub const DRAIN_SECONDS_MAX: u64 = 10;

/// The most bytes of one connection that are read and not yet handled; more than the longest head.
pub const READ_BYTES_MAX: usize = 32 * 1024;

/// Bounds on connections and times. The sizes of a head are bounded by constants in [`head`].
#[derive(Clone, Copy, Debug)]
pub struct TransportLimits {
    /// The most connections at once.
    pub connections_max: u32,
    /// From a request's first byte to its last; also from the opening of a connection to its first byte.
    pub request_read: Duration,
    /// From a write that the client does not take to the end of the connection.
    pub response_write: Duration,
    /// From an answer to the next request.
    pub idle: Duration,
    /// From the signal to stop to the end of the last connection.
    pub drain: Duration,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            request_read: Duration::from_secs(REQUEST_READ_SECONDS_MAX),
            response_write: Duration::from_secs(RESPONSE_WRITE_SECONDS_MAX),
            idle: Duration::from_secs(IDLE_SECONDS_MAX),
            drain: Duration::from_secs(DRAIN_SECONDS_MAX),
        }
    }
}

/// Lets `service` answer on `listener` until `shutdown` is ready, then lets running requests finish: [`serve_all`] on one listener.
pub async fn serve(
    listener: TcpListener,
    service: impl Answers,
    shutdown: impl Future<Output = ()>,
    limits: TransportLimits,
) {
    serve_all(vec![listener], None, service, shutdown, limits).await;
}

/// Lets `service` answer on all `listeners`, with TLS on those of the network where there is an acceptor for it, until `shutdown` is ready, then lets
/// running requests finish.
///
/// When it returns, the listeners and all connections are closed. Idle connections are closed at once. Bind the
/// listeners just before: how long connections waited in their queues until then is not known.
pub async fn serve_all(
    listeners: impl IntoIterator<Item: Into<Listener>>,
    tls: Option<TlsAcceptor>,
    service: impl Answers,
    shutdown: impl Future<Output = ()>,
    limits: TransportLimits,
) {
    let permits = Arc::new(Semaphore::new(limits.connections_max as usize));
    let (running, stopping) = watch::channel(());
    let accepting = accept(listeners, &permits, |connection| {
        let (tls, service, stopping) = (tls.clone(), service.clone(), stopping.clone());
        tokio::spawn(connection.serve(tls, service, limits, stopping));
    });
    tokio::select! {
        () = shutdown => {}
        never = accepting => match never {},
    }

    drop(running);
    // Connections end by their own clocks. Nothing closes the semaphore.
    let _all_ended = permits.acquire_many(limits.connections_max).await;
}

/// A listener, and when its queue was last seen empty.
struct Queue {
    listener: Listener,
    seen_empty: Instant,
}

/// Accepts connections for ever, in turn from each listener that has any.
async fn accept(
    listeners: impl IntoIterator<Item: Into<Listener>>,
    permits: &Arc<Semaphore>,
    mut begin: impl FnMut(Connection),
) -> Infallible {
    let started = monotonic_now();
    let mut queues: VecDeque<Queue> =
        listeners.into_iter().map(|listener| Queue { listener: listener.into(), seen_empty: started }).collect();
    loop {
        let permit = Arc::clone(permits).acquire_owned().await.expect("nothing closes the semaphore");
        let mut was_pending = false;
        let accepted = poll_fn(|cx| {
            for queue in &mut queues {
                match queue.listener.poll_accept(cx) {
                    Poll::Ready(accepted) => {
                        let queued_since = (!was_pending).then_some(queue.seen_empty);
                        return Poll::Ready((accepted, queued_since));
                    }
                    Poll::Pending => queue.seen_empty = monotonic_now(),
                }
            }
            was_pending = true;
            Poll::Pending
        });
        // Unconstrained, so that pending says that the queue is empty, and not that others should have a turn.
        let (accepted, queued_since) = unconstrained(accepted).await;
        queues.rotate_left(1);
        match accepted {
            // While all permits were out, connections waited in the queue, and so did the requests on them: this one
            // perhaps since the queue was last seen empty, however many were accepted before it.
            Ok((socket, peer)) => begin(Connection { socket, peer, queued_since, _permit: permit }),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Most likely all file descriptors are in use: only other connections' ends can help.
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MILLISECONDS)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

struct Connection {
    socket: Socket,
    peer: Peer,
    queued_since: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(
        self,
        tls: Option<TlsAcceptor>,
        service: impl Answers,
        limits: TransportLimits,
        stopping: watch::Receiver<()>,
    ) {
        let Self { socket, peer, queued_since, _permit } = self;
        let _open = OpenConnection::new();
        let socket = match socket {
            Socket::Tcp(socket) => socket,
            // What stays on this machine needs no TLS.
            Socket::Unix(socket) => {
                return Conversation { peer, queued_since, service, limits }.hold(socket, stopping).await;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, %peer, "the connection ended before it began");
            return;
        }
        match tls {
            None => Conversation { peer, queued_since, service, limits }.hold(socket, stopping).await,
            // In a place of its own, so that a connection without TLS is not as large.
            Some(tls) => {
                // A first request may come with the end of the handshake.
                let queued_since = Some(queued_since.unwrap_or_else(monotonic_now));
                let conversation = Conversation { peer, queued_since, service, limits };
                Box::pin(conversation.hold_by_tls(tls, socket, stopping)).await;
            }
        }
    }
}

/// The requests of one connection, and the answers.
struct Conversation<S> {
    peer: Peer,
    queued_since: Option<Instant>,
    service: S,
    limits: TransportLimits,
}

impl<S: Answers> Conversation<S> {
    async fn hold_by_tls(self, tls: TlsAcceptor, socket: TcpStream, mut stopping: watch::Receiver<()>) {
        let peer = self.peer;
        let shaken = tokio::select! {
            biased;
            _ = stopping.changed() => return,
            shaken = timeout(self.limits.request_read, tls.accept(socket)) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => self.hold(stream, stopping).await,
            Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS connection was made"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    }

    async fn hold(self, socket: impl AsyncRead + AsyncWrite + Unpin, mut stopping: watch::Receiver<()>) {
        let Self { peer, queued_since, service, limits } = self;
        let arrivals = Arc::new(Arrivals::default());
        let stream = RequestStream::new(socket, limits, Arc::clone(&arrivals), queued_since);
        let answering = service_fn(|request| answer(request, service.clone(), peer, Arc::clone(&arrivals)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Heads reach hyper whole, so all that it can wait for here is that one begins.
            .header_read_timeout(limits.idle)
            .max_buf_size(READ_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), answering);

        let mut connection = pin!(connection);
        let ended = tokio::select! {
            biased;
            // Seen first, so that an answer written after the signal says that the connection closes.
            _ = stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                timeout(limits.drain, connection).await.unwrap_or(Ok(()))
            }
            ended = connection.as_mut() => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "the connection ended early");
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    service: impl Answers,
    peer: Peer,
    arrivals: Arc<Arrivals>,
) -> Result<Response<Body>, Infallible> {
    let arrival = arrivals.begin().expect("hyper sees no request that was not announced");
    if let Some(refusal) = arrival.refusal {
        return Ok(named(refusal.response(), None));
    }
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(arrival.first_byte);
    if let Peer::Address(address) = peer {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    Failpoint::RequestArrived.reach();
    let mut response = service.oneshot(request).await?;
    Failpoint::ResponseMade.reach();
    // A handler that misses the end of a body may call it malformed; the client shall rather send it again.
    if arrivals.is_body_late() {
        let name = response.headers_mut().remove(REQUEST_ID);
        return Ok(named(Refusal::TooSlow.response(), name));
    }
    Ok(response)
}

/// An answer that no handler gave, under the name that the request has, if it has one.
fn named(mut response: Response<Body>, name: Option<HeaderValue>) -> Response<Body> {
    let name = name.unwrap_or_else(random_name);
    response.headers_mut().insert(REQUEST_ID, name);
    response
}

/// How long to wait after the system refused to hand out a connection.
const ACCEPT_PAUSE_MILLISECONDS: u64 = 100;
