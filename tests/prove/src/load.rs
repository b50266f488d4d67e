//! Requests to a running server over connections that are kept open, and how many of them are unanswered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How many requests were sent and not answered yet.
#[derive(Debug, Default)]
pub(crate) struct InFlight(AtomicUsize);

impl InFlight {
    /// At this moment.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// One more, until what is returned is dropped.
    pub(crate) fn enter(&self) -> Unanswered<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Unanswered(self)
    }
}

/// A request that was not answered yet.
pub(crate) struct Unanswered<'a>(&'a InFlight);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A connection to the server that takes one request after the other.
pub(crate) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    in_flight: Arc<InFlight>,
}

/// The connection ended before the whole answer was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, in_flight: &Arc<InFlight>) -> Result<Self, Lost> {
        let socket = TcpStream::connect(address).await.map_err(|_| Lost)?;
        socket.set_nodelay(true).map_err(|_| Lost)?;
        let (requests, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(|_| Lost)?;
        // It ends with the server, or when the requests' end of it is dropped.
        tokio::spawn(connection);
        let host = HeaderValue::from_str(&address.to_string()).map_err(|_| Lost)?;
        Ok(Self { requests, host, in_flight: Arc::clone(in_flight) })
    }

    /// Posts a form and reads the answer.
    pub(crate) async fn post(&mut self, path: &str, form: String) -> Result<(StatusCode, Bytes), Lost> {
        let request = Request::post(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .map_err(|_| Lost)?;
        self.requests.ready().await.map_err(|_| Lost)?;
        let _unanswered = self.in_flight.enter();
        let response = self.requests.send_request(request).await.map_err(|_| Lost)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|_| Lost)?;
        Ok((head.status, body.to_bytes()))
    }
}
