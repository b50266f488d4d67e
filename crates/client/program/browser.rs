use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use regrant_client::{Credential, LoopbackRedirect, OAuthClient};
use regrant_protocol::Scope;

use crate::client_authentication::SECRET_VARIABLES;

/// How a person is sent to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A browser is opened.
    Browser,
    /// The address is shown.
    ByHand,
}

/// A login of a person with a browser on this machine (RFC 8252).
///
/// # Errors
/// When nobody comes back, or the server gives no tokens.
pub(crate) async fn log_in(client: &OAuthClient, scope: &Scope, opening: Opening) -> Result<Credential> {
    let redirect = LoopbackRedirect::listen().await.context("no port of 127.0.0.1 can be listened on")?;
    let address = redirect.uri()?;
    let authorization = client.authorization(&address, scope)?;
    // Also where a browser opens: it may be the wrong one, or none.
    let is_open = opening == Opening::Browser && open(authorization.url());
    let lead =
        if is_open { "a browser opens; if it does not, open" } else { "open this in a browser on this machine:" };
    eprintln!("{lead} {}", authorization.url());
    if !is_open && is_over_ssh() {
        let port = address.trim_end_matches("/callback").rsplit(':').next().unwrap_or_default();
        eprintln!(
            "to open it where you sit instead, first run there: ssh -L {port}:127.0.0.1:{port} and the name of this machine"
        );
    }
    let answer = redirect.answer(&authorization, PATIENCE).await.context("nobody came back from the login")?;
    Ok(authorization.finish(&answer).await?)
}

/// Whether a browser that is opened here is seen by whoever runs this.
pub(crate) fn is_on_a_desktop() -> bool {
    !is_over_ssh() && (cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
}

fn is_over_ssh() -> bool {
    is_set("SSH_CONNECTION") || is_set("SSH_TTY")
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Asks the desktop to open `url`. Its state and challenge may be seen in the list of processes; the code that comes back is
/// worth nothing without the verifier, which stays here.
fn open(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for secret in SECRET_VARIABLES {
        command.env_remove(secret);
    }
    command.spawn().is_ok()
}

/// How long a person may take to log in.
const PATIENCE: Duration = Duration::from_secs(600);
