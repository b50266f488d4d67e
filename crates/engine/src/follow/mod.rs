//! Following what other nodes on the same store change.
//!
//! What counts at once is read with every step: disabled flags, cutoffs, versions of clients, revocations. The keys, and what else
//! is known of clients, lie in memory, and the store counts how often they were changed. A node asks for that number when it
//! hears of a change, and each second ([`Follower::run`]); before it relies on keys that it has not asked about for
//! [`KEYS_RELIED_ON_MILLISECONDS_MAX`](crate::KEYS_RELIED_ON_MILLISECONDS_MAX); and before it refuses a token for a key that it
//! does not know.

mod catch_up;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regrant_store::{AnnouncedKey, Node, StoreError};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

pub use self::catch_up::CATCH_UP_MILLISECONDS_MAX;
pub(crate) use self::catch_up::Known;
use crate::{AuthorizationServer, KeyFile};

/// How long a node that hears nothing waits until it asks all the same.
pub const FOLLOW_PAUSE_MILLISECONDS_MAX: u64 = 1_000;
/// How long a node that hears something waits, so that many changes in a row are followed together.
pub const FOLLOW_PAUSE_MILLISECONDS_MIN: u64 = 20;
/// How often a node tells that it is there.
pub const NODE_NOTED_MILLISECONDS: u64 = 1_000;

/// The longest name of a node, in characters; what is beyond is left out.
pub const NODE_NAME_CHARACTERS_MAX: usize = 100;

/// Follows what other nodes change: whoever runs the server lets [`Follower::run`] go on beside it.
pub struct Follower {
    server: Arc<AuthorizationServer>,
    key_file: Arc<dyn KeyFile>,
    name: String,
    noted: Mutex<Option<(Instant, AnnouncedKey)>>,
    complaint: Mutex<Option<String>>,
    waited_for_standby: Mutex<Option<bool>>,
}

/// What was found changed, and is followed now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Clients.
    pub clients: bool,
    /// Keys, in the store or in the key file.
    pub keys: bool,
    /// Whether a commit of the store waits until a standby has it too, changed or not.
    pub waits_for_standby: bool,
}

impl AuthorizationServer {
    /// How often this node has heard that a client may have been changed, by itself or by another on the same store. Of a store that no
    /// other node can use, nothing is heard.
    #[must_use]
    pub fn client_changes_heard(&self) -> u64 {
        self.clients.doubts()
    }

    /// What follows other nodes on the store of this server. `name` is what operators know this node by, and `key_file` is read
    /// anew each time: a key that is copied there is used without a restart. Of the name [`NODE_NAME_CHARACTERS_MAX`] characters count.
    #[must_use]
    pub fn follower(self: &Arc<Self>, name: impl Into<String>, key_file: Arc<dyn KeyFile>) -> Follower {
        let (noted, complaint, waited_for_standby) = Default::default();
        let name = name.into().chars().take(NODE_NAME_CHARACTERS_MAX).collect();
        Follower { server: Arc::clone(self), key_file, name, noted, complaint, waited_for_standby }
    }
}

impl Follower {
    /// Follows until it is dropped; `told` hears of every time that it looked. Where nobody else uses the store, there is
    /// nothing to follow.
    pub async fn run(self, told: impl Fn(&Result<Followed, StoreError>)) -> Infallible {
        let mut heard = 0;
        loop {
            told(&self.follow_once().await);
            let Some(shared) = self.server.store.shared() else { return std::future::pending().await };
            let pause = Duration::from_millis(FOLLOW_PAUSE_MILLISECONDS_MAX);
            if let Ok(count) = timeout(pause, shared.hear(heard)).await {
                heard = count;
                sleep(Duration::from_millis(FOLLOW_PAUSE_MILLISECONDS_MIN)).await;
            }
        }
    }

    /// Looks once at key file and store, puts in force what has changed, and tells the other nodes which keys are here.
    ///
    /// # Errors
    /// When the store failed. What was read before that is in force; where nothing was read for
    /// [`KEYS_RELIED_ON_MILLISECONDS_MAX`](crate::KEYS_RELIED_ON_MILLISECONDS_MAX), what depends on it is answered 503.
    pub async fn follow_once(&self) -> Result<Followed, StoreError> {
        if self.server.store.shared().is_none() {
            return Ok(Followed::default());
        }
        let (is_new, complaint) = self.read_key_file().await;
        if is_new {
            info!(newest = %self.server.keys.newest_loaded().kid, "the key file has a master key that is new here");
            self.server.known.lock().await.forget();
        }
        let followed = self.server.catch_up_now().await;
        let noted = if followed.is_ok() { self.note().await } else { Ok(()) };
        if let Ok(Followed { waits_for_standby, .. }) = followed {
            self.tell_of_standby(waits_for_standby);
        }
        let complaint = match (&followed, &noted, self.server.keys.missing()) {
            (Err(error), ..) => Some(format!("what other nodes change is not known here: {error}")),
            (_, Err(error), _) => Some(format!("other nodes do not hear which keys are here: {error}")),
            (_, _, Some(kid)) => Some(complaint.unwrap_or_else(|| crate::keys::missing(kid).to_string())),
            (_, _, None) => complaint,
        };
        self.complain(complaint);
        let followed = noted.and(followed)?;
        Ok(Followed { keys: followed.keys || is_new, ..followed })
    }

    /// Whether it has a key that is new here, and what is wrong with it.
    async fn read_key_file(&self) -> (bool, Option<String>) {
        let key_file = Arc::clone(&self.key_file);
        let read = tokio::task::spawn_blocking(move || key_file.read()).await;
        let ring = match read {
            Ok(Ok(ring)) => ring,
            Ok(Err(error)) => return (false, Some(error.to_string())),
            Err(error) => return (false, Some(format!("reading the key file failed: {error}"))),
        };
        match self.server.keys.take_in(&ring) {
            Ok(is_new) => (is_new, None),
            Err(error) => (false, Some(error.to_string())),
        }
    }

    /// Tells that this node is there, and which keys it has; not more often than is needed.
    async fn note(&self) -> Result<(), StoreError> {
        let Some(shared) = self.server.store.shared() else { return Ok(()) };
        let (now, newest_key) = (self.server.clock.monotonic(), self.server.keys.newest_loaded());
        let noted = *self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = noted.is_some_and(|(at, key)| {
            let age = now.saturating_duration_since(at);
            key == newest_key && age < Duration::from_millis(NODE_NOTED_MILLISECONDS)
        });
        if is_known {
            return Ok(());
        }
        let node = Node {
            id: self.server.node_id(),
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            newest_key,
        };
        shared.note_node(&node).await?;
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, newest_key));
        Ok(())
    }

    /// Logs that the database has stopped to wait for its standby, or does so again: what manages it may have dropped one that is away,
    /// and tells nobody else (decision 0035).
    fn tell_of_standby(&self, waits: bool) {
        let last = self.waited_for_standby.lock().unwrap_or_else(PoisonError::into_inner).replace(waits);
        match (last, waits) {
            (Some(true), false) => {
                warn!(
                    "commits wait for no standby any more: a fail-over now loses what was answered and has not reached one"
                );
            }
            (Some(false), true) => info!("commits wait for a standby now"),
            (None | Some(_), _) => {}
        }
    }

    /// Logs what is wrong, once for as long as it is the same.
    fn complain(&self, complaint: Option<String>) {
        let mut last = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == complaint {
            return;
        }
        match &complaint {
            Some(problem) => warn!(problem, "this node does not follow the others"),
            None => info!("this node follows the others again"),
        }
        *last = complaint;
    }
}
