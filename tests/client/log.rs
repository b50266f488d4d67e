//! Everything that is logged, by us and by libraries, and what must not be in it.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regrant_client::Storage;
use tracing::Dispatch;
use tracing::dispatcher::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::scene::Scene;

/// Everything that was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// What this thread logs from now on, at every level, also through the older facade `log`.
    pub(crate) fn of_thread() -> (Self, DefaultGuard) {
        let (log, dispatch) = Self::new();
        (log, tracing::dispatcher::set_default(&dispatch))
    }

    /// What this process logs from now on.
    pub(crate) fn of_process() -> Self {
        let (log, dispatch) = Self::new();
        tracing::dispatcher::set_global_default(dispatch).unwrap();
        log
    }

    fn new() -> (Self, Dispatch) {
        // Another test of this process may have done so.
        let _ = tracing_log::LogTracer::init();
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(log.clone());
        (log, subscriber.finish().into())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// What must not be seen: tokens, verifiers, passwords and secrets of the client.
#[derive(Default)]
pub(crate) struct Secrets(BTreeSet<String>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        self.0.insert(secret.to_owned());
    }

    /// Bytes, in every way in which they are likely to be written.
    pub(crate) fn add_bytes(&mut self, secret: &[u8]) {
        let decimal = format!("{secret:?}");
        self.add(decimal.trim_matches(['[', ']']));
        self.add(&secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        self.add(&secret.escape_ascii().to_string());
        self.add(STANDARD.encode(secret).trim_end_matches('='));
        self.add(&URL_SAFE_NO_PAD.encode(secret));
    }

    /// Those that a storage keeps now.
    pub(crate) async fn learn(&mut self, storage: &dyn Storage) {
        let Some(kept) = storage.load().await.unwrap() else { return };
        self.0.extend(kept.refresh_token.map(|token| token.expose().to_owned()));
        self.0.extend(kept.access.map(|access| access.token.expose().to_owned()));
        self.0.extend(kept.pending.map(|pending| pending.verifier.expose().to_owned()));
    }

    /// Those that were sent in a request to the token endpoint.
    pub(crate) fn sent(&mut self, scene: &Scene) {
        let names = ["refresh_token", "retry_verifier", "client_secret", "password", "code", "code_verifier"];
        for request in scene.way.take_sent() {
            self.0.extend(names.iter().filter_map(|name| request.get(name)).map(str::to_owned));
        }
    }
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// That none of them is in the log.
    #[track_caller]
    pub(crate) fn assert_not_in(&self, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{secret} is in the log");
        }
    }
}
