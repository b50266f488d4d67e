use regrant_admin::{SigningKeyState, StatusView};

use crate::administration::api::AdminApi;
use crate::config::Config;

use super::check::Check;

const NAME: &str = "server";

/// Whether a server runs, is of this version, and does all its work.
pub(super) async fn check(api: &AdminApi) -> Vec<Check> {
    let status: StatusView = match api.get("/status").await {
        Ok(status) => status,
        Err(error) => return vec![Check::fail(NAME, format!("{error:#}"))],
    };
    let mut checks = Vec::new();
    if !api.is_served() {
        checks.push(Check::ok(NAME, "none runs; the store can be opened"));
    } else if status.version == env!("CARGO_PKG_VERSION") {
        checks.push(Check::ok(NAME, format!("version {} serves {}", status.version, status.issuer)));
    } else {
        let found = format!("version {} serves, and this is {}; restart it", status.version, env!("CARGO_PKG_VERSION"));
        checks.push(Check::warn(NAME, found));
    }
    if status.sweep.is_some_and(|sweep| !sweep.is_working) {
        checks
            .push(Check::fail("sweeper", "it has stopped, as the clock jumped; set the clock, and restart the server"));
    }
    let signing = status.keys.signing.iter().filter(|key| key.state == SigningKeyState::Signing).count();
    checks.push(match signing {
        0 => Check::fail("keys", "no key signs; see: regrant key list"),
        _ => Check::ok(
            "keys",
            format!("{signing} keys sign, and master keys that are good: {}", status.keys.master.len()),
        ),
    });
    checks
}

/// Whether the admin token travels where others can read it.
pub(super) fn check_listener(config: &Config) -> Option<Check> {
    let address = config.admin.listen?;
    config.admin.token.as_ref()?;
    (!address.ip().is_loopback()).then(|| {
        let found = format!(
            "the admin API listens on {address} in plain HTTP: whoever reads the network has the admin token; listen on \
             127.0.0.1, or let only a proxy with TLS reach it"
        );
        Check::warn("admin listener", found)
    })
}
