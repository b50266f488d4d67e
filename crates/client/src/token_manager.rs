use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use regrant_crypto::random;
use regrant_protocol::Scope;
use tokio::sync::watch;

use crate::exchange::{Exchange, Unsaved};
use crate::observer::NoObserver;
use crate::{
    AccessToken, Credential, Demand, Event, Failure, Jitter, LogInReason, OAuthClient, Observer, Plan, Renewal, Retry,
    Storage, StorageError, Swap, Timer, TokenError, TokioTimer, plan,
};

/// Keeps a valid access token at hand, for one login, against any OAuth server.
///
/// Clones share everything. Whatever number of tasks, managers and processes use one [`Storage`], there is one exchange at a
/// time, and nobody sends a refresh token that another one has spent.
///
/// ```no_run
/// use std::sync::Arc;
/// use regrant_client::{FileStorage, IssuerIdentifier, OAuthClient, Provider, ReqwestTransport, TokenManager};
/// use regrant_protocol::ClientId;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = Arc::new(ReqwestTransport::new()?);
/// let issuer = IssuerIdentifier::parse("https://id.example")?;
/// let provider = Provider::discover(&issuer, &*transport).await?;
/// let client = OAuthClient::new(provider, ClientId::parse("reports")?, transport);
///
/// let tokens = TokenManager::new(client, FileStorage::new("/home/ada/.local/state/reports/token.json"));
/// let token = tokens.access_token().await?;
/// println!("Authorization: Bearer {}", token.expose());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenManager(Arc<Inner>);

struct Inner {
    client: OAuthClient,
    storage: Box<dyn Storage>,
    timer: Box<dyn Timer>,
    observer: Box<dyn Observer>,
    renewal: Renewal,
    scope: Scope,
    jitter: Jitter,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As this process saw it last.
    credential: Option<Credential>,
    /// What an API has refused.
    rejected: Option<AccessToken>,
    /// The exchange that is under way.
    flight: Option<Flight>,
    /// What the last exchange could not write.
    unsaved: Option<Unsaved>,
    is_log_in_told: bool,
    /// How many logins and logouts there were here.
    logins: u64,
}

type Landing = Option<Result<(), TokenError>>;
type Flight = watch::Receiver<Landing>;

/// What became of the session at the server when its tokens were removed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// The server has ended it.
    Revoked,
    /// There was none, or it had no refresh token.
    NothingToRevoke,
    /// The server has no revocation endpoint: its refresh token lives until it expires.
    NotOffered,
    /// The server did not confirm it: its refresh token may live until it expires.
    Unconfirmed(Failure),
}

impl TokenManager {
    /// The manager of the login that `storage` keeps.
    #[must_use]
    pub fn new(client: OAuthClient, storage: impl Storage + 'static) -> Self {
        let jitter = Jitter(u16::from_be_bytes(random(client.entropy())));
        Self(Arc::new(Inner {
            client,
            storage: Box::new(storage),
            timer: Box::new(TokioTimer),
            observer: Box::new(NoObserver),
            renewal: Renewal::LogIn,
            scope: Scope::empty(),
            jitter,
            state: Mutex::default(),
        }))
    }

