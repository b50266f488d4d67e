use std::time::Duration;

use regrant_crypto::random;
use regrant_protocol::{Scope, Timestamp};

use crate::oauth_client::Reply;
use crate::{
    AccessToken, Credential, Delivery, Demand, Failure, Jitter, LogInReason, OAuthClient, OAuthError, Pending, Plan,
    RefreshToken, Renewal, Storage, StorageError, Swap, Temporary, Timer, TokenError, plan,
};

/// One exchange of a refresh token, or of the client's own secret, for an access token: from the lock to the disk.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a OAuthClient,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) timer: &'a dyn Timer,
    pub(crate) renewal: Renewal,
    pub(crate) scope: &'a Scope,
    pub(crate) jitter: Jitter,
    pub(crate) rejected: Option<AccessToken>,
    /// Tokens that an earlier exchange could not write.
    pub(crate) unsaved: Option<Unsaved>,
    /// What is kept, as far as this process has seen it.
    pub(crate) latest: Option<Credential>,
    /// How many requests were sent.
    pub(crate) tries: u32,
}

/// An answer that is not on disk: nobody has used it, and the disk still tells how to ask for it again.
#[derive(Clone, Debug)]
pub(crate) struct Unsaved {
    sent: Option<RefreshToken>,
    renewed: Credential,
}

