use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::issuer_identifier::is_loopback;
use crate::{RESPONSE_BYTES_MAX, RequestBody, Transport, TransportError};

/// The [`Transport`] over reqwest: TLS by rustls with the roots of the system, and the proxies of the environment.
///
/// What is for this machine (`127.0.0.1`, `[::1]` and `localhost`) goes to no proxy, where it would leave the machine in the
/// clear.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    /// For this machine. It is made when it is needed, which it seldom is.
    direct: Arc<OnceCell<reqwest::Client>>,
}

impl ReqwestTransport {
    /// A transport that sends every request over a connection of its own, once.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        Self::with(builder())
    }

    fn with(builder: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        Ok(Self { client: build(builder)?, direct: Arc::default() })
    }

    async fn client_for(&self, uri: &http::Uri) -> Result<&reqwest::Client, TransportError> {
        if uri.host().is_some_and(is_loopback) {
            self.direct.get_or_try_init(async || build(builder().no_proxy())).await
        } else {
            Ok(&self.client)
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // A kept connection may have gone: what was written to it is neither sent nor unsent.
        .pool_max_idle_per_host(0)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, TransportError> {
    builder.build().map_err(|error| TransportError::NotSent(cause(&error)))
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let client = self.client_for(request.uri()).await?;
        let request = request.map(|body| body.expose().to_vec());
        let request = reqwest::Request::try_from(request).map_err(|error| TransportError::NotSent(cause(&error)))?;
        let mut response = client.execute(request).await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                TransportError::NotSent(cause(&error))
            } else {
                TransportError::Unanswered(cause(&error))
            }
        })?;
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        while let Some(chunk) = response.chunk().await.map_err(|error| TransportError::Unanswered(cause(&error)))? {
            if answer.body().len() + chunk.len() > RESPONSE_BYTES_MAX {
                let cause = format!("its answer is longer than {RESPONSE_BYTES_MAX} bytes");
                return Err(TransportError::Unanswered(cause));
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

/// The innermost reason, which says more than "error sending request"; without the URL, which a caller knows.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.source().is_none() && error.is_timeout() { "timed out".to_owned() } else { innermost.to_string() }
}

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait for a whole answer: 10 s for the way and 10 s for the server.
const ANSWER: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers every connection with `answer`, after it has read the request or at once, and hangs up.
    async fn serve(reads: bool, answer: Vec<u8>) -> (String, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                if reads {
                    let _ = stream.read(&mut [0; 4096]).await;
                    // Whoever reads too much has gone by then.
                    let _ = stream.write_all(&answer).await;
                }
            }
        });
        (url, connections)
    }

    async fn post(url: &str) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = http::Request::post(url).body(RequestBody::new(b"grant_type=refresh_token".to_vec())).unwrap();
        ReqwestTransport::new().unwrap().send(request).await
    }

    #[tokio::test]
    async fn a_post_is_sent_once_whatever_becomes_of_it() {
        let long = [b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n".to_vec(), vec![b' '; 1_048_577]].concat();
        for (why, reads, answer, expected) in [
            ("hung up at once", false, &b""[..], None),
            ("hung up after the request", true, b"", None),
            ("hung up in the head", true, b"HTTP/1.1 200 OK\r\nContent-", None),
            ("hung up in the body", true, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"acc", None),
            ("longer than can be", true, &long, None),
            ("a redirect", true, b"HTTP/1.1 307 x\r\nLocation: /token\r\nContent-Length: 0\r\n\r\n", Some(307)),
            ("an answer", true, b"HTTP/1.1 400 x\r\nContent-Length: 2\r\n\r\n{}", Some(400)),
        ] {
            let (url, connections) = serve(reads, answer.to_vec()).await;
            match (post(&url).await, expected) {
                (Ok(answer), Some(status)) => assert_eq!(answer.status().as_u16(), status, "{why}"),
                (Err(TransportError::Unanswered(_)), None) => {}
                (other, _) => panic!("{why}: {other:?}"),
            }
            assert_eq!(connections.load(Ordering::SeqCst), 1, "{why}");
        }
    }

    #[tokio::test]
    async fn what_is_for_this_machine_goes_to_no_proxy() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
        let (proxy, proxied) = serve(true, answer.clone()).await;
        let (url, received) = serve(true, answer).await;
        let transport = ReqwestTransport::with(builder().proxy(reqwest::Proxy::all(&proxy).unwrap())).unwrap();
        let localhost = url.replace("127.0.0.1", "localhost");
        for (url, expected) in [(&*url, (1, 0)), (&*localhost, (2, 0)), ("http://id.example/token", (2, 1))] {
            let request = http::Request::post(url).body(RequestBody::new(b"refresh_token=r".to_vec())).unwrap();
            assert_eq!(transport.send(request).await.unwrap().status(), 200, "{url}");
            let seen = (received.load(Ordering::SeqCst), proxied.load(Ordering::SeqCst));
            assert_eq!(seen, expected, "{url}");
        }
    }

    #[tokio::test]
    async fn what_reached_nobody_is_told_from_what_may_have_arrived() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}/token", listener.local_addr().unwrap());
        drop(listener);
        let (plain, _) = serve(true, b"not TLS".to_vec()).await;
        for url in [nobody, plain.replace("http://", "https://")] {
            let error = post(&url).await.unwrap_err();
            assert!(matches!(error, TransportError::NotSent(_)), "{url}: {error}");
        }
    }
}
