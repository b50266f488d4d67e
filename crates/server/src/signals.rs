use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Knows when the process is asked to end. Every part of the program that ends by itself has one.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Listens from now on for Ctrl-C and SIGTERM.
pub(crate) fn stop() -> Result<Stop> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (asked, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        asked.send_replace(true);
    });
    Ok(Stop(stop))
}

impl Stop {
    /// Ready when the process is asked to end, or was before.
    pub(crate) async fn asked(mut self) {
        // The one who asks is gone only with the whole runtime.
        let _ = self.0.wait_for(|is_asked| *is_asked).await;
    }
}
