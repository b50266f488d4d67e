//! `regrant dev`: a server on this machine, ready to be tried.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get};
use clap::Args;
use regrant_crypto::SystemEntropy;
use regrant_engine::{AuthorizationServer, Parts, Refusal};
use regrant_http::{refusal, router_with_brand};
use regrant_protocol::{Clock, ErrorCode, ErrorResponse, Issuer, Metadata, SystemClock};
use regrant_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::data_directory::DataDirectory;
use crate::demo::{self, DemoSettings};
use crate::serve::{TransportLimits, serve};
use crate::tour;

/// What `regrant dev` can be told.
#[derive(Args, Clone, Debug)]
pub struct DevOptions {
    /// Where to listen: a loopback address; port 0 picks a free one and prints it.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where database and keys are kept.
    #[arg(long, value_name = "DIR", default_value = "regrant-data")]
    data: PathBuf,
    /// Serve without showing the tour.
    #[arg(long)]
    no_tour: bool,
    /// How long the demo clients may retry a refresh; with 0 a retry is reuse, and ends the grant. Without it, as long as
    /// the sender's proof allows: 24 hours for TestClient.
    #[arg(long, value_name = "SECONDS")]
    retry_window: Option<u32>,
    /// How long the access tokens of the demo clients live; 0 until the grant ends.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    access_lifetime: u32,
}

/// Runs `regrant dev` until the process is told to stop.
///
/// # Errors
/// When address or data directory cannot be used.
pub fn dev(options: DevOptions) -> Result<()> {
    if !options.listen.ip().is_loopback() {
        bail!(
            "--listen {}: dev listens on loopback only, as it speaks plain http and has a known password; \
             use 127.0.0.1:PORT or [::1]:PORT",
            options.listen
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(run(options))
}

async fn run(options: DevOptions) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let directory = DataDirectory::open(&options.data)?;
    let ring = directory.key_ring(&SystemEntropy)?;
    let store: Arc<dyn Store> = Arc::new(directory.store(&SystemEntropy, Arc::clone(&clock))?);
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("--listen {}: choose another port, or 0 for a free one", options.listen))?;
    let address = listener.local_addr()?;

    let issuer = Issuer::parse(&format!("http://{address}"))?;
    let parts = Parts { issuer, store, ring, clock, entropy: Arc::new(SystemEntropy) };
    let server = Arc::new(AuthorizationServer::open(parts).await?);
    let settings =
        DemoSettings { retry_window_seconds: options.retry_window, access_lifetime_seconds: options.access_lifetime };
    demo::prepare(&server, settings).await?;

    // Before the first answer: clients read the keys once, and ID tokens are signed with this one.
    server.make_rs256_key().await?;

    // At once: whoever waits for the first line may close the pipe behind it.
    print_line(&format!("listening on http://{address}\ndata in {}", options.data.display()))?;
    let account = see_account(server.issuer());
    let pages = router_with_brand(Arc::clone(&server), demo::brand());
    let routes = pages.merge(demo::api(server)).route("/", account).fallback(no_such_endpoint);
    let serving = serve(listener, routes, stop_signal()?, TransportLimits::default());
    if options.no_tour {
        serving.await;
    } else {
        let touring = async {
            match tour::show(address).await {
                Ok(()) => Ok(()),
                Err(error) => print_line(&format!("the tour stopped: {error:#}; the server goes on")),
            }
        };
        let ((), toured) = tokio::join!(serving, touring);
        toured?;
    }
    Ok(())
}

/// What people find who open the address that was printed: their account, which asks who they are.
fn see_account(issuer: &Issuer) -> MethodRouter {
    let account = issuer.endpoint(Metadata::ACCOUNT_PATH);
    get(|| async move { Redirect::to(&account) })
}

/// Any other path.
async fn no_such_endpoint() -> Response {
    let hint = "no such endpoint; GET /.well-known/oauth-authorization-server lists those that there are";
    let response = ErrorResponse::new(ErrorCode::InvalidRequest, hint);
    refusal(&Refusal { status: 404, retry_after_seconds: None, response })
}

/// Ready when the process is asked to end: Ctrl-C or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A line that whoever reads standard output has at once.
fn print_line(line: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use http::Request;
    use http::header::LOCATION;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn who_opens_the_printed_address_comes_to_the_account() {
        let issuer = Issuer::parse("http://127.0.0.1:8080").unwrap();
        let router = Router::new().route("/", see_account(&issuer));
        let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()[LOCATION], "http://127.0.0.1:8080/account");
    }
}
