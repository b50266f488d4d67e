//! What systemd is told of the server's life (`sd_notify(3)`), where it asked to be told: `Type=notify` or `Type=notify-reload`.

use sd_notify::NotifyState;
use tracing::warn;

/// The server answers, for the first time or with its new configuration.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "the service manager cannot be told that the configuration is read again"),
    }
}

/// Nothing new is accepted any more.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Does nothing where no service manager listens.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "the service manager cannot be told about the server");
    }
}
