//! Refresh tokens of a server whose database cannot be read: each is presented there once, and its user goes on here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use regrant_crypto::sha256;
use regrant_grant::{ClientKind, GrantId, ImportedToken};
use regrant_protocol::{ClientId, Secret, Timestamp};
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::failures::FailureKey;
use crate::imported::has_form_of_ours;
use crate::token_memory::{TokenKey, TokenMemory};
use crate::{AuthenticatedClient, AuthorizationServer, OldServerSettings, RequestContext, TokenError};

use flights::{Flights, Full, Passage};
use pace::Pace;
use presentation::Presentation;

mod answer;
mod flights;
mod outcome;
mod pace;
mod presentation;
#[cfg(test)]
mod tests;
mod user;

pub use outcome::TakeOverOutcome;

/// The shortest and the longest string that is presented to an old server, in bytes: what is shorter could be guessed.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 8..=4096;
/// After how many seconds a caller may come again for whom the answer took too long.
const SLOW_RETRY_SECONDS: u32 = 1;
/// What is left of the time in which a request may be begun to be decided, for the step that follows.
const STEP_MILLISECONDS: u64 = 1_000;
/// How often what an operator has to put right is logged, in seconds.
const COMPLAINT_SECONDS: u64 = 60;

/// How long it is remembered that a token is good nowhere, in seconds, and of how many.
const DEAD_SECONDS: u64 = 300;
const DEAD_TOKENS_MAX: usize = 10_000;
/// How long an old server's next token is used for one that could not be taken over, in seconds, and of how many. It is wiped with the next
/// slice of the sweep.
const HELD_SECONDS: u64 = 3_600;
const HELD_TOKENS_MAX: usize = 1_000;

/// What is known of old servers, and of what is going on with them.
pub(crate) struct TakeOvers {
    old_servers: RwLock<HashMap<ClientId, Arc<Desk>>>,
    flights: Arc<Flights>,
    /// Tokens that were refused, so that none is presented again and again.
    dead: TokenMemory<()>,
    /// What follows on tokens that old servers have used up, and that could not be taken over yet.
    held: TokenMemory<Secret>,
    /// Tokens that were sent, and nobody knows whether they arrived.
    unanswered: TokenMemory<()>,
}

/// An old server as it is asked for one client.
struct Desk {
    settings: OldServerSettings,
    pace: Pace,
    complained_at: Mutex<Option<Instant>>,
}

/// What became of a presentation, for who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The token is that of this grant.
    Known(GrantId),
    /// It is nobody's.
    Unknown,
    /// Nobody knows. Come again after so many seconds.
    Later(u32),
}

impl AuthorizationServer {
    /// From now on, and until other ones are set, unknown refresh tokens of these clients are presented to these servers. By default
    /// there are none.
    pub fn set_old_servers(&self, old_servers: HashMap<ClientId, OldServerSettings>) {
        let desk = |settings: OldServerSettings| {
            let pace = Pace::new(settings.at_once_max, settings.per_second_max);
            Arc::new(Desk { settings, pace, complained_at: Mutex::default() })
        };
        let desks = old_servers.into_iter().map(|(client, settings)| (client, desk(settings))).collect();
        *self.take_overs.old_servers.write().unwrap_or_else(PoisonError::into_inner) = desks;
        self.take_overs.dead.clear();
        // What is held stays: it waits until a slip in these settings is put right.
    }

    /// Waits until no token is being presented to an old server: what one has answered then is kept.
    pub async fn take_overs_ended(&self) {
        self.take_overs.flights.ended().await;
    }

    /// The grant of a refresh token that nobody knows here, taken over from the client's old server; `None` when there is no such
    /// server, or it does not know the token either.
    ///
    /// # Errors
    /// [`TokenError::NotTakenOver`] when nobody can say now.
    pub(crate) async fn take_over(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        token: &Secret,
    ) -> Result<Option<GrantId>, TokenError> {
        let Some(desk) = self.take_overs.desk(client.id(), token, self.clock.now()) else { return Ok(None) };
        let passage = match self.board(context, client, &desk, token)? {
            Some(passage) => passage,
            None => return Ok(None),
        };
        match self.arrival(context, passage).await {
            Ended::Known(grant) => Ok(Some(grant)),
            Ended::Unknown => Ok(None),
            Ended::Later(retry_after_seconds) => Err(TokenError::NotTakenOver { retry_after_seconds }),
        }
    }

    /// The one public client that has an old server which may know this string: whose token it is when its sender names no client.
    pub(crate) fn client_of_unknown_token(&self, token: &Secret) -> Option<ClientId> {
        self.take_overs.only_public_client(token, self.clock.now())
    }

