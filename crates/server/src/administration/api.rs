//! The admin API, asked through the socket of the server that runs, or answered by this process where none does.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use regrant_admin::{BASE_PATH, ErrorBody, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::admin_socket::{ADMIN_SOCKET, AdminSocket};
use crate::waiting::{BUSY_PAUSE_MILLISECONDS, BUSY_PAUSES_MAX};
use regrant_data_directory::{DataDirectory, DataDirectoryError};

use super::in_process;
use super::place::Place;

/// The most bytes of an answer: a page of the longest list, many times over.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long an answer is waited for: ending many grants one by one, or copying a large database, takes long.
const ANSWER_SECONDS_MAX: u64 = 60 * 60;

/// The admin API of one data directory.
pub(super) struct AdminApi {
    way: Way,
}

enum Way {
    /// Through the socket in this data directory.
    Socket(PathBuf),
    /// No server runs: this process has the store open.
    InProcess { router: Router, _directory: Arc<DataDirectory> },
}

/// Runs a command that asks the admin API.
pub(super) fn run(asking: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(asking)
}

/// Whether the API says that there is no such thing.
pub(super) fn is_not_found(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ErrorBody>().is_some_and(|body| body.error == ErrorCode::NotFound)
}

impl AdminApi {
    /// Finds the way to it.
    ///
    /// # Errors
    /// When neither a server answers nor the store can be opened.
    pub(super) async fn reach(place: &Place) -> Result<Self> {
        for _ in 0..BUSY_PAUSES_MAX {
            match AdminSocket::connect(&place.data).await {
                Ok(_) => return Ok(Self { way: Way::Socket(place.data.clone()) }),
                Err(error) if nobody_listens(&error) => {}
                Err(error) => return Err(error).with_context(|| socket_of(place)),
            }
            match DataDirectory::open(&place.data) {
                Ok(directory) => {
                    let directory = Arc::new(directory);
                    let router = in_process::router(place, &directory).await?;
                    return Ok(Self { way: Way::InProcess { router, _directory: directory } });
                }
                Err(DataDirectoryError::InUse(_)) => sleep(Duration::from_millis(BUSY_PAUSE_MILLISECONDS)).await,
                Err(error) => return Err(error.into()),
            }
        }
        bail!(
            "a process has {} open, and nobody answers at {}: wait until it has started or ended, or stop it",
            place.data.display(),
            socket_of(place)
        )
    }

    /// Finds the server that runs; `None` when none does.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(super) async fn reach_server(place: &Place) -> Result<Option<Self>> {
        match AdminSocket::connect(&place.data).await {
            Ok(_) => Ok(Some(Self { way: Way::Socket(place.data.clone()) })),
            Err(error) if nobody_listens(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| socket_of(place)),
        }
    }

    /// Whether a server runs.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.way, Way::Socket(_))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(Method::POST, path, Some(json(body)?)).await
    }

    pub(super) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(Method::PATCH, path, Some(json(body)?)).await
    }

    /// A `POST` without words, such as `…/disable`.
    pub(super) async fn act(&self, path: &str) -> Result<Value> {
        self.ask(Method::POST, path, None).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::DELETE, path, None).await
    }

    /// An answer; an answer without a body is `null`.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<T> {
        let mut request = Request::builder().method(method).uri(format!("{BASE_PATH}{path}")).header(HOST, "regrant");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_vec()));
        let request = request.body(body).context("this cannot be asked")?;
        let asked = timeout(Duration::from_secs(ANSWER_SECONDS_MAX), self.send(request)).await;
        let (status, body) = asked.map_err(|_| anyhow!("no answer came within {ANSWER_SECONDS_MAX} seconds"))??;
        if !status.is_success() {
            let told = serde_json::from_slice::<ErrorBody>(&body);
            return Err(told.map_or_else(|_| anyhow!("the server answers {status}, and not why"), anyhow::Error::from));
        }
        let body = if body.is_empty() { b"null" } else { &body[..] };
        serde_json::from_slice(body)
            .context("the server answers in words that this program does not know: are both of the same version?")
    }

    async fn send(&self, request: Request<Body>) -> Result<(StatusCode, Bytes)> {
        match &self.way {
            Way::Socket(data) => {
                let lost = || format!("the server in {} was lost before it answered", data.display());
                let stream = AdminSocket::connect(data).await.with_context(lost)?;
                let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(lost)?;
                tokio::spawn(connection);
                read(sender.send_request(request).await.with_context(lost)?).await.with_context(lost)
            }
            Way::InProcess { router, .. } => {
                let Ok(response) = router.clone().oneshot(request).await;
                read(response).await
            }
        }
    }
}

async fn read<B>(response: Response<B>) -> Result<(StatusCode, Bytes)>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| anyhow!(error))?;
    Ok((head.status, body.to_bytes()))
}

fn json(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(serde_json::to_vec(body).context("this cannot be written as JSON")?))
}

/// No socket, or one that a process has left that is no more.
fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn socket_of(place: &Place) -> String {
    place.data.join(ADMIN_SOCKET).display().to_string()
}
