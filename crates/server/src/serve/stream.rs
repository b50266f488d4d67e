//! The socket as hyper sees it: whole heads that have one reading, bodies, and nothing else.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use regrant_http::FirstByte;
use regrant_store_sqlite::Failpoint;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::TransportLimits;
use super::arrival::{Arrival, Arrivals, monotonic_now};
use super::deadline::Deadline;
use super::framing::{Found, Requests};
use super::refusal::Refusal;

/// How long a connection that is closed in the midst of a request is still read from, so that the client sees the
/// answer and not a reset.
pub(super) const LINGER_MILLISECONDS_MAX: u64 = 1_000;

/// How many bytes are read and dropped meanwhile.
pub(super) const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// A socket under the rules of [`head`](super::head) and under deadlines.
///
/// A head is passed on when it is complete. Most are read in one piece and stay where they were read; the start of
/// any other is held back. In the place of a refused head comes [`REFUSED_REQUEST`], announced as refused, so that
/// its answer takes its turn behind those of the requests before it.
#[derive(Debug)]
pub(super) struct RequestStream<S> {
    socket: S,
    limits: TransportLimits,
    arrivals: Arc<Arrivals>,
    requests: Requests,
    /// What was read and not passed on: first `cleared` bytes that may be, then the start of a head.
    held: BytesMut,
    cleared: usize,
    input: Input,
    /// Bytes that are read now may have been there since then.
    queued_since: Option<Instant>,
    /// Of the request that is being read.
    first_byte: Option<Instant>,
    read_deadline: Deadline,
    stalled_since: Option<Instant>,
    write_deadline: Deadline,
    lingering: Option<Linger>,
}

#[derive(Clone, Copy, Debug)]
enum Input {
    /// Nothing was read yet.
    New {
        since: Instant,
    },
    Open,
    /// A request was refused; nothing after it is read.
    Refused,
    /// A body cannot be read on.
    Broken(io::ErrorKind),
    /// No request came.
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Linger {
    until: Instant,
    bytes: usize,
}

impl<S> RequestStream<S> {
    /// `queued_since` is set if the connection, and bytes on it, may have been waiting since then.
    pub(super) fn new(
        socket: S,
        limits: TransportLimits,
        arrivals: Arc<Arrivals>,
        queued_since: Option<Instant>,
    ) -> Self {
        Self {
            socket,
            limits,
            arrivals,
            requests: Requests::default(),
            held: BytesMut::new(),
            cleared: 0,
            input: Input::New { since: monotonic_now() },
            queued_since,
            first_byte: None,
            read_deadline: Deadline::default(),
            stalled_since: None,
            write_deadline: Deadline::default(),
            lingering: None,
        }
    }

    /// Sorts what was just read into `buf` behind its first `before` bytes: clears it, or holds it back.
    fn take_in(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let now = monotonic_now();
        // Until a read finds the socket empty, these bytes may have been behind all that came before.
        let arrived = *self.queued_since.get_or_insert(now);
        self.input = Input::Open;
        if self.first_byte.is_some_and(|first_byte| now.duration_since(first_byte) >= self.limits.request_read) {
            buf.set_filled(before);
            return self.give_up();
        }

        let read = &buf.filled()[before..];
        let (mut scanned, mut cleared, mut refusal) = (0, 0, None);
        while scanned < read.len() && refusal.is_none() {
            let first_byte = FirstByte(*self.first_byte.get_or_insert(arrived));
            match self.requests.feed(&read[scanned..]) {
                Err(found) => refusal = Some(found),
                Ok((Found::Head, length)) => scanned += length,
                Ok((Found::HeadEnd, length)) => {
                    self.arrivals.announce(Arrival { first_byte, refusal: None });
                    scanned += length;
                    cleared = scanned;
                }
                Ok((Found::Body, length)) => {
                    scanned += length;
                    cleared = scanned;
                }
            }
            if self.requests.is_between() {
                self.first_byte = None;
            }
        }

        if self.held.is_empty() {
            self.held.extend_from_slice(&read[cleared..]);
            buf.set_filled(before + cleared);
        } else {
            if cleared > 0 {
                self.cleared = self.held.len() + cleared;
            }
            self.held.extend_from_slice(read);
            buf.set_filled(before);
        }
        if let Some(refusal) = refusal {
            self.refuse(refusal);
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.held.truncate(self.cleared);
        if self.requests.is_in_body() {
            self.input = Input::Broken(io::ErrorKind::InvalidData);
            return;
        }
        self.held.extend_from_slice(REFUSED_REQUEST);
        self.cleared = self.held.len();
        let first_byte = FirstByte(self.first_byte.unwrap_or_else(monotonic_now));
        self.arrivals.announce(Arrival { first_byte, refusal: Some(refusal) });
        self.input = Input::Refused;
    }

    /// Ends the reading of a request that took too long, or never began.
    fn give_up(&mut self) {
        if self.first_byte.is_none() {
            self.input = Input::Ended;
        } else if self.requests.is_in_body() {
            self.arrivals.give_up_body();
            self.held.truncate(self.cleared);
            self.input = Input::Broken(io::ErrorKind::TimedOut);
        } else {
            self.refuse(Refusal::TooSlow);
        }
    }

    /// Passes on what was cleared; says whether that was anything.
    fn pass_on(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let length = self.cleared.min(buf.remaining());
        if length == 0 {
            return false;
        }
        buf.put_slice(&self.held[..length]);
        self.held.advance(length);
        self.cleared -= length;
        if self.held.is_empty() {
            // An idle connection holds no buffer.
            self.held = BytesMut::new();
        }
        true
    }

    /// Ready when the request that is awaited is too late. How long a connection may idle is hyper's to say.
    fn poll_too_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = match (self.first_byte, self.input) {
            (Some(first_byte), _) => first_byte,
            (None, Input::New { since }) => since,
            (None, Input::Open | Input::Refused | Input::Broken(_) | Input::Ended) => {
                self.read_deadline.clear();
                return Poll::Pending;
            }
        };
        self.read_deadline.poll(since + self.limits.request_read, cx)
    }

