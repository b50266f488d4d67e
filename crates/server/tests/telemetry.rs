//! A span of a request arrives at a collector, in the trace that the request belongs to.

#![cfg(feature = "opentelemetry")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Ends the program with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_span_of_a_request_arrives_in_the_trace_that_its_sender_names() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_regrant"));
    command.args(["dev", "--no-tour", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.local_addr().unwrap()));
    command.env("OTEL_SERVICE_NAME", "regrant-of-a-test").env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let mut program = Program(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();

    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /jwks?secret=hidden HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    write!(stream, "{head}traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n\r\n").unwrap();
    stream.read_to_string(&mut line).unwrap();

    // Spans of the start may come first.
    let body = loop {
        let (path, body) = receive(&collector);
        assert_eq!(path, "/v1/traces");
        if contains(&body, b"/jwks") {
            break body;
        }
    };
    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    assert!(contains(&body, &trace), "the trace is that of the sender");
    assert!(contains(&body, b"regrant-of-a-test") && contains(&body, b"http.response.status_code"));
    assert!(!contains(&body, b"hidden"), "a query may hold a secret");
}

/// The path and the body of what the exporter posts.
fn receive(collector: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = collector.accept().expect("the exporter comes");
    let mut reader = BufReader::new(stream);
    let mut path = String::new();
    reader.read_line(&mut path).expect("a request has a first line");
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a request has a head");
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().expect("a length is a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body is as long as it says");
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("the exporter reads");
    (path.split(' ').nth(1).expect("a first line names a path").to_owned(), body)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
