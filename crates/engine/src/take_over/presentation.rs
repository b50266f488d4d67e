use std::sync::Arc;
use std::time::Duration;

use regrant_crypto::{Entropy, random};
use regrant_grant::{GrantId, GrantSecret, ImportedBirth};
use regrant_protocol::{Clock, Secret, Subject};
use regrant_store::{FoundToken, ImportError, ImportedGrant, Store, StoreError};
use tokio::time::sleep;
use tracing::{error, warn};

use super::answer::{Fault, OldTokens, OldUser, tokens, user_in_answer, user_in_jwt};
use super::flights::Flight;
use super::user::{NoUser, user_here};
use super::{Desk, Ended, SLOW_RETRY_SECONDS, TakeOverOutcome, TakeOvers, imported};
use crate::failures::{FailureKey, Failures};
use crate::imported::Imports;
use crate::token_memory::TokenKey;
use crate::{
    AuthenticatedClient, Event, Happening, Hooks, OldServerAnswer, OldServerQuestion, OldServerSettings,
    RequestContext, UserSource,
};

/// How often what comes after the old server's answer is tried, while that answer can be lost.
const TRIES_MAX: u32 = 3;
/// How long is waited between.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// How long another process may take to write down what the old server has given it.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One token on its way to the old server and back.
pub(super) struct Presentation {
    pub(super) store: Arc<dyn Store>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) imports: Arc<Imports>,
    pub(super) failures: Arc<Failures>,
    pub(super) take_overs: Arc<TakeOvers>,
    pub(super) hooks: Hooks,
    /// Of the first who came with it.
    pub(super) context: RequestContext,
    pub(super) client: AuthenticatedClient,
    pub(super) desk: Arc<Desk>,
    pub(super) token: Secret,
    pub(super) key: TokenKey,
}

/// Why nothing came of a token that the old server accepted.
struct Lost {
    user: Option<String>,
    why: String,
    /// Whether it will be so the next time too.
    is_final: bool,
}

impl Presentation {
    /// Takes the token over, tells everybody who waits, and then the old server.
    pub(super) async fn run(self, flight: Flight) {
        let (ended, left) = match self.known().await {
            Ok(Some(ended)) => (ended, None),
            Ok(None) => self.present().await,
            Err(_) => (Ended::Later(SLOW_RETRY_SECONDS), None),
        };
        flight.tell(ended);
        if ended != Ended::Unknown {
            let source = self.context.source;
            self.failures.give_back(&[FailureKey::old_token(source), FailureKey::imported_token(source)]);
        }
        if let Some(left) = left.filter(|_| self.settings().revokes) {
            self.revoke(&left).await;
        }
    }

    /// What is known of the token here: it may have been taken over since it was looked for.
    async fn known(&self) -> Result<Option<Ended>, StoreError> {
        Ok(self.store.imported_token(&imported(&self.token)).await?.map(|found| match found {
            FoundToken::Refresh(grant) => Ended::Known(grant),
            FoundToken::Access(..) => Ended::Unknown,
        }))
    }

    /// What came of it, and the refresh token that is still good at the old server.
    async fn present(&self) -> (Ended, Option<Secret>) {
        let held = self.take_overs.held.find(&self.key, self.clock.monotonic());
        let token = held.as_ref().unwrap_or(&self.token);
        let tokens = match self.ask(OldServerQuestion::Refresh(token)).await.and_then(|answer| tokens(&answer)) {
            Ok(tokens) => tokens,
            Err(fault) => return (self.refused(fault).await, None),
        };
        self.desk.pace.answered();
        let next = tokens.refresh_token.as_ref().unwrap_or(token).clone();
        match self.keep(&tokens).await {
            Ok((grant, subject)) => {
                self.tell(TakeOverOutcome::TakenOver, Some(grant), Some(&subject));
                (Ended::Known(grant), Some(next))
            }
            Err(lost) => (self.lost(lost, next), None),
        }
    }