    /// The same manager, which tells `observer` what happens. Before it is cloned.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer + 'static) -> Self {
        self.changed(|inner| inner.observer = Box::new(observer))
    }

    /// The same manager, which gets its tokens for `scope` by the client's own secret (RFC 6749 §4.4): nobody has to log in.
    /// Before it is cloned.
    #[must_use]
    pub fn by_client_credentials(self, scope: Scope) -> Self {
        self.changed(|inner| (inner.renewal, inner.scope) = (Renewal::ClientCredentials, scope))
    }

    /// The same manager with another timer, as tests need. Before it is cloned.
    #[must_use]
    pub fn with_timer(self, timer: impl Timer + 'static) -> Self {
        self.changed(|inner| inner.timer = Box::new(timer))
    }

    fn changed(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::get_mut(&mut self.0).expect("a manager is set up before it is cloned");
        change(inner);
        self
    }

    /// A valid access token: at once while there is one, otherwise after one exchange that all callers share.
    ///
    /// Dropping the future drops the wait only: the exchange goes on, and its tokens are kept.
    ///
    /// # Errors
    /// [`TokenError::LogIn`] when only a person can help; every other error leaves the tokens as they are.
    pub async fn access_token(&self) -> Result<AccessToken, TokenError> {
        let mut landed = Ok(());
        for _ in 0..FLIGHTS_MAX {
            let mut flight = {
                let mut state = self.0.state();
                if let Some((token, is_due)) = self.0.serving(&state) {
                    if is_due {
                        self.take_off(&mut state);
                    }
                    return Ok(token);
                }
                self.take_off(&mut state)
            };
            landed = match flight.wait_for(Option::is_some).await {
                Ok(landing) => landing.clone().unwrap_or(Ok(())),
                Err(_) => Err(temporary("the exchange was ended with its runtime")),
            };
            if landed.is_err() {
                break;
            }
        }
        let state = self.0.state();
        match landed {
            Ok(()) => Inner::kept(&state).ok_or_else(|| temporary("every new access token is rejected")),
            Err(error @ TokenError::LogIn(_)) => Err(error),
            // What still lives serves better than an error.
            Err(error) => self.0.living(&state).ok_or(error),
        }
    }

    /// Says that an API has refused `token` (status 401, `invalid_token`): the next [`TokenManager::access_token`] is another one.
    ///
    /// A token that is less than ten seconds old stays: an API that refuses it would refuse the next one too.
    pub fn invalidate(&self, token: &AccessToken) {
        let mut state = self.0.state();
        // One who comes late with an older token must not hide that the newer one was refused as well.
        if state.current() == Some(token) {
            state.rejected = Some(token.clone());
        }
    }

    /// Keeps the credential of a login that has just happened, instead of any that was kept before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn log_in(&self, credential: Credential) -> Result<(), TokenError> {
        let lock = self.0.storage.lock(LOCK_WAIT).await?;
        self.replace(Some(&credential)).await?;
        self.0.state().begin(Some(credential));
        drop(lock);
        Ok(())
    }

    /// Removes the tokens, and revokes them at the server. It waits for an exchange that is under way.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub async fn log_out(&self) -> Result<LogOut, TokenError> {
        let lock = self.0.storage.lock(LOCK_WAIT).await?;
        let removed = self.replace(None).await?;
        self.0.state().begin(None);
        drop(lock);
        let Some(token) = removed.and_then(|removed| removed.refresh_token) else {
            return Ok(LogOut::NothingToRevoke);
        };
        Ok(match self.0.client.revoke(&token).await {
            Ok(true) => LogOut::Revoked,
            Ok(false) => LogOut::NotOffered,
            Err(failure) => LogOut::Unconfirmed(failure),
        })
    }

    /// What is kept, secrets included.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn credential(&self) -> Result<Option<Credential>, StorageError> {
        self.0.storage.load().await
    }

    /// Writes over what is kept, whoever wrote it; gives what was kept.
    async fn replace(&self, new: Option<&Credential>) -> Result<Option<Credential>, StorageError> {
        for _ in 0..SWAPS_MAX {
            let kept = self.0.storage.load().await?;
            let seen = kept.as_ref().map(Credential::version);
            if self.0.storage.compare_and_swap(seen, new).await? == Swap::Done {
                return Ok(kept);
            }
        }
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()))
    }

    /// The exchange that is under way, or a new one in a task of its own.
    fn take_off(&self, state: &mut State) -> Flight {
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return flight.clone();
        }
        let (landing, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move { inner.fly(landing).await });
        flight
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn demand<'a>(&self, rejected: Option<&'a AccessToken>) -> Demand<'a> {
        Demand { rejected, jitter: self.jitter, proof: self.client.proof(), renewal: self.renewal }
    }

    /// A token that serves by the rule, and whether it is time for the next one.
    fn serving(&self, state: &State) -> Option<(AccessToken, bool)> {
        match plan(state.credential.as_ref(), self.client.clock().now(), self.demand(state.rejected.as_ref())) {
            Plan::Use(token) => Some((token.clone(), false)),
            Plan::RefreshInBackground(token) | Plan::Retry(Retry { serves: Some(token), .. }) => {
                Some((token.clone(), true))
            }
            Plan::RefreshNow | Plan::Retry(_) | Plan::Wait(_) | Plan::LogIn(_) => None,
        }
    }

    /// The token that is kept, if it is not rejected, however little of its life is left.
    fn kept(state: &State) -> Option<AccessToken> {
        state.current().filter(|&token| state.rejected.as_ref() != Some(token)).cloned()
    }

    /// The same while it lives.
    fn living(&self, state: &State) -> Option<AccessToken> {
        let credential = state.credential.as_ref()?;
        let now = credential.server_time(self.client.clock().now());
        let ends = credential.access.as_ref()?.expires_at;
        Self::kept(state).filter(|_| ends.is_none_or(|end| now < end))
    }

    async fn fly(&self, landing: watch::Sender<Landing>) {
        let (logins, rejected, unsaved, latest) = {
            let mut state = self.state();
            (state.logins, state.rejected.clone(), state.unsaved.take(), state.credential.clone())
        };
        let mut exchange = Exchange {
            client: &self.client,
            storage: &*self.storage,
            timer: &*self.timer,
            renewal: self.renewal,
            scope: &self.scope,
            jitter: self.jitter,
            rejected,
            unsaved,
            latest,
            tries: 0,
        };
        let result = exchange.run().await;
        let (latest, unsaved, tries) = (exchange.latest, exchange.unsaved, exchange.tries);
        let event = {
            let mut state = self.state();
            state.flight = None;
            // After a login or logout that came between, what was found before it is no longer true.
            if state.logins == logins {
                (state.credential, state.unsaved) = (latest, unsaved);
            }
            state.event(&result, tries)
        };
        if let Some(event) = event {
            tracing::debug!(?event, issuer = %self.client.provider().issuer, "exchange ended");
            self.observer.observe(&event);
        }
        landing.send_replace(Some(result));
    }
}