    /// Turns a write that waits for a client that does not read into an error, in the end.
    fn poll_stalled<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled_since = None;
            self.write_deadline.clear();
            return written;
        }
        let since = *self.stalled_since.get_or_insert_with(monotonic_now);
        ready!(self.write_deadline.poll(since + self.limits.response_write, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RequestStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            if this.pass_on(buf) {
                return Poll::Ready(Ok(()));
            }
            match this.input {
                Input::New { .. } | Input::Open => {}
                Input::Refused => return Poll::Pending,
                Input::Broken(kind) => return Poll::Ready(Err(kind.into())),
                Input::Ended => return Poll::Ready(Ok(())),
            }
            match Pin::new(&mut this.socket).poll_read(cx, buf)? {
                Poll::Pending => {
                    this.queued_since = None;
                    ready!(this.poll_too_late(cx));
                    this.give_up();
                }
                Poll::Ready(()) if buf.filled().len() == before => return Poll::Ready(Ok(())),
                Poll::Ready(()) => {
                    this.take_in(buf, before);
                    if buf.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for RequestStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        Failpoint::BeforeResponseWrite.reach();
        let written = Pin::new(&mut this.socket).poll_write(cx, bytes);
        Failpoint::AfterResponseWrite.reach();
        this.poll_stalled(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        Failpoint::BeforeResponseWrite.reach();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, slices);
        Failpoint::AfterResponseWrite.reach();
        this.poll_stalled(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Under TLS, what was written may wait here.
        let flushed = Pin::new(&mut this.socket).poll_flush(cx);
        this.poll_stalled(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            let shut = Pin::new(&mut this.socket).poll_shutdown(cx);
            ready!(this.poll_stalled(shut, cx))?;
            if matches!(this.input, Input::Open) && this.requests.is_between() {
                return Poll::Ready(Ok(()));
            }
        }
        let until = || monotonic_now() + Duration::from_millis(LINGER_MILLISECONDS_MAX);
        let linger = this.lingering.get_or_insert_with(|| Linger { until: until(), bytes: LINGER_BYTES_MAX });
        let mut dropped = [0; 4096];
        loop {
            let mut dropped = ReadBuf::new(&mut dropped);
            match Pin::new(&mut this.socket).poll_read(cx, &mut dropped) {
                Poll::Pending => return this.read_deadline.poll(linger.until, cx).map(Ok),
                Poll::Ready(Ok(())) if !dropped.filled().is_empty() && linger.bytes >= dropped.filled().len() => {
                    linger.bytes -= dropped.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// What hyper reads in the place of a refused head.
const REFUSED_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;

    use super::*;

    /// Each poll gives the next entry: bytes, or `None` for "nothing there yet".
    struct Script(VecDeque<Option<Vec<u8>>>);

    impl AsyncRead for Script {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            match self.0.pop_front() {
                Some(Some(bytes)) => {
                    buf.put_slice(&bytes);
                    Poll::Ready(Ok(()))
                }
                Some(None) | None => Poll::Pending,
            }
        }
    }

    fn stream(script: &[Option<&[u8]>]) -> (RequestStream<Script>, Arc<Arrivals>) {
        let arrivals = Arc::new(Arrivals::default());
        let socket = Script(script.iter().map(|step| step.map(<[u8]>::to_vec)).collect());
        (RequestStream::new(socket, TransportLimits::default(), Arc::clone(&arrivals), None), arrivals)
    }

    fn poll(stream: &mut RequestStream<Script>, space: usize) -> Poll<io::Result<Vec<u8>>> {
        let mut bytes = vec![0; space];
        let mut buf = ReadBuf::new(&mut bytes);
        ready!(Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buf))?;
        Poll::Ready(Ok(buf.filled().to_vec()))
    }

    /// What one poll passes on; `None` if it is pending.
    fn read(stream: &mut RequestStream<Script>, space: usize) -> Option<Vec<u8>> {
        match poll(stream, space) {
            Poll::Pending => None,
            Poll::Ready(read) => Some(read.unwrap()),
        }
    }

    fn error(stream: &mut RequestStream<Script>) -> io::ErrorKind {
        let Poll::Ready(Err(error)) = poll(stream, 99) else { panic!("no error") };
        error.kind()
    }

    #[tokio::test]
    async fn a_head_is_held_back_until_it_is_complete() {
        let pipelined = b"GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET";
        let (mut stream, arrivals) = stream(&[
            Some(b"GET /0"),
            None,
            Some(b" HTTP/1.0\r\n\r\n"),
            Some(pipelined),
            None,
            Some(b" /\0"),
            Some(b"GET / HTTP/1.0\r\n\r\n"),
        ]);
        assert_eq!(read(&mut stream, 99), None);
        assert_eq!(read(&mut stream, 99).unwrap(), b"GET /0 HTTP/1.0\r\n\r\n");
        assert_eq!(read(&mut stream, 99).unwrap(), &pipelined[..38]);
        assert!(stream.held == b"GET"[..]);
        assert_eq!(read(&mut stream, 99), None);
        assert_eq!(read(&mut stream, 30).unwrap(), &REFUSED_REQUEST[..30], "as much as there is room for");
        assert_eq!(read(&mut stream, 30).unwrap(), &REFUSED_REQUEST[30..]);
        assert_eq!(read(&mut stream, 30), None, "nothing after a refused request is read");
        assert_eq!(stream.held.capacity(), 0);
        let refusals: Vec<_> = std::iter::from_fn(|| arrivals.begin()).map(|arrival| arrival.refusal).collect();
        assert_eq!(refusals, [None, None, None, Some(Refusal::ForbiddenByte)]);
    }

    #[tokio::test]
    async fn first_byte_is_when_the_first_byte_was_read_or_earlier() {
        let rest = b"ET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n";
        let (mut stream, arrivals) = stream(&[
            None,
            Some(b"G"),
            None,
            Some(rest),
            Some(b"!GET / HTTP/1.0\r\n\r\n"),
            None,
            Some(b"GET / HTTP/1.0\r\n\r\n"),
        ]);
        let mut turns = Vec::new();
        for _ in 0..6 {
            turns.push(monotonic_now());
            read(&mut stream, 99);
        }
        let first_bytes: Vec<_> = std::iter::from_fn(|| arrivals.begin()).map(|arrival| arrival.first_byte.0).collect();
        let [split, pipelined, waited_for] = first_bytes[..] else { panic!("{first_bytes:?}") };
        assert!(turns[1] <= split && split < turns[2], "when its first byte was read, not its last");
        assert!(turns[2] <= pipelined && pipelined < turns[3], "it may have been there since the read before it");
        assert!(turns[5] <= waited_for, "the socket was seen empty before it");
    }

    #[tokio::test]
    async fn bytes_that_come_too_late_are_not_passed_on_however_steadily_they_come() {
        let head = b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n";
        let (mut in_head, arrivals) = stream(&[Some(&head[..9]), Some(&head[9..])]);
        in_head.limits.request_read = Duration::ZERO;
        assert_eq!(read(&mut in_head, 99).unwrap(), REFUSED_REQUEST);
        assert_eq!(arrivals.begin().unwrap().refusal, Some(Refusal::TooSlow));

        let (mut in_body, arrivals) = stream(&[Some(head), Some(b"ab")]);
        in_body.limits.request_read = Duration::ZERO;
        assert_eq!(read(&mut in_body, 99).unwrap(), head);
        assert_eq!(error(&mut in_body), io::ErrorKind::TimedOut);
        assert!(arrivals.is_body_late());
    }

    #[tokio::test]
    async fn a_broken_chunk_ends_the_body_with_an_error() {
        let head = b"POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (mut stream, _) = stream(&[Some(head), Some(b"1\r\n!\n")]);
        assert_eq!(read(&mut stream, 99).unwrap(), head);
        assert_eq!(error(&mut stream), io::ErrorKind::InvalidData);
    }
}