    /// What the old server gave is kept for the next try: it may have used up what was presented.
    fn lost(&self, lost: Lost, next: Secret) -> Ended {
        let Lost { user, why, is_final } = lost;
        let (now, client) = (self.clock.monotonic(), self.client.id());
        if is_final {
            error!(%client, user, why, "a refresh token that the old server accepted is refused here, and its user has to log in");
            self.tell(TakeOverOutcome::UserRefused, None, None);
            self.take_overs.dead.keep(self.key, (), now);
            return Ended::Unknown;
        }
        error!(
            %client,
            user,
            why,
            "the old server accepted a refresh token that cannot be taken over; what it gave is kept in memory, and used if the client comes again within an hour"
        );
        self.tell(TakeOverOutcome::Lost, None, None);
        self.take_overs.held.keep(self.key, next, now);
        Ended::Later(MISCONFIGURED_RETRY_SECONDS)
    }

    async fn ask(&self, question: OldServerQuestion<'_>) -> Result<OldServerAnswer, Fault> {
        let answer = self.settings().server.ask(question).await;
        answer.map_err(|silent| Fault::Busy(format!("it did not answer: {silent}"), None))
    }

    async fn refused(&self, fault: Fault) -> Ended {
        let now = self.clock.monotonic();
        match fault {
            Fault::Refused => {
                self.desk.pace.answered();
                // Another process may have been faster, and the old server is right that it is used.
                for pause in [Duration::ZERO, LOOK_AGAIN] {
                    sleep(pause).await;
                    match self.known().await {
                        Ok(None) => {}
                        Ok(Some(ended)) => return ended,
                        Err(_) => return Ended::Later(SLOW_RETRY_SECONDS),
                    }
                }
                if self.take_overs.unanswered.find(&self.key, now).is_some() {
                    let client = self.client.id();
                    warn!(%client, "the old server refuses a refresh token that it left unanswered before: if it used it up then, its user has to log in");
                }
                self.take_overs.dead.keep(self.key, (), now);
                self.tell(TakeOverOutcome::Refused, None, None);
                Ended::Unknown
            }
            Fault::Busy(why, asked_for) => {
                let seconds = self.desk.pace.unanswered(asked_for, now);
                self.take_overs.unanswered.keep(self.key, (), now);
                self.tell(TakeOverOutcome::Unreachable, None, None);
                if self.desk.may_complain(now) {
                    warn!(client = %self.client.id(), why, "the old server cannot say whether a refresh token is good");
                }
                Ended::Later(seconds)
            }
            Fault::Misconfigured(why) => {
                self.desk.pace.answered();
                self.tell(TakeOverOutcome::Misconfigured, None, None);
                if self.desk.may_complain(now) {
                    error!(
                        client = %self.client.id(),
                        why,
                        "the old server refuses to be asked: look at its address, and at the client's credentials there"
                    );
                }
                Ended::Later(MISCONFIGURED_RETRY_SECONDS)
            }
        }
    }

    /// Makes a grant of what the old server answered. It may have used the token up, so that nothing is given up at the first failure.
    async fn keep(&self, tokens: &OldTokens) -> Result<(GrantId, Subject), Lost> {
        let user = self.user(tokens).await.map_err(|why| Lost { user: None, why, is_final: false })?;
        let mut tries = 0;
        loop {
            tries += 1;
            let (why, is_final) = match self.make_grant(tokens, &user).await {
                Ok(made) => return Ok(made),
                Err(NoUser::Refused(why)) => (why, true),
                Err(NoUser::Store(_)) if tries < TRIES_MAX => {
                    sleep(BETWEEN_TRIES).await;
                    continue;
                }
                Err(NoUser::Store(error)) => (error.to_string(), false),
            };
            return Err(Lost { user: Some(user.name), why, is_final });
        }
    }

