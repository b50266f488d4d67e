use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{JoinHandle, spawn};

/// A server that gives one answer after the other, and tells what it was asked.
pub(crate) struct StandIn {
    pub(crate) url: String,
    heard: JoinHandle<Vec<String>>,
}

impl StandIn {
    /// Answers one request.
    pub(crate) fn once(answer: String) -> Self {
        Self::in_turn(|_| vec![answer])
    }

    /// Answers as many requests as there are answers, which may name its own URL.
    pub(crate) fn in_turn(answers: impl FnOnce(&str) -> Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers(&url);
        let heard = spawn(move || answers.iter().map(|answer| serve(&listener, answer)).collect());
        Self { url, heard }
    }

    /// The last request, when all have come.
    pub(crate) fn heard(self) -> String {
        self.all_heard().pop().unwrap()
    }

    /// All requests, when all have come.
    pub(crate) fn all_heard(self) -> Vec<String> {
        self.heard.join().unwrap()
    }
}

fn serve(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut heard = Vec::new();
    while !is_whole(&heard) {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        assert_ne!(count, 0, "the request ends early");
        heard.extend_from_slice(&part[..count]);
    }
    stream.write_all(answer.as_bytes()).unwrap();
    String::from_utf8(heard).unwrap()
}

/// An answer of that kind.
pub(crate) fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
