use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use regrant_grant::{AccessTokenId, Grant, GrantId, SessionId, Surroundings, Write};
use regrant_protocol::{ClientId, Subject, Timestamp};

use crate::{Store, StoreError};

/// One step: what it is about, until when it may begin, and the rule that decides it.
pub struct Step {
    /// What is read.
    pub target: Target,
    /// On the store's monotonic clock: a step that was not begun by then is refused with [`StoreError::TooLate`].
    pub begin_before: Option<Instant>,
    /// Decides. It may be called again when another node was faster; only its last answer counts.
    pub rule: Rule,
}

/// Decides a step from what was read. It does no I/O and takes microseconds.
pub type Rule = Box<dyn FnMut(&Scene<'_>) -> Write + Send>;

/// What a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A grant that may exist, with its client, its user, its login session and the root of its family.
    Grant(GrantId),
    /// The grant of an access token, and whether that token was revoked alone.
    AccessToken(AccessTokenId),
    /// A client alone: no grant is read.
    Client(ClientId),
    /// A grant that is to be made, unless there is one of this name already.
    NewGrant {
        /// Its name.
        grant: GrantId,
        /// The client that is authorized.
        client: ClientId,
        /// The user who authorizes it.
        user: Subject,
        /// The login session in which they do: the one whose end the step sees, whatever the grant there is says.
        session: Option<SessionId>,
    },
    /// An access token that a client has for itself, and whether it was revoked alone.
    ClientAccessToken(ClientId, AccessTokenId),
}

/// What a step read, all of one moment.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The store's clock.
    pub now: Timestamp,
    /// The grant; `None` when there is none of this name, or the step is not about one.
    pub grant: Option<&'a Grant>,
    /// The epoch, and the client, user, login session and family of the grant.
    pub surroundings: Surroundings<'a>,
    /// Whether the access token is on the list of those revoked alone.
    pub access_token_is_listed: bool,
}

/// Runs a step whose rule gives an answer, and returns the answer once what it wrote is durable.
///
/// # Errors
/// As [`Store::step`].
pub async fn decide_in<T: Send + 'static>(
    store: &dyn Store,
    target: Target,
    begin_before: Option<Instant>,
    mut rule: impl FnMut(&Scene<'_>) -> (T, Write) + Send + 'static,
) -> Result<T, StoreError> {
    let answer = Arc::new(Mutex::new(None));
    let answered = Arc::clone(&answer);
    let rule = Box::new(move |scene: &Scene<'_>| {
        let (value, write) = rule(scene);
        *answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        write
    });
    store.step(Step { target, begin_before, rule }).await?;
    let value = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.ok_or_else(|| StoreError::Unavailable("the step ended without calling its rule".to_owned()))
}