    async fn user(&self, tokens: &OldTokens) -> Result<OldUser, String> {
        let settings = self.settings();
        let question = match settings.user_from {
            UserSource::IdToken | UserSource::AccessToken => return user_in_jwt(tokens, settings),
            UserSource::Introspection => OldServerQuestion::Introspect(&tokens.access_token),
            UserSource::UserInfo => OldServerQuestion::UserInfo(&tokens.access_token),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.ask(question).await.and_then(|answer| user_in_answer(&answer, settings)) {
                Ok(user) => return user,
                Err(Fault::Busy(..)) if tries < TRIES_MAX => sleep(BETWEEN_TRIES).await,
                Err(Fault::Busy(why, _) | Fault::Misconfigured(why)) => return Err(why),
                Err(Fault::Refused) => return Err("asked for the user it refused its own access token".to_owned()),
            }
        }
    }

    /// The grant of the token: the one that is made of it now, or that another process has just made of it.
    async fn make_grant(&self, tokens: &OldTokens, user: &OldUser) -> Result<(GrantId, Subject), NoUser> {
        let subject = user_here(&*self.store, user, self.settings().unknown_users).await?;
        let settings = self.client.settings();
        let scope = tokens.scope.as_ref().or(user.scope.as_ref()).unwrap_or(&settings.scope);
        let now = self.clock.now();
        let birth = ImportedBirth {
            id: GrantId(random(&*self.entropy)),
            secret: GrantSecret::new(random(&*self.entropy)),
            client: self.client.id().clone(),
            subject: subject.clone(),
            scope: scope.clone(),
            created_at: now,
            authenticated_at: user.authenticated_at.unwrap_or(now),
            idle_expires_at: settings.policy.idle_lifetime.end(now),
            absolute_expires_at: settings.policy.absolute_lifetime.end(now),
            ends_elsewhere_at: Some(self.settings().until),
            access_lifetime: settings.policy.access_lifetime,
        };
        let token = imported(&self.token);
        let grant = ImportedGrant { birth, refresh_token: Some(token), access_tokens: Vec::new() };
        let kept = self.store.import(vec![grant]).await;
        self.imports.forget();
        kept.map_err(|error| match error {
            ImportError::Store(error) => NoUser::Store(error),
            other @ (ImportError::TooManyRows { .. } | _) => NoUser::Refused(other.to_string()),
        })?;
        match self.store.imported_token(&token).await? {
            Some(FoundToken::Refresh(grant)) => Ok((grant, subject)),
            Some(FoundToken::Access(..)) | None => {
                Err(NoUser::Refused("its client or its user was removed here at this moment".to_owned()))
            }
        }
    }

    /// Ends at the old server what nobody uses any more.
    async fn revoke(&self, left: &Secret) {
        let now = self.clock.monotonic();
        let why = match self.ask(OldServerQuestion::Revoke(left)).await {
            Ok(OldServerAnswer { status: 200..=299, .. }) => return,
            Ok(OldServerAnswer { status, .. }) => format!("it answered {status}"),
            Err(Fault::Busy(why, _) | Fault::Misconfigured(why)) => why,
            Err(Fault::Refused) => return,
        };
        if self.desk.may_complain(now) {
            warn!(client = %self.client.id(), why, "a refresh token that was taken over cannot be revoked at the old server");
        }
    }

    fn tell(&self, outcome: TakeOverOutcome, grant: Option<GrantId>, subject: Option<&Subject>) {
        let happening = Happening::TakeOver { outcome, client: self.client.id(), grant, subject };
        let (request, source) = (self.context.id.as_ref(), Some(self.context.source));
        self.hooks.tell(&Event { at: self.clock.now(), request, source, happening });
    }

    fn settings(&self) -> &OldServerSettings {
        &self.desk.settings
    }
}

/// After how many seconds a caller may come again while an operator has something to put right.
const MISCONFIGURED_RETRY_SECONDS: u32 = 10;
