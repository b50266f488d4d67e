//! HTTP/1.1 as bytes: what is sent is what the case says, and what comes back is shown as it came.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::message::{Answer, Request};

/// The host of the issuer.
pub(crate) const HOST: &str = "id.example";

/// Sends a request on a connection of its own to the address of a program.
pub(crate) fn send(address: &str, request: &Request) -> Answer {
    let mut stream = TcpStream::connect(address).expect("the program listens");
    stream.write_all(written(request).as_bytes()).expect("the program reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the program answers");
    read(&String::from_utf8(bytes).expect("answers are UTF-8"))
}

fn written(request: &Request) -> String {
    let Request { method, target, headers, body, .. } = request;
    let names_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = if names_host { String::new() } else { format!("Host: {HOST}\r\n") };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length =
        if body.is_empty() && method != "POST" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {target} HTTP/1.1\r\n{host}{headers}{length}Connection: close\r\n\r\n{body}")
}

/// Takes an answer apart.
pub(crate) fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<_> = lines.map(crate::message::header_of_answer).collect();
    let answer =
        Answer { status: status.unwrap_or_else(|| panic!("no status: {head}")), headers, body: body.to_owned() };
    assert_eq!(answer.header("transfer-encoding"), None, "an answer is small enough to have a length: {answer:?}");
    answer
}
