//! A server of another make, as its clients know it: it rotates refresh tokens, and answers as oauth2-server-php does.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::spawn;

/// What the client `photos` proves itself with there: `photos-web:its&old secret`, each form-encoded.
const BASIC: &str = "Authorization: Basic cGhvdG9zLXdlYjppdHMlMjZvbGQrc2VjcmV0";

/// What it does with the next requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers.
    Answers,
    /// It does what it is asked for, and answers when it is let.
    Dawdles,
    /// It does what it is asked for, and the answer is lost.
    LosesAnswers,
    /// It sends everybody elsewhere.
    Redirects,
    /// It answers with more than anybody reads.
    Floods,
    /// It is down for a while.
    IsDown,
}

/// A running old server.
pub(crate) struct OldServer {
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    /// Refresh tokens that are good, and whose they are.
    live: Mutex<HashMap<String, String>>,
    manner: Mutex<Manner>,
    changed: Condvar,
    /// The paths and bodies of requests.
    asked: Mutex<Vec<String>>,
}

impl OldServer {
    /// Starts one that knows these tokens of these users.
    pub(crate) fn start(live: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let live = live.iter().map(|(token, user)| ((*token).to_owned(), (*user).to_owned())).collect();
        let state = Arc::new(State {
            live: Mutex::new(live),
            manner: Mutex::new(Manner::Answers),
            changed: Condvar::new(),
            asked: Mutex::default(),
        });
        let served = Arc::clone(&state);
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                // Whoever asks may have gone.
                spawn(move || drop(state.serve(&stream)));
            }
        });
        Self { url, state }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.state.manner.lock().expect("nobody fails with it") = manner;
        self.state.changed.notify_all();
    }

    /// Waits until it was asked so often, and tells what.
    pub(crate) fn asked(&self, count: usize) -> Vec<String> {
        let mut asked = self.state.asked.lock().expect("nobody fails with it");
        while asked.len() < count {
            asked = self.state.changed.wait(asked).expect("nobody fails with it");
        }
        asked.clone()
    }
}

impl State {
    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        for line in head.lines() {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut manner = self.manner.lock().expect("nobody fails with it");
        let does_nothing = matches!(*manner, Manner::Redirects | Manner::IsDown);
        let answer = if does_nothing { String::new() } else { self.answer(&path, &head, &body) };
        self.asked.lock().expect("nobody fails with it").push(format!("{path} {body}"));
        self.changed.notify_all();
        while *manner == Manner::Dawdles {
            manner = self.changed.wait(manner).expect("nobody fails with it");
        }
        let now = *manner;
        drop(manner);
        match now {
            Manner::LosesAnswers => Ok(()),
            Manner::Redirects => {
                stream.write_all(b"HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            }
            Manner::IsDown => stream.write_all(b"HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
            Manner::Floods => {
                write!(
                    stream,
                    "HTTP/1.1 200 x\r\nContent-Length: 100000\r\n\r\n{{\"access_token\":\"{}",
                    "x".repeat(99_983)
                )
            }
            Manner::Answers | Manner::Dawdles => stream.write_all(answer.as_bytes()),
        }
    }

    fn answer(&self, path: &str, head: &str, body: &str) -> String {
        let respond = |status: &str, body: String| {
            format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let refused = |error: &str| respond("400", format!("{{\"error\":\"{error}\",\"error_description\":\"no\"}}"));
        let header = |name: &str| head.lines().any(|line| line.eq_ignore_ascii_case(name));
        match path {
            "/token.php" if !header(BASIC) => refused("invalid_client"),
            "/token.php" => {
                let token = body.strip_prefix("grant_type=refresh_token&refresh_token=").unwrap_or_default();
                let mut live = self.live.lock().expect("nobody fails with it");
                let Some(user) = live.remove(token) else { return refused("invalid_grant") };
                let (access, next) = (format!("access-{user}"), format!("{token}0"));
                live.insert(next.clone(), user);
                respond(
                    "200",
                    format!(
                        "{{\"access_token\":\"{access}\",\"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":null,\
                         \"refresh_token\":\"{next}\"}}"
                    ),
                )
            }
            "/userinfo.php" => match head.to_lowercase().split_once("authorization: bearer access-") {
                Some((_, rest)) => {
                    respond("200", format!("{{\"sub\":\"{}\"}}", rest.lines().next().unwrap_or_default()))
                }
                None => respond("401", String::new()),
            },
            _ => respond("404", "<html>Not Found</html>".to_owned()),
        }
    }
}