    /// Joins the presentation of a token, or begins it; `None` when the old server refused that token a moment ago.
    ///
    /// Whoever makes us ask for strings that nobody knows is slowed down by address, unless it is a client that has proved itself.
    fn board(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        desk: &Arc<Desk>,
        token: &Secret,
    ) -> Result<Option<Passage>, TokenError> {
        let key = TokenKey::of(client.id(), token);
        let later = |retry_after_seconds| TokenError::NotTakenOver { retry_after_seconds };
        let now = self.clock.monotonic();
        loop {
            if self.take_overs.dead.find(&key, now).is_some() {
                return Ok(None);
            }
            if let Some(passage) = self.take_overs.flights.join(&key).map_err(|Full| later(SLOW_RETRY_SECONDS))? {
                return Ok(Some(passage));
            }
            let guesses = [FailureKey::old_token(context.source)];
            let charged = if client.kind() == ClientKind::Confidential { &[] } else { &guesses[..] };
            self.failures.charge(charged, now).map_err(TokenError::too_many_failures)?;
            let begun = match desk.pace.begin(now) {
                Ok(place) => self.take_overs.flights.begin(key).map(|begun| (place, begun)),
                Err(wait) => {
                    self.failures.give_back(charged);
                    return Err(later(wait));
                }
            };
            let Some((place, (passage, flight))) = begun else {
                self.failures.give_back(charged);
                continue;
            };
            let presentation = Presentation {
                store: Arc::clone(&self.store),
                entropy: Arc::clone(&self.entropy),
                clock: Arc::clone(&self.clock),
                imports: Arc::clone(&self.imports),
                failures: Arc::clone(&self.failures),
                take_overs: Arc::clone(&self.take_overs),
                hooks: self.hooks.clone(),
                context: context.clone(),
                client: client.clone(),
                desk: Arc::clone(desk),
                token: token.clone(),
                key,
            };
            // What is sent may use the token up there, so that it has to be kept whether or not its sender waits.
            let run = async move {
                presentation.run(flight).await;
                drop(place);
            };
            tokio::spawn(run.in_current_span());
            return Ok(Some(passage));
        }
    }

    /// Waits for the end of a presentation, for as long as its answer can still be used.
    async fn arrival(&self, context: &RequestContext, mut passage: Passage) -> Ended {
        let Some(_place) = self.admission.elsewhere() else { return Ended::Later(SLOW_RETRY_SECONDS) };
        let left = context.begin_before().saturating_duration_since(self.clock.monotonic());
        let patience = left.saturating_sub(Duration::from_millis(STEP_MILLISECONDS));
        let ended = timeout(patience, passage.wait_for(Option::is_some)).await;
        let ended = ended.ok().and_then(Result::ok).and_then(|ended| *ended);
        ended.unwrap_or(Ended::Later(SLOW_RETRY_SECONDS))
    }
}

impl TakeOvers {
    pub(crate) fn new() -> Self {
        Self {
            old_servers: RwLock::default(),
            flights: Arc::default(),
            dead: TokenMemory::new(DEAD_SECONDS, DEAD_TOKENS_MAX),
            held: TokenMemory::new(HELD_SECONDS, HELD_TOKENS_MAX),
            unanswered: TokenMemory::new(HELD_SECONDS, DEAD_TOKENS_MAX),
        }
    }

    /// Wipes the tokens that are held and that nobody came for in time.
    pub(crate) fn forget_ended(&self, now: Instant) {
        self.held.forget_ended(now);
    }

    /// The old server of a client that may know this string now: none is asked about what may be a token of ours.
    fn desk(&self, client: &ClientId, token: &Secret, now: Timestamp) -> Option<Arc<Desk>> {
        let old_servers = self.old_servers.read().unwrap_or_else(PoisonError::into_inner);
        old_servers.get(client).filter(|desk| desk.is_open_for(token, now)).cloned()
    }

    fn only_public_client(&self, token: &Secret, now: Timestamp) -> Option<ClientId> {
        let old_servers = self.old_servers.read().unwrap_or_else(PoisonError::into_inner);
        let mut open =
            old_servers.iter().filter(|(_, desk)| desk.settings.is_for_unnamed && desk.is_open_for(token, now));
        let (client, _) = open.next()?;
        open.next().is_none().then(|| client.clone())
    }
}

impl Desk {
    fn is_open_for(&self, token: &Secret, now: Timestamp) -> bool {
        let text = token.expose();
        // RFC 6749 Appendix A.17.
        let is_token = TOKEN_BYTES.contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        now < self.settings.until && is_token && !has_form_of_ours(text)
    }

    /// Whether an operator is to be told what is wrong, who was told nothing for [`COMPLAINT_SECONDS`].
    fn may_complain(&self, now: Instant) -> bool {
        let mut complained_at = self.complained_at.lock().unwrap_or_else(PoisonError::into_inner);
        let was_told = complained_at.is_some_and(|at| now.saturating_duration_since(at).as_secs() < COMPLAINT_SECONDS);
        if !was_told {
            *complained_at = Some(now);
        }
        !was_told
    }
}

/// The digest under which a token is kept.
fn imported(token: &Secret) -> ImportedToken {
    ImportedToken(sha256(token.expose().as_bytes()))
}
