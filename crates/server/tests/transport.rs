//! The accept loop against raw sockets: what is answered, what is refused, and when a connection ends.

#![expect(clippy::disallowed_methods, reason = "sockets live in real time")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::routing::any;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};
use regrant_http::FirstByte;
use regrant_server::serve::head::{HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};
use regrant_server::serve::{TransportLimits, serve};
use tokio::sync::{Notify, oneshot};

#[test]
fn well_formed_requests_are_answered() {
    let server = Server::start(TransportLimits::default());
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(TARGET_BYTES_MAX - 1));
    let long_headers = format!("GET / HTTP/1.1\r\nHost: a\r\nx:{}\r\n\r\n", "v".repeat(HEADER_BYTES_MAX - 13));
    let many_headers = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(HEADERS_MAX - 1));
    for (request, body) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            "hello",
        ),
        ("POST / HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", "hello"),
        (&long_target, ""),
        (&long_headers, ""),
        (&many_headers, ""),
    ] {
        let mut client = server.connect();
        for turn in ["first", "second, on the same connection"] {
            client.send(request);
            assert_eq!(client.answer(), (200, body.to_owned()), "{turn}: {request:?}");
        }
    }
}

#[test]
fn http_1_0_closes_after_its_answer() {
    let server = Server::start(TransportLimits::default());
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().0, 200);
    assert!(client.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_order_and_a_bad_one_ends_them() {
    let server = Server::start(TransportLimits::default());
    let mut client = server.connect();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none\
         POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n\
         GET / HTTP/1.1\r\nHost: a\r\n\r\n\
         GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n\
         POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlost",
    );
    assert_eq!(client.answer(), (200, "one".to_owned()));
    assert_eq!(client.answer(), (200, "two".to_owned()));
    assert_eq!(client.answer(), (200, String::new()));
    assert_eq!(client.answer().0, 400);
    assert!(client.is_closed());
    assert_eq!(server.handled(), 3);
}

#[test]
fn a_thousand_pipelined_requests_are_all_answered() {
    let server = Server::start(TransportLimits::default());
    let mut client = server.connect();
    let mut sender = client.0.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for index in 0..1000 {
            let body = index.to_string();
            let length = body.len();
            let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
            sender.write_all(request.as_bytes()).unwrap();
        }
    });
    for index in 0..1000 {
        assert_eq!(client.answer(), (200, index.to_string()));
    }
    sending.join().unwrap();
}

