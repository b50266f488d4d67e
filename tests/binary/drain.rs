//! SIGTERM in the middle of everything: what was answered holds, and what was not can be asked again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::program::{Program, fresh_data};

/// How many clients refresh at once, each as fast as it is answered.
const CLIENTS: usize = 16;

/// The program is told to stop when each client has refreshed so often.
const REFRESHES_BEFORE: usize = 25;

/// A connection that stays open, as a client's does.
struct Connection {
    answers: BufReader<TcpStream>,
    requests: TcpStream,
}

impl Connection {
    fn open(url: &str) -> Self {
        let requests = TcpStream::connect(url.trim_start_matches("http://")).expect("the program listens");
        let answers = BufReader::new(requests.try_clone().expect("a socket has two ends"));
        Self { answers, requests }
    }

    /// The body of a 200 to this form; `None` when the connection ended before an answer began.
    fn token(&mut self, form: &str) -> Option<String> {
        let length = form.len();
        let head = format!(
            "POST /token HTTP/1.1\r\nHost: id.example\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        self.requests.write_all((head + form).as_bytes()).ok()?;
        let mut status = String::new();
        if self.answers.read_line(&mut status).ok()? == 0 {
            return None;
        }
        assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
        let mut bytes = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).expect("what begins is finished"), 0, "a head without an end");
            let line = line.trim().to_ascii_lowercase();
            if let Some(length) = line.strip_prefix("content-length: ") {
                bytes = length.parse().expect("a length is a number");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; bytes];
        self.answers.read_exact(&mut body).expect("what begins is finished");
        Some(String::from_utf8(body).expect("JSON is text"))
    }
}

const CLIENT: &str = "client_id=TestClient&client_secret=TestSecret";

fn refresh(token: &str) -> String {
    format!("grant_type=refresh_token&{CLIENT}&refresh_token={token}")
}

fn refresh_token(body: &str) -> String {
    let (_, rest) = body.split_once("\"refresh_token\":\"").expect("a 200 has a refresh token");
    rest.split('"').next().expect("it is quoted").to_owned()
}

/// Refreshes until the connection ends, and tells after [`REFRESHES_BEFORE`]. The last token that was answered, and how many were.
fn refresh_on(url: &str, far_enough: &Sender<()>) -> (String, usize) {
    let mut connection = Connection::open(url);
    let login = format!("grant_type=password&{CLIENT}&username=bshaffer&password=brent123");
    let mut token = refresh_token(&connection.token(&login).expect("the program is not told to stop yet"));
    let mut count = 0;
    while let Some(body) = connection.token(&refresh(&token)) {
        token = refresh_token(&body);
        count += 1;
        if count == REFRESHES_BEFORE {
            far_enough.send(()).expect("the test waits");
        }
    }
    (token, count)
}

#[test]
fn sigterm_under_load_loses_no_answer_that_was_given() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let (sender, far_enough) = channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (url, sender) = (program.url.clone(), sender.clone());
            thread::spawn(move || refresh_on(&url, &sender))
        })
        .collect();
    for _ in 0..CLIENTS {
        far_enough.recv().expect("every client gets so far");
    }
    assert_eq!(program.terminate().status.code(), Some(0));
    let last: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client never fails")).collect();

    let program = Program::start(&data, &[]);
    let mut connection = Connection::open(&program.url);
    for (token, count) in last {
        assert!(count >= REFRESHES_BEFORE);
        let body = connection.token(&refresh(&token)).expect("the program runs");
        assert_ne!(refresh_token(&body), token);
    }
    program.terminate();
}
