use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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
        loop {
            let (mut browser, _) = self.0.accept().await?;
            // One visitor who says nothing must not keep the browser from being heard.
            let Ok(Ok(Some(query))) = timeout(VISIT, read_query(&mut browser)).await else { continue };
            let is_answer = authorization.is_answered_by(&query);
            let page = if is_answer { DONE } else { NOT_FOUND };
            let written = timeout(VISIT, browser.write_all(page.as_bytes())).await;
            tracing::trace!(
                is_answer,
                is_written = matches!(written, Ok(Ok(()))),
                "a browser came to the loopback redirect"
            );
            if is_answer {
                // The browser may have gone without reading: its answer is here all the same.
                let _ = timeout(VISIT, browser.shutdown()).await;
                return Ok(query);
            }
        }
    }
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

const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\nConnection: close\r\nContent-Length: 57\r\n\r\n\
    You can close this window, and go back to your program.\r\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_as_long_as_they_say() {
        let (head, body) = DONE.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{}", body.len());
    }
}