impl State {
    fn current(&self) -> Option<&AccessToken> {
        Some(&self.credential.as_ref()?.access.as_ref()?.token)
    }

    /// Begins anew with what a login or a logout has left.
    fn begin(&mut self, credential: Option<Credential>) {
        *self = Self { credential, flight: self.flight.take(), logins: self.logins + 1, ..Self::default() };
    }

    /// What has to be told of an exchange.
    fn event(&mut self, result: &Result<(), TokenError>, tries: u32) -> Option<Event> {
        let reason: &LogInReason = match result {
            Ok(()) => {
                self.is_log_in_told = false;
                return (tries > 0).then_some(Event::Refreshed { tries });
            }
            Err(TokenError::LogIn(reason)) => reason,
            Err(error) => return Some(Event::Failed(error.clone())),
        };
        let is_told = std::mem::replace(&mut self.is_log_in_told, true);
        (!is_told).then(|| Event::LogInNeeded(reason.clone()))
    }
}

fn temporary(cause: &str) -> TokenError {
    TokenError::Temporary { cause: cause.to_owned(), retry_after: None }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").field("client", &self.0.client).finish_non_exhaustive()
    }
}

/// How long a login or logout waits for an exchange: longer than one can take.
const LOCK_WAIT: Duration = Duration::from_secs(90);
/// How many exchanges one call waits for: one that was under way already, and one of its own.
const FLIGHTS_MAX: u32 = 2;
/// How often a login or logout is tried against writers that do not lock.
const SWAPS_MAX: u32 = 5;
