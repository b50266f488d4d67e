//! The origin of the clients: the example app, and a page to come back to.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::spawn;

/// The issuer that the files of the example app name.
const ISSUER_OF_EXAMPLE: &str = "http://127.0.0.1:8080";

/// Serves `examples/browser-app` at `/`, and a page with the id `client` at `/callback`, until the test process ends.
pub(crate) struct Site {
    /// Its origin.
    pub(crate) url: String,
}

impl Site {
    /// Starts it on a free port, for a server at `issuer`.
    pub(crate) fn start(issuer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let issuer = issuer.to_owned();
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let issuer = issuer.clone();
                // Chromium opens connections ahead of use, and closes them as it likes.
                spawn(move || drop(answer(stream, &issuer)));
            }
        });
        Self { url }
    }

    /// Where the server sends the browser back to.
    pub(crate) fn callback(&self) -> String {
        format!("{}/callback", self.url)
    }
}

fn answer(mut stream: TcpStream, issuer: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request_line = String::new();
    reader.read_line(&mut request_line)?;
    let mut body_bytes = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            body_bytes = value.trim().parse().expect("a browser writes a number");
        }
    }
    let mut form = String::new();
    reader.take(body_bytes).read_to_string(&mut form)?;

    let target = request_line.split(' ').nth(1).unwrap_or("/");
    let path = target.split('?').next().unwrap_or_default();
    let found = match path {
        "/callback" => Some(("text/html", client_page(&form))),
        "/" => file("index.html", issuer).map(|page| ("text/html", page)),
        _ if path.ends_with(".js") => file(&path[1..], issuer).map(|script| ("text/javascript", script)),
        _ => file(&path[1..], issuer).map(|style| ("text/css", style)),
    };
    let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
    let (content_type, body) = found.unwrap_or(("text/plain", String::new()));
    let bytes = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-type: {content_type}; charset=utf-8\r\ncontent-length: {bytes}\r\n")?;
    write!(stream, "connection: close\r\n\r\n{body}")
}

/// The client's page, which shows what was posted to it.
fn client_page(form: &str) -> String {
    let form = form.replace('&', "&amp;");
    let head = "<!doctype html><html lang=en><title>Client</title><h1 id=client>Back at the client</h1>";
    format!("{head}<pre id=form>{form}</pre>")
}

/// A file of the example app, if there is such a one, with the issuer of this test in it.
fn file(name: &str, issuer: &str) -> Option<String> {
    let text = fs::read_to_string(example().join(name)).ok()?;
    Some(text.replace(ISSUER_OF_EXAMPLE, issuer))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package is a folder of the workspace")
        .join("examples/browser-app")
}
