//! The manager, and the exchanges that it starts. How a session begins and ends is in `session`.

mod serving;
mod session;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regrant_crypto::random;
use regrant_protocol::{Resource, Scope};
use tokio::sync::watch;

use crate::exchange::Exchange;
use crate::manager_state::{Flight, Landing, State};
use crate::nonces::Nonces;
use crate::observer::NoObserver;
use crate::{
    AccessToken, DpopKey, Event, Jitter, OAuthClient, Observer, Renewal, Storage, Target, Timer, TokenError, TokioTimer,
};

pub use session::LogOut;

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
pub struct TokenManager {
    inner: Arc<Inner>,
    target: Target,
}

struct Inner {
    client: OAuthClient,
    storage: Box<dyn Storage>,
    timer: Box<dyn Timer>,
    observer: Box<dyn Observer>,
    renewal: Renewal,
    scope: Scope,
    jitter: Jitter,
    state: Mutex<State>,
    /// Held by the one exchange of this process: whatever it is for, it spends the same refresh token.
    turn: tokio::sync::Mutex<()>,
    /// Of the APIs; the server's own are others (RFC 9449 §9).
    nonces: Nonces,
}

impl TokenManager {
    /// The manager of the login that `storage` keeps.
    #[must_use]
    pub fn new(client: OAuthClient, storage: impl Storage + 'static) -> Self {
        let jitter = Jitter(u16::from_be_bytes(random(client.entropy())));
        let target = Target { resources: client.resources().clone(), scope: Scope::empty() };
        let inner = Inner {
            client,
            storage: Box::new(storage),
            timer: Box::new(TokioTimer),
            observer: Box::new(NoObserver),
            renewal: Renewal::LogIn,
            scope: Scope::empty(),
            jitter,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            nonces: Nonces::default(),
        };
        Self { inner: Arc::new(inner), target }
    }

