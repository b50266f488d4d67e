use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use regrant_admin::{AdminToken, router_with_token};
use regrant_engine::FAILURE_INTERVAL_SECONDS;
use regrant_tests::TestServer;
use tokio::net::TcpListener;

use crate::office::administration;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Schemathesis asks whatever the OpenAPI document allows, and what it forbids, and checks every answer against it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_is_true() {
    let server = TestServer::start().await;
    server.public("app").register().await.log_in().await;
    let token = AdminToken::parse(TOKEN).expect("it is long enough");
    // It tries wrong tokens too. For each the time passes after which the next may be tried.
    let clock = Arc::clone(&server.clock);
    let time_passes = from_fn(move |request: Request, next: Next| {
        clock.advance_seconds(FAILURE_INTERVAL_SECONDS);
        next.run(request)
    });
    let url = serve(router_with_token(administration(&server), token).layer(time_passes)).await;
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    let mut command = schemathesis(&url, folder.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
    let output = output.expect("Schemathesis can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Serves on a free port of this machine for as long as the test runs; the base URL.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of this machine is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}/admin/v1")
}

fn schemathesis(url: &str, folder: &Path) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace");
    let program = workspace.join("target/clients/schemathesis/bin/schemathesis");
    assert!(program.exists(), "{} is not there: `cargo xtask test` installs it", program.display());
    let mut command = Command::new(program);
    command.arg("--config-file").arg(workspace.join("tests/admin/schemathesis.toml"));
    command.args(["run", &format!("{url}/openapi.json"), "--url", url, "--checks", "all"]);
    command.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    // What it writes down is gone with the folder: no run knows of another.
    command.current_dir(folder);
    // Whatever proxy this machine has, the server is on this machine.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command
}
