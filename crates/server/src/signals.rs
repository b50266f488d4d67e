use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Ready when the process is asked to end: Ctrl-C or SIGTERM, from now on.
pub(crate) fn stop() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
