//! One exchange of a refresh token, or of the client's own secret, for an access token: from the lock to the disk.

mod saving;
mod settling;

use std::time::Duration;

use regrant_crypto::random;
use regrant_protocol::{Scope, Timestamp};

use crate::token_request::Reply;
use crate::turn;
use crate::{
    AccessToken, Credential, Demand, DpopKey, Jitter, OAuthClient, Observer, Pending, Plan, Renewal, Storage, Swap,
    Target, Timer, TokenError, plan,
};

pub(crate) use saving::Unsaved;

/// What an exchange works with, and what it leaves behind.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a OAuthClient,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) timer: &'a dyn Timer,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) renewal: Renewal,
    /// What the access token is to be for.
    pub(crate) target: &'a Target,
    /// The scope of the client's own tokens, where the target names none.
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

/// What a try has come to, what it asked for, and with which key.
struct Answered {
    reply: Reply,
    target: Target,
    key: Option<DpopKey>,
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
        let _turn = turn::take(self.storage, self.client.clock(), self.observer).await?;
        self.run_locked().await
    }

    fn demand(&self) -> Demand<'_> {
        let (rejected, jitter, renewal) = (self.rejected.as_ref(), self.jitter, self.renewal);
        let proof = self.client.proof(self.latest.as_ref());
        Demand { target: Some(self.target), rejected, jitter, proof, renewal }
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
                    let Some(answered) = self.send(credential.as_ref(), now).await? else { continue };
                    let is_ours = answered.target == *self.target;
                    let outcome = self.settle(credential.as_ref(), answered).await?;
                    let Some(temporary) = outcome else {
                        if is_ours {
                            return Ok(());
                        }
                        // That was what somebody else had asked for and not heard; ours comes next.
                        continue;
                    };
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

    /// Leaves what is kept in [`Exchange::latest`]. What belongs to somebody else serves nobody here, however long it lives.
    async fn load(&mut self) -> Result<(), TokenError> {
        self.latest = match self.storage.load().await? {
            Some(kept) => {
                self.latest = None;
                self.client.check_owner(&kept)?;
                self.client.learned().remember_clock_offset(kept.clock_offset_milliseconds);
                Some(kept)
            }
            None => None,
        };
        Ok(())
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
    async fn send(&mut self, seen: Option<&Credential>, now: Timestamp) -> Result<Option<Answered>, TokenError> {
        let key = seen.and_then(|seen| seen.dpop_key.clone());
        let refreshable = seen.and_then(|seen| seen.refresh_token.as_ref().map(|token| (seen, token)));
        let (Some((seen, token)), Renewal::LogIn) = (refreshable, self.renewal) else {
            self.tries += 1;
            let key = key.or_else(|| self.client.new_key());
            let reply = self.client.client_credentials_reply(self.target, self.scope, key.as_ref()).await;
            return Ok(Some(Answered { reply, target: self.target.clone(), key }));
        };
        let pending = match &seen.pending {
            Some(pending) => pending.again(now),
            None => Pending::first(self.client.entropy(), now, self.target.clone()),
        };
        let marked = Credential { pending: Some(pending.clone()), not_before: None, ..seen.clone() };
        if !self.swap(Some(seen), &marked).await? {
            return Ok(None);
        }
        self.tries += 1;
        let reply = self.client.refresh(token, &pending, key.as_ref()).await;
        Ok(Some(Answered { reply, target: pending.target, key }))
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

/// After so long an exchange sends no further try.
const LAST_TRY: Duration = Duration::from_secs(45);
/// The longest quiet time that an exchange waits for: that of an unanswered try, and a little.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// How many requests an exchange sends.
const TRIES_MAX: u32 = 4;
/// How often an exchange looks at the credential.
const ROUNDS_MAX: u32 = 12;
/// The pause after a first try.
const BACKOFF: Duration = Duration::from_secs(1);
/// Half of the pause after a first failed exchange; it doubles with each.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between exchanges that nobody asked for.
const PAUSE_MAX: Duration = Duration::from_secs(60);
