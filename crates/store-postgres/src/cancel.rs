use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::{CancelToken, NoTls};

use crate::tls::RustlsConnect;

/// How long a request to cancel may take. Nobody waits for it.
const CANCEL_SECONDS_MAX: u64 = 3;

/// Asks the server, when this is dropped, to cancel what a session of it waits for, unless that was answered. A commit that waits for a
/// standby notices neither that nobody is there any more nor that it takes too long, and its session would be held until the standby is back.
pub(crate) struct CancelUnlessAnswered {
    token: Option<CancelToken>,
    tls: Option<RustlsConnect>,
}

impl CancelUnlessAnswered {
    /// Of what is asked next in this session, which is reached by such a way.
    pub(crate) fn new(token: CancelToken, tls: Option<RustlsConnect>) -> Self {
        Self { token: Some(token), tls }
    }

    /// The answer has come.
    pub(crate) fn answered(mut self) {
        self.token = None;
    }
}

impl Drop for CancelUnlessAnswered {
    fn drop(&mut self) {
        // Where the runtime has ended, so will the process.
        let (Some(token), Ok(runtime)) = (self.token.take(), Handle::try_current()) else { return };
        let tls = self.tls.take();
        let cancel = async move {
            match tls {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        runtime.spawn(async move {
            if let Ok(Err(error)) = timeout(Duration::from_secs(CANCEL_SECONDS_MAX), cancel).await {
                tracing::info!(%error, "the database was not told that nobody waits for a commit any more");
            }
        });
    }
}