impl Exchange<'_> {
    /// Leaves a good credential in [`Exchange::latest`].
    pub(crate) async fn run(&mut self) -> Result<(), TokenError> {
        if self.unsaved.is_none() {
            // Most often another process was faster, and a look needs no turn: a file is replaced in one step.
            self.load().await?;
            match plan(self.latest.as_ref(), self.client.clock().now(), self.demand()) {
                Plan::Use(_) => return Ok(()),
                Plan::LogIn(reason) => return Err(reason.into()),
                Plan::RefreshInBackground(_) | Plan::RefreshNow | Plan::Retry(_) | Plan::Wait(_) => {}
            }
        }
        let _lock = self.storage.lock(LOCK_WAIT).await?;
        self.run_locked().await
    }

    fn demand(&self) -> Demand<'_> {
        let (rejected, jitter, renewal) = (self.rejected.as_ref(), self.jitter, self.renewal);
        Demand { rejected, jitter, proof: self.client.proof(), renewal }
    }

    async fn run_locked(&mut self) -> Result<(), TokenError> {
        let began = self.client.clock().monotonic();
        if let Some(unsaved) = self.unsaved.take() {
            self.keep(unsaved).await?;
        }
        for _ in 0..ROUNDS_MAX {
            self.load().await?;
            let credential = self.latest.clone();
            let now = self.client.clock().now();
            match plan(credential.as_ref(), now, self.demand()) {
                Plan::Use(_) => return Ok(()),
                Plan::LogIn(reason) => return Err(reason.into()),
                Plan::Wait(until) => self.wait(until, now).await?,
                Plan::Retry(retry) if retry.is_late && self.tries > 0 => {
                    return self.give_up("no try was answered inside the window".to_owned(), None).await;
                }
                Plan::RefreshInBackground(_) | Plan::RefreshNow | Plan::Retry(_) => {
                    let Some(reply) = self.send(credential.as_ref(), now).await? else { continue };
                    let outcome = self.settle(credential.as_ref(), reply).await?;
                    let Some(temporary) = outcome else { return Ok(()) };
                    let wait = temporary.retry_after.unwrap_or_default().max(self.backoff(self.tries));
                    let spent = self.client.clock().monotonic().saturating_duration_since(began);
                    if self.tries >= TRIES_MAX || spent + wait > LAST_TRY {
                        return self.give_up(temporary.cause, temporary.retry_after).await;
                    }
                    self.timer.sleep(wait).await;
                }
            }
        }
        self.give_up("the credential keeps changing".to_owned(), None).await
    }

    async fn load(&mut self) -> Result<(), TokenError> {
        self.latest = self.storage.load().await?;
        match &self.latest {
            Some(kept) if kept.issuer != self.client.provider().issuer || kept.client_id != *self.client.id() => {
                let (issuer, client) = (kept.issuer.clone(), kept.client_id.as_str().to_owned());
                Err(TokenError::OtherServer { issuer, client })
            }
            _ => Ok(()),
        }
    }

    /// Waits for the end of a quiet time, which is short; a longer one is for the caller to wait.
    async fn wait(&self, until: Timestamp, now: Timestamp) -> Result<(), TokenError> {
        let wait = Duration::from_millis(until.milliseconds_since(now).unsigned_abs());
        if wait > WAIT_MAX {
            let cause = "the server was not to be asked again yet".to_owned();
            return Err(TokenError::Temporary { cause, retry_after: Some(wait) });
        }
        self.timer.sleep(wait).await;
        Ok(())
    }

    /// Sends one try, whose marker is on disk before; `None` when the credential changed meanwhile.
    async fn send(&mut self, seen: Option<&Credential>, now: Timestamp) -> Result<Option<Reply>, TokenError> {
        let refreshable = seen.and_then(|seen| seen.refresh_token.as_ref().map(|token| (seen, token)));
        let (Some((seen, token)), Renewal::LogIn) = (refreshable, self.renewal) else {
            self.tries += 1;
            return Ok(Some(self.client.client_credentials_reply(self.scope).await));
        };
        let pending = match &seen.pending {
            Some(pending) => pending.again(now),
            None => Pending::first(self.client.entropy(), now),
        };
        let marked = Credential { pending: Some(pending.clone()), not_before: None, ..seen.clone() };
        if !self.swap(Some(seen), &marked).await? {
            return Ok(None);
        }
        self.tries += 1;
        Ok(Some(self.client.refresh(token, &pending).await))
    }

    /// Writes down what a try has come to. `Some` when it has to be repeated.
    async fn settle(&mut self, before: Option<&Credential>, reply: Reply) -> Result<Option<Temporary>, TokenError> {
        match reply.outcome {
            Ok(tokens) => {
                let sent = before.and_then(|before| before.refresh_token.clone());
                let renewed = match before {
                    // The marker as it was before this try: what is unanswered in it has never been answered.
                    Some(before) => before.renewed(tokens, reply.received_at, reply.clock_offset),
                    None => {
                        Credential::of_login(self.client, tokens, reply.received_at, reply.clock_offset.unwrap_or(0))
                    }
                };
                self.keep(Unsaved { sent, renewed }).await.map(|()| None)
            }
            Err(Failure::Terminal(error)) => self.clear(error).await,
            Err(failure @ (Failure::ReRegister(_) | Failure::Configuration(_))) => {
                self.settle_marker(before, Delivery::Answered, true).await?;
                Err(TokenError::Refused(failure))
            }
            Err(Failure::Temporary(temporary)) => {
                self.settle_marker(before, temporary.delivery, false).await?;
                Ok(Some(temporary))
            }
        }
    }

    /// Takes from the marker the try that is no longer under way, and the whole marker when nothing can be spent.
    async fn settle_marker(
        &mut self,
        before: Option<&Credential>,
        delivery: Delivery,
        is_verdict: bool,
    ) -> Result<(), TokenError> {
        let (Some(before), Some(marked)) = (before, self.latest.clone()) else {
            return Ok(());
        };
        let unanswered_sent_at = before.pending.as_ref().and_then(|pending| pending.unanswered_sent_at);
        let pending = match delivery {
            Delivery::Unanswered => return Ok(()),
            Delivery::NotSent => before.pending.clone(),
            Delivery::Answered if is_verdict && unanswered_sent_at.is_none() => None,
            Delivery::Answered => marked.pending.clone().map(|pending| Pending { unanswered_sent_at, ..pending }),
        };
        let settled = Credential { pending, ..marked.clone() };
        // Somebody else's write is newer than what we know.
        self.swap(Some(&marked), &settled).await.map(|_| ())
    }

    /// Drops the refresh token that was refused, and no other; `Some` when there is another by now.
    async fn clear(&mut self, error: OAuthError) -> Result<Option<Temporary>, TokenError> {
        let Some(marked) = self.latest.clone() else {
            return Err(TokenError::Refused(Failure::Terminal(error)));
        };
        let refused = Some(error.error.clone());
        let cleared = Credential { refresh_token: None, pending: None, not_before: None, refused, ..marked.clone() };
        if self.swap(Some(&marked), &cleared).await? {
            Err(LogInReason::Refused(error.error).into())
        } else {
            let cause = "the refresh token was refused, and somebody else has written meanwhile".to_owned();
            Ok(Some(Temporary { cause, retry_after: None, delivery: Delivery::Answered }))
        }
    }

    /// Has new tokens on disk before anybody gets them, or keeps them for the next exchange to write.
    async fn keep(&mut self, unsaved: Unsaved) -> Result<(), TokenError> {
        for attempt in 0..SAVES_MAX {
            if attempt > 0 {
                self.timer.sleep(self.backoff(attempt)).await;
            }
            match self.save(&unsaved).await {
                Ok(()) => return Ok(()),
                Err(TokenError::Storage(_)) if attempt + 1 < SAVES_MAX => {}
                Err(TokenError::Storage(error)) => {
                    self.unsaved = Some(unsaved);
                    return Err(error.into());
                }
                Err(other) => return Err(other),
            }
        }
        self.unsaved = Some(unsaved);
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()).into())
    }

    async fn save(&mut self, unsaved: &Unsaved) -> Result<(), TokenError> {
        for _ in 0..ROUNDS_MAX {
            let kept = self.storage.load().await?;
            let is_successor = match &kept {
                None => unsaved.sent.is_none(),
                Some(kept) => {
                    let is_ours = kept.refresh_token.is_none() || kept.refresh_token == unsaved.sent;
                    (kept.lineage == unsaved.renewed.lineage || unsaved.sent.is_none()) && is_ours
                }
            };
            if !is_successor {
                // Somebody logged out, logged in anew, or was faster: what they did stands.
                let is_logged_out = kept.is_none();
                self.latest = kept;
                if let (true, Some(token)) = (is_logged_out, &unsaved.renewed.refresh_token) {
                    // Nobody will use it; a server that cannot be told lets it expire.
                    let _ = self.client.revoke(token).await;
                }
                return if is_logged_out { Err(LogInReason::NoCredential.into()) } else { Ok(()) };
            }
            if self.swap(kept.as_ref(), &unsaved.renewed).await? {
                return Ok(());
            }
        }
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()).into())
    }

    /// Ends the exchange, and asks all processes for some peace.
    async fn give_up(&mut self, cause: String, retry_after: Option<Duration>) -> Result<(), TokenError> {
        let Some(seen) = self.latest.clone() else {
            return Err(TokenError::Temporary { cause, retry_after });
        };
        let failures = seen.failures.saturating_add(1);
        let pause = PAUSE.saturating_mul(1 << failures.min(5)).min(PAUSE_MAX);
        let pause = retry_after.unwrap_or_default().max(pause);
        let until = self.client.clock().now().plus_milliseconds(i64::try_from(pause.as_millis()).unwrap_or(0));
        let failed = Credential { failures, not_before: Some(until), ..seen.clone() };
        self.swap(Some(&seen), &failed).await?;
        Err(TokenError::Temporary { cause, retry_after: Some(pause) })
    }

    async fn swap(&mut self, seen: Option<&Credential>, new: &Credential) -> Result<bool, TokenError> {
        let swap = self.storage.compare_and_swap(seen.map(Credential::version), Some(new)).await?;
        if swap == Swap::Done {
            self.latest = Some(new.clone());
        }
        Ok(swap == Swap::Done)
    }

    /// Between half and all of 1 s, 2 s, 4 s, …
    fn backoff(&self, attempt: u32) -> Duration {
        let full = BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(4));
        let [share] = random::<1>(self.client.entropy());
        full / 2 + full / 2 * u32::from(share) / 255
    }
}

/// How long one waits for another's exchange: longer than an exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(90);
/// After so long an exchange sends no further try.
const LAST_TRY: Duration = Duration::from_secs(45);
/// The longest quiet time that an exchange waits for: that of an unanswered try, and a little.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// How many requests an exchange sends.
const TRIES_MAX: u32 = 4;
/// How often an exchange looks at the credential.
const ROUNDS_MAX: u32 = 12;
/// How often an exchange tries to write what it was given.
const SAVES_MAX: u32 = 3;
/// The pause after a first try.
const BACKOFF: Duration = Duration::from_secs(1);
/// Half of the pause after a first failed exchange; it doubles with each.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between exchanges that nobody asked for.
const PAUSE_MAX: Duration = Duration::from_secs(60);
