use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Authorization;

/// Waits on this machine for a browser to come back from a login (RFC 8252 §7.3).
///
/// ```no_run
/// use regrant_client::{LoopbackRedirect, OAuthClient, TokenManager};
/// use regrant_protocol::Scope;
/// use std::time::Duration;
///
/// # async fn example(client: OAuthClient, tokens: TokenManager) -> Result<(), Box<dyn std::error::Error>> {
/// let redirect = LoopbackRedirect::listen().await?;
/// let authorization = client.authorization(&redirect.uri()?, &Scope::parse("read")?)?;
/// println!("Open {}", authorization.url());
/// let answer = redirect.answer(&authorization, Duration::from_secs(300)).await?;
/// tokens.log_in(authorization.finish(&answer).await?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LoopbackRedirect(TcpListener);

impl LoopbackRedirect {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    ///
    /// # Errors
    /// When the system gives none.
    pub async fn listen() -> io::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map(Self)
    }

    /// The redirect URI of this login. The client registers it without the port.
    ///
    /// # Errors
    /// When the system does not know its own port.
    pub fn uri(&self) -> io::Result<String> {
        Ok(format!("http://127.0.0.1:{}{PATH}", self.0.local_addr()?.port()))
    }

    /// The query with which a browser comes back from `authorization`, once it has been told that it may be closed.
    ///
    /// Whoever else comes, with the answer to another request, say, is sent away and waited past.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when nobody comes back within `patience`.
    pub async fn answer(self, authorization: &Authorization, patience: Duration) -> io::Result<String> {
        timeout(patience, self.wait_for(authorization)).await?
    }

    async fn wait_for(self, authorization: &Authorization) -> io::Result<String> {
        // Visitors who say nothing must not keep the browser from being heard.
        let mut visits: JoinSet<Option<(TcpStream, String)>> = JoinSet::new();
        loop {
            let heard = tokio::select! {
                accepted = self.0.accept(), if visits.len() < VISITS_MAX => {
                    let (browser, _) = accepted?;
                    visits.spawn(hear(browser));
                    continue;
                }
                Some(heard) = visits.join_next() => heard,
            };
            let Ok(Some((browser, query))) = heard else { continue };
            if authorization.is_answered_by(&query) {
                let page = if authorization.code(&query).is_ok() { DONE } else { REFUSED };
                // The browser may have gone without reading: its answer is here all the same.
                show(browser, page).await;
                return Ok(query);
            }
            visits.spawn(async {
                show(browser, NOT_FOUND).await;
                None
            });
        }
    }
}

/// A browser and the query that it comes with; `None` where nothing is heard of it in time.
async fn hear(mut browser: TcpStream) -> Option<(TcpStream, String)> {
    let query = timeout(VISIT, read_query(&mut browser)).await.ok()?.ok()??;
    Some((browser, query))
}

async fn show(mut browser: TcpStream, page: &str) {
    let shown = timeout(VISIT, async {
        browser.write_all(page.as_bytes()).await?;
        browser.shutdown().await
    });
    let is_shown = matches!(shown.await, Ok(Ok(())));
    tracing::trace!(is_shown, "a browser came to the loopback redirect");
}

/// The query of a `GET` of our path, empty for any other request; `None` when there is no request.
async fn read_query(browser: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut limited = browser.take(HEAD_BYTES_MAX);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if limited.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let target = String::from_utf8_lossy(line).into_owned();
    let query = target
        .strip_prefix("GET ")
        .and_then(|rest| rest.split(' ').next())
        .and_then(|target| target.strip_prefix(PATH)?.strip_prefix('?'));
    Ok(Some(query.unwrap_or_default().to_owned()))
}

/// Where the browser comes back to.
const PATH: &str = "/callback";
/// The longest head of a request that is read, in bytes.
const HEAD_BYTES_MAX: u64 = 16 * 1024;
/// The longest that one connection may take to read or to write.
const VISIT: Duration = Duration::from_secs(5);

/// How many connections are heard at once; the next one waits until one of them is done.
const VISITS_MAX: usize = 64;

const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\nConnection: close\r\nContent-Length: 57\r\n\r\n\
    You can close this window, and go back to your program.\r\n";
const REFUSED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\nConnection: close\r\nContent-Length: 78\r\n\r\n\
    You are not logged in. Close this window: your program says what went wrong.\r\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::tests::begun;

    #[test]
    fn the_pages_are_as_long_as_they_say() {
        for page in [DONE, REFUSED, NOT_FOUND] {
            let (head, body) = page.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{}", body.len());
        }
    }

    /// What a browser is shown that comes with `query` and the state of the login.
    async fn visit(query: &str, silent_count: usize) -> String {
        let redirect = LoopbackRedirect::listen().await.unwrap();
        let authorization = begun(true);
        let address = redirect.0.local_addr().unwrap();
        let state = authorization.url().split('&').find(|part| part.starts_with("state=")).unwrap();
        let query = format!("{query}&{state}");
        let mut silent = Vec::new();
        for _ in 0..silent_count {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut browser = TcpStream::connect(address).await.unwrap();
        browser.write_all(format!("GET {PATH}?{query} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(redirect.answer(&authorization, VISIT / 2).await.unwrap(), query);
        let mut page = String::new();
        browser.read_to_string(&mut page).await.unwrap();
        page
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_say_nothing_do_not_hold_up_the_browser() {
        assert_eq!(visit("code=c&iss=https%3A%2F%2Fid.example", VISITS_MAX - 1).await, DONE);
    }

    #[tokio::test]
    async fn a_browser_is_told_of_a_success_after_a_success_alone() {
        for (query, expected) in [
            ("code=c&iss=https%3A%2F%2Fid.example", DONE),
            ("error=access_denied&iss=https%3A%2F%2Fid.example", REFUSED),
            ("code=c&iss=https%3A%2F%2Fevil.example", REFUSED),
            ("iss=https%3A%2F%2Fid.example", REFUSED),
        ] {
            assert_eq!(visit(query, 0).await, expected, "{query}");
        }
    }
}
