use std::sync::Arc;
use std::thread::available_parallelism;

use regrant_crypto::{Algorithm, SigningKey, TokenTooLong, Typ};
use tokio::sync::Semaphore;

/// Signs with RSA beside the threads that answer: a signature takes twenty times as long as one with ES256, and the many of
/// one commit would keep everybody else waiting. At most as many at once as there are processors.
pub(crate) struct SlowSignatures(Arc<Semaphore>);

impl SlowSignatures {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))))
    }

    /// The JWS of `claims` (RFC 7515 §3.1).
    ///
    /// # Errors
    /// When it would be too large.
    pub(crate) async fn sign(&self, key: Arc<SigningKey>, typ: Typ, claims: Vec<u8>) -> Result<String, TokenTooLong> {
        match key.algorithm() {
            Algorithm::Es256 | Algorithm::EdDsa => key.sign(typ, &claims),
            Algorithm::Rs256 => {
                let permit = Arc::clone(&self.0).acquire_owned().await.expect("nobody closes it");
                let signing = tokio::task::spawn_blocking(move || {
                    let _until_done = permit;
                    key.sign(typ, &claims)
                });
                signing.await.expect("signing does not panic, and nothing aborts it")
            }
        }
    }
}
