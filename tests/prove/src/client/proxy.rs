use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use regrant_crypto::{SeededEntropy, random};
use tokio::net::{TcpListener, TcpStream};

use super::exchange::{Fate, Record};

/// The header in which a process says which one it is.
pub(crate) const PROCESS: &str = "proof-process";

/// The longest body that is carried, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest that a request or an answer is held up.
const DELAY_MILLISECONDS_MAX: u64 = 40;

/// How many of 1,000 exchanges have each fate; the others arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odds {
    pub(crate) dropped_before: u16,
    pub(crate) dropped_after: u16,
    pub(crate) truncated: u16,
    pub(crate) delayed: u16,
}

/// The way from clients to a server, on which answers are lost.
pub(crate) struct Proxy {
    upstream: SocketAddr,
    odds: Odds,
    is_calm: AtomicBool,
    chance: SeededEntropy,
    record: Record,
}

impl Proxy {
    /// Listens for what is to go to `upstream`; gives the address.
    pub(crate) async fn open(upstream: SocketAddr, odds: Odds, seed: u64) -> Result<(Arc<Self>, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (is_calm, chance, record) = (AtomicBool::new(false), SeededEntropy::new(seed), Record::new());
        let proxy = Arc::new(Self { upstream, odds, is_calm, chance, record });
        let accepting = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&accepting), stream));
            }
        });
        Ok((proxy, address))
    }

    /// From now on everything arrives.
    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
    }

    /// What it has carried.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    async fn carry(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Part>, Lost> {
        let (head, body) = request.into_parts();
        let form = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Lost)?.to_bytes();
        let process = head.headers.get(PROCESS).and_then(|process| process.to_str().ok()?.parse().ok());
        let (fate, delays) = self.draw();
        let place = self.record.begin(process.unwrap_or_default(), refresh_token(&form), fate);
        if fate == Fate::DroppedBefore {
            return Err(Lost);
        }
        // A client that dies meanwhile takes its request with it.
        tokio::time::sleep(delays[0]).await;

        // From here on the server decides, whoever waits for it.
        let carrying = Arc::clone(&self);
        let answered = tokio::spawn(async move {
            let answer = forward(carrying.upstream, &head, form).await?;
            carrying.record.answered(place, answer.status().as_u16(), answer.body());
            Ok(answer)
        });
        let answer = answered.await.map_err(|_| Lost)??;
        match fate {
            Fate::DroppedAfter => Err(Lost),
            Fate::Truncated => Ok(part(answer, true)),
            Fate::Arrives | Fate::Delayed | Fate::DroppedBefore => {
                tokio::time::sleep(delays[1]).await;
                Ok(part(answer, false))
            }
        }
    }

    /// What happens to the next exchange, and for how long it is held up before and after the server.
    fn draw(&self) -> (Fate, [Duration; 2]) {
        let [high, low, before, after] = random(&self.chance);
        if self.is_calm.load(Ordering::SeqCst) {
            return (Fate::Arrives, [Duration::ZERO; 2]);
        }
        let mut left = u16::from_be_bytes([high, low]) % 1000;
        let odds = [
            (Fate::DroppedBefore, self.odds.dropped_before),
            (Fate::DroppedAfter, self.odds.dropped_after),
            (Fate::Truncated, self.odds.truncated),
            (Fate::Delayed, self.odds.delayed),
        ];
        for (fate, share) in odds {
            if left < share {
                let delay = |byte: u8| Duration::from_millis(u64::from(byte) * DELAY_MILLISECONDS_MAX / 255);
                let delays = if fate == Fate::Delayed { [delay(before), delay(after)] } else { [Duration::ZERO; 2] };
                return (fate, delays);
            }
            left -= share;
        }
        (Fate::Arrives, [Duration::ZERO; 2])
    }
}

/// It was lost on purpose, or the server is not there.
#[derive(Clone, Copy, Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lost")
    }
}

impl std::error::Error for Lost {}

async fn serve(proxy: Arc<Proxy>, stream: TcpStream) {
    let service = service_fn(move |request| Arc::clone(&proxy).carry(request));
    // What is lost on purpose ends the connection with an error.
    let _ = server::conn::http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
}

async fn forward(upstream: SocketAddr, head: &Parts, form: Bytes) -> Result<Response<Bytes>, Lost> {
    let stream = TcpStream::connect(upstream).await.map_err(|_| Lost)?;
    let (mut requests, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Lost)?;
    tokio::spawn(connection);
    let mut request = Request::new(Full::new(form));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = only(&head.headers, &[AUTHORIZATION, CONTENT_TYPE]);
    request.headers_mut().insert(HOST, upstream.to_string().parse().map_err(|_| Lost)?);
    let (head, body) = requests.send_request(request).await.map_err(|_| Lost)?.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Lost)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn only(headers: &HeaderMap, names: &[http::HeaderName]) -> HeaderMap {
    let kept = names.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    kept.collect()
}

fn refresh_token(form: &[u8]) -> String {
    let form = String::from_utf8_lossy(form);
    let value = form.split('&').find_map(|pair| pair.strip_prefix("refresh_token="));
    value.unwrap_or_default().to_owned()
}

/// The answer as the client gets it: whole, or half of it.
fn part(answer: Response<Bytes>, is_cut: bool) -> Response<Part> {
    let (head, bytes) = answer.into_parts();
    let mut headers = only(&head.headers, &[CONTENT_TYPE, DATE, RETRY_AFTER]);
    headers.insert(CONTENT_LENGTH, bytes.len().into());
    let length = if is_cut { bytes.len() / 2 } else { bytes.len() };
    let mut answer = Response::new(Part { bytes: Some(bytes.slice(..length)), is_cut });
    *answer.status_mut() = StatusCode::from_u16(head.status.as_u16()).unwrap_or_default();
    *answer.headers_mut() = headers;
    answer
}

/// A body that may end before its end.
struct Part {
    bytes: Option<Bytes>,
    is_cut: bool,
}

impl Body for Part {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        Poll::Ready(match self.bytes.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None if self.is_cut => Some(Err(Lost)),
            None => None,
        })
    }
}