    /// A manager of the same login, whose access tokens are for one resource server (RFC 8707), with all that the login was given.
    ///
    /// All managers of a login share its refresh token, and take turns; none is given a token that was asked for by another.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use regrant_client::{IssuerIdentifier, MemoryStorage, OAuthClient, Provider, ReqwestTransport, TokenManager};
    /// # use regrant_protocol::{ClientId, Resource};
    /// # let provider = Provider::new(IssuerIdentifier::parse("https://id.example")?, "https://id.example/token")?;
    /// # let client = OAuthClient::new(provider, ClientId::parse("reports")?, Arc::new(ReqwestTransport::new()?));
    /// let tokens = TokenManager::new(client, MemoryStorage::default());
    /// let calendar = tokens.for_resource(&Resource::parse("https://calendar.example")?);
    /// let mail = tokens.for_resource(&Resource::parse("https://mail.example")?);
    /// # drop((calendar, mail));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn for_resource(&self, resource: &Resource) -> Self {
        self.for_target(Target::resource(resource))
    }

    /// A manager of the same login, whose access tokens are for `target`. Each target has a token of its own; a credential
    /// keeps at most [`Credential::NARROWED_MAX`](crate::Credential::NARROWED_MAX) of them.
    #[must_use]
    pub fn for_target(&self, target: Target) -> Self {
        Self { inner: Arc::clone(&self.inner), target }
    }

    /// What the access tokens are for.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
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
        let inner = Arc::get_mut(&mut self.inner).expect("a manager is set up before it is cloned");
        change(inner);
        self
    }

    /// A valid access token: at once while there is one, otherwise after one exchange that all callers share.
    ///
    /// Dropping the future drops the wait only: the exchange goes on, and its tokens are kept.
    ///
    /// The first call of a process waits for the exchange also where the token that is kept still serves, until 10 s before
    /// that token's end, if a try has had its 20 s by then: a process that goes on at once may end soon, and with it an answer that
    /// some servers give only once. Later calls wait for no exchange while a token serves.
    ///
    /// # Errors
    /// [`TokenError::LogIn`] when only a person can help; every other error leaves the tokens as they are.
    pub async fn access_token(&self) -> Result<AccessToken, TokenError> {
        self.bound_access_token().await.map(|(token, _)| token)
    }

    /// An access token as [`TokenManager::access_token`] gives it, and the key that it is bound to.
    pub(crate) async fn bound_access_token(&self) -> Result<(AccessToken, Option<DpopKey>), TokenError> {
        let mut landed = Ok(());
        for _ in 0..FLIGHTS_MAX {
            let (mut flight, is_joined, is_first) = {
                let mut state = self.inner.state();
                if let Some((token, is_due)) = self.inner.serving(&state, &self.target) {
                    if is_due {
                        self.take_off(&mut state);
                    }
                    return Ok((token, state.dpop_key()));
                }
                let is_first = state.credential.is_none();
                let (flight, is_joined) = self.take_off(&mut state);
                (flight, is_joined, is_first)
            };
            if is_joined {
                self.inner.observer.observe(&Event::Joined);
            }
            let landing = tokio::select! {
                biased;
                landing = flight.wait_for(Option::is_some) => landing,
                served = self.inner.last_call(&self.target), if is_first => return Ok(served),
            };
            landed = match landing {
                Ok(landing) => landing.clone().unwrap_or(Ok(())),
                Err(_) => Err(temporary("the exchange was ended with its runtime")),
            };
            if landed.is_err() {
                break;
            }
        }
        let state = self.inner.state();
        let token = match landed {
            Ok(()) => state.kept(&self.target).ok_or_else(|| temporary("every new access token is rejected")),
            Err(error @ TokenError::LogIn(_)) => Err(error),
            // What still lives serves better than an error.
            Err(error) => self.inner.living(&state, &self.target).ok_or(error),
        };
        token.map(|token| (token, state.dpop_key()))
    }

    /// Says that an API has refused `token` (status 401, `invalid_token`): the next [`TokenManager::access_token`] is another one.
    ///
    /// A token that is less than ten seconds old stays: an API that refuses it would refuse the next one too.
    pub fn invalidate(&self, token: &AccessToken) {
        let mut state = self.inner.state();
        // One who comes late with an older token must not hide that the newer one was refused as well.
        if state.current(&self.target) == Some(token) {
            state.slot(&self.target).rejected = Some(token.clone());
        }
    }

    /// The exchange that is under way, or a new one in a task of its own; and whether it was under way.
    fn take_off(&self, state: &mut State) -> (Flight, bool) {
        let slot = state.slot(&self.target);
        if let Some(flight) = slot.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return (flight.clone(), true);
        }
        let (landing, flight) = watch::channel(None);
        slot.flight = Some(flight.clone());
        let (inner, target) = (Arc::clone(&self.inner), self.target.clone());
        tokio::spawn(async move { inner.fly(&target, landing).await });
        (flight, false)
    }

    pub(crate) fn client(&self) -> &OAuthClient {
        &self.inner.client
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.inner.nonces
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fly(&self, target: &Target, landing: watch::Sender<Landing>) {
        let _turn = self.turn.lock().await;
        let (logins, rejected, unsaved, latest) = {
            let mut state = self.state();
            (state.logins, state.rejected(target).cloned(), state.unsaved.take(), state.credential.clone())
        };
        let mut exchange = Exchange {
            client: &self.client,
            storage: &*self.storage,
            timer: &*self.timer,
            observer: &*self.observer,
            renewal: self.renewal,
            target,
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
            state.slot(target).flight = None;
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

fn temporary(cause: &str) -> TokenError {
    TokenError::Temporary { cause: cause.to_owned(), retry_after: None }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").field("client", &self.inner.client).finish_non_exhaustive()
    }
}

/// How many exchanges one call waits for: one that was under way already, and one of its own.
const FLIGHTS_MAX: u32 = 2;
