use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use regrant_client::{Credential, LoopbackRedirect, OAuthClient};
use regrant_protocol::Scope;

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
    let authorization = client.authorization(&redirect.uri()?, scope)?;
    // Also where a browser opens: it may be the wrong one, or none.
    let is_open = opening == Opening::Browser && open(authorization.url());
    let lead =
        if is_open { "a browser opens; if it does not, open" } else { "open this in a browser on this machine:" };
    eprintln!("{lead} {}", authorization.url());
    let answer = redirect.answer(&authorization, PATIENCE).await.context("nobody came back from the login")?;
    Ok(authorization.finish(&answer).await?)
}

/// Whether a browser that is opened here is seen by whoever runs this.
pub(crate) fn is_on_a_desktop() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("SSH_CONNECTION") || is_set("SSH_TTY") {
        return false;
    }
    cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
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
    for secret in [crate::client_authentication::SECRET_VARIABLE, crate::client_authentication::SECRET_FILE_VARIABLE] {
        command.env_remove(secret);
    }
    command.spawn().is_ok()
}

/// How long a person may take to log in.
const PATIENCE: Duration = Duration::from_secs(600);