#[test]
fn c_193_malformed_requests_are_answered_400_and_closed_before_any_handler() {
    let server = Server::start(TransportLimits::default());
    for (what, request) in [
        (
            "transfer encoding and length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        ),
        (
            "length and transfer encoding",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        ("different lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        ("list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
        ("signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
        ("unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
        ("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        ("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        ("bare LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        ("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
        ("bare CR", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
        ("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"),
        ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
        ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("no Host", "GET / HTTP/1.1\r\n\r\n"),
        ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("TLS", "\u{16}\u{3}\u{1}\u{0}\u{2}"),
    ] {
        let mut client = server.connect();
        client.send(request);
        let head = client.head();
        assert!(head.starts_with("http/1.1 400 "), "{what}: {head}");
        for line in ["cache-control: no-store", "connection: close", "content-type: application/json"] {
            assert!(head.lines().any(|other| other == line), "{what}: {line} is missing in {head}");
        }
        let body = client.body(&head);
        assert!(body.starts_with(r#"{"error":"invalid_request","error_description":""#), "{what}: {body}");
        assert!(client.is_closed(), "{what}");
        assert_eq!(server.handled(), 0, "{what}");
    }
}

#[test]
fn c_192_a_head_beyond_a_bound_is_refused_while_it_is_still_being_sent() {
    let server = Server::start(TransportLimits::default());
    for (status, request) in [
        (414, format!("GET /{}", "t".repeat(TARGET_BYTES_MAX))),
        (431, format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "v".repeat(HEADER_BYTES_MAX))),
        (431, format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "x: y\r\n".repeat(HEADERS_MAX))),
        // The rest is read and dropped, so that the client sees the answer and not a reset.
        (414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(512 * 1024))),
    ] {
        let mut client = server.connect();
        client.send(&request);
        let (answered, body) = client.answer();
        assert_eq!(answered, status);
        assert!(body.contains("invalid_request") && body.contains("than "), "{body}");
        client.0.shutdown(Shutdown::Write).unwrap();
        assert!(client.is_closed());
    }
    assert_eq!(server.handled(), 0);
}

#[test]
fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let server = Server::start(TransportLimits::default());
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "http/1.1 100 continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.answer(), (200, "hello".to_owned()));
}

#[test]
fn t_50_a_request_that_does_not_arrive_in_time_is_given_up() {
    let limits = TransportLimits { request_read: Duration::from_millis(100), ..TransportLimits::default() };
    let server = Server::start(limits);
    for (sent, status) in [
        ("", None),
        ("\r\n", Some(408)),
        ("GET / HTTP/1.1\r\nHost:", Some(408)),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", Some(408)),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Some(408)),
    ] {
        let begun = Instant::now();
        let mut client = server.connect();
        client.send(sent);
        if let Some(status) = status {
            let (answered, body) = client.answer();
            assert_eq!(answered, status, "{sent:?}");
            assert!(body.contains("temporarily_unavailable"), "{body}");
        }
        assert!(client.is_closed(), "{sent:?}");
        assert!(begun.elapsed() >= limits.request_read, "{sent:?}");
    }
}

#[test]
fn a_connection_that_idles_is_closed() {
    let server = Server::start(TransportLimits { idle: Duration::from_millis(100), ..TransportLimits::default() });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().0, 200);
    let begun = Instant::now();
    assert!(client.is_closed());
    assert!(begun.elapsed() >= Duration::from_millis(50), "not at once");
}

#[test]
fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let limits = TransportLimits { response_write: Duration::from_millis(100), ..TransportLimits::default() };
    let server = Server::start(limits);
    let mut client = server.connect();
    client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    // Nothing is read, so the handler's body is dropped when the write has stalled for long enough.
    server.ended.recv_timeout(PATIENCE).expect("the answer is given up");
    client.0.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn beyond_the_connection_limit_the_next_client_waits_for_a_place() {
    let server = Server::start(TransportLimits { connections_max: 1, ..TransportLimits::default() });
    let mut first = server.connect();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(first.answer().0, 200);
    let before = Instant::now();
    let mut second = server.connect();
    second.send("GET /first-byte HTTP/1.1\r\nHost: a\r\n\r\n");
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(first.answer().0, 200);
    assert_eq!(server.handled(), 2, "the second client is not served yet");
    drop(first);
    assert_eq!(second.answer().0, 200);
    assert!(server.first_byte.recv().unwrap() <= before, "its request may be as old as its connection");
}

#[test]
fn every_connection_that_waited_for_a_place_may_be_as_old_as_the_queue() {
    let server = Server::start(TransportLimits { connections_max: 1, ..TransportLimits::default() });
    let mut first = server.connect();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(first.answer().0, 200);
    let before = Instant::now();
    let mut waiting: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.send("GET /first-byte HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    drop(first);
    for mut client in waiting {
        assert_eq!(client.answer().0, 200);
        assert!(server.first_byte.recv().unwrap() <= before, "however many were accepted before it");
    }
}

#[test]
fn the_request_carries_the_time_of_its_first_byte_and_the_peer() {
    let server = Server::start(TransportLimits::default());
    let (before, mut client, mut other) = (Instant::now(), server.connect(), server.connect());
    client.send("G");
    // The server has one thread: when it has answered these, it has seen the byte that came before them.
    for _ in 0..2 {
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(other.answer().0, 200);
    }
    let between = Instant::now();
    client.send("ET /first-byte HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer(), (200, client.0.local_addr().unwrap().to_string()));
    let first_byte = server.first_byte.recv().unwrap();
    assert!(before <= first_byte && first_byte <= between);
}

#[test]
fn drain_lets_running_requests_finish_and_closes_idle_connections_at_once() {
    let mut server = Server::start(TransportLimits::default());
    let (mut idle, mut running, mut partial) = (server.connect(), server.connect(), server.connect());
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(idle.answer().0, 200);
    partial.send("GET / HTTP/1.1\r\n");
    running.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    server.begun.recv().unwrap();
    server.stop();
    assert!(idle.is_closed());
    server.release.notify_one();
    let head = running.head();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("connection: close"), "{head}");
    assert_eq!(running.body(&head), "");
    assert!(running.is_closed() && partial.is_closed());
    server.wait();
}

#[test]
fn drain_ends_requests_that_run_on() {
    let mut server = Server::start(TransportLimits { drain: Duration::from_millis(100), ..TransportLimits::default() });
    let mut running = server.connect();
    running.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    server.begun.recv().unwrap();
    server.stop();
    assert!(running.is_closed());
    server.wait();
}

/// The accept loop on a thread of its own, with a router that counts.
struct Server {
    address: SocketAddr,
    handled: Arc<AtomicUsize>,
    /// A request to `/wait` was begun; it ends by `release`.
    begun: mpsc::Receiver<()>,
    release: Arc<Notify>,
    /// The body of `/endless` was dropped.
    ended: mpsc::Receiver<()>,
    /// What requests to `/first-byte` carried.
    first_byte: mpsc::Receiver<Instant>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(limits: TransportLimits) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (handled, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let (report, first_byte) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();

        let (counter, gate) = (Arc::clone(&handled), Arc::clone(&release));
        let wait = async move || {
            begin.send(()).unwrap();
            gate.notified().await;
        };
        let endless = async move || Body::new(Endless(end));
        let tell_first_byte = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
            report.send(request.extensions().get::<FirstByte>().unwrap().0).unwrap();
            peer.to_string()
        };
        let echo = async move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            to_bytes(request.into_body(), usize::MAX).await.map_err(|_| StatusCode::BAD_REQUEST)
        };
        let router = Router::new()
            .route("/wait", any(wait))
            .route("/endless", any(endless))
            .route("/first-byte", any(tell_first_byte))
            .fallback(echo);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, router, async { stopped.await.unwrap() }, limits).await;
            });
        });
        let (stop, thread) = (Some(stop), Some(thread));
        Self { address, handled, begun, release, ended, first_byte, stop, thread }
    }

    fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(socket)
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    fn wait(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

struct Client(TcpStream);

impl Client {
    fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).unwrap();
    }

    /// The head of the next answer, in lower case, with its empty line.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap().to_lowercase()
    }

    fn body(&mut self, head: &str) -> String {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// Status and body of the next answer.
    fn answer(&mut self) -> (u16, String) {
        let head = self.head();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, self.body(&head))
    }

    /// Waits for the end of the connection; false if an answer comes instead.
    fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).unwrap() == 0
    }
}

/// A body without end that tells when it is dropped.
struct Endless(mpsc::Sender<()>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);
