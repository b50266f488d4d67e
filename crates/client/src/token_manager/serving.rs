//! Which token a caller gets at once, and which one when an exchange takes too long.

use std::future::pending;
use std::time::Duration;

use super::Inner;
use crate::manager_state::State;
use crate::{AccessToken, Demand, DpopKey, Plan, Retry, Target, plan};

impl Inner {
    /// A token that serves by the rule, and whether it is time for the next one.
    pub(super) fn serving(&self, state: &State, target: &Target) -> Option<(AccessToken, bool)> {
        let credential = state.credential.as_ref();
        let demand = Demand {
            target: Some(target),
            rejected: state.rejected(target),
            jitter: self.jitter,
            proof: self.client.proof(credential),
            renewal: self.renewal,
        };
        match plan(credential, self.client.clock().now(), demand) {
            Plan::Use(token) => Some((token.clone(), false)),
            Plan::RefreshInBackground(token) | Plan::Retry(Retry { serves: Some(token), .. }) => {
                Some((token.clone(), true))
            }
            Plan::RefreshNow | Plan::Retry(_) | Plan::Wait(_) | Plan::LogIn(_) => None,
        }
    }

    /// What is kept, when it cannot be waited any longer: at once where no exchange is due, otherwise 10 s before the end of the
    /// token. Never, where nothing serves, or where that is before a try has had its time: whoever ends its process with an answer
    /// on the way may lose the session for a token that is worth little.
    pub(super) async fn last_call(&self, target: &Target) -> (AccessToken, Option<DpopKey>) {
        match self.waited_out(target).await {
            Some(served) => served,
            None => pending().await,
        }
    }

    async fn waited_out(&self, target: &Target) -> Option<(AccessToken, Option<DpopKey>)> {
        let logins = self.state().logins;
        let kept = self.storage.load().await.ok()??;
        self.client.check_owner(&kept).ok()?;
        let ends = kept.access_for(Some(target))?.expires_at;
        let server_now = kept.server_time(self.client.clock().now());
        let kept = State { credential: Some(kept), ..State::default() };
        let (token, is_due) = self.serving(&kept, target)?;
        if is_due {
            let left = Duration::from_millis(u64::try_from(ends?.milliseconds_since(server_now)).ok()?);
            let wait = left.checked_sub(LAST_CALL).filter(|&wait| wait >= TRY_MAX)?;
            tokio::time::sleep(wait).await;
        }
        let mut state = self.state();
        // After a login, a logout or a refusal that came between, what was read before it is no longer true.
        if state.logins != logins || state.rejected(target) == Some(&token) {
            return None;
        }
        let key = kept.dpop_key();
        if state.credential.is_none() {
            state.credential = kept.credential;
        }
        Some((token, key))
    }

    /// The token that is kept, if it is neither rejected nor at its end.
    pub(super) fn living(&self, state: &State, target: &Target) -> Option<AccessToken> {
        let credential = state.credential.as_ref()?;
        let now = credential.server_time(self.client.clock().now());
        let ends = credential.access_for(Some(target))?.expires_at;
        state.kept(target).filter(|_| ends.is_none_or(|end| now < end))
    }
}

/// How much of its life a token has when it is waited no longer for the next one.
const LAST_CALL: Duration = Duration::from_secs(10);
/// After so long a transport has given up a try.
const TRY_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use http::{Request, Response};
    use regrant_crypto::SystemEntropy;
    use regrant_protocol::{ManualClock, Timestamp};
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::file_storage::tests::credential;
    use crate::{
        Access, Credential, MemoryStorage, OAuthClient, Provider, RefreshToken, RequestBody, Storage as _, Swap,
        TokenManager, Transport, TransportError,
    };

    /// A server that never answers.
    struct Silent;

    #[async_trait]
    impl Transport for Silent {
        async fn send(&self, _: Request<RequestBody>) -> Result<Response<Vec<u8>>, TransportError> {
            pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_process_waits_for_an_exchange_and_not_longer_than_its_token_lives() {
        const NOW_SECONDS: i64 = 1_800_000_000;
        for (left_seconds, waited) in [(59, Some(49)), (30, Some(20)), (29, None), (0, None), (139, Some(0))] {
            let at = |seconds| Timestamp::from_seconds(NOW_SECONDS + seconds);
            let token = AccessToken::new("a".to_owned());
            let (received_at, expires_at) = (at(left_seconds - 140), Some(at(left_seconds)));
            let kept = Credential {
                access: Some(Access { token: token.clone(), received_at, expires_at }),
                refresh_token: Some(RefreshToken::new("r".to_owned())),
                ..credential(0)
            };
            let storage = MemoryStorage::default();
            assert_eq!(storage.compare_and_swap(None, Some(&kept)).await, Ok(Swap::Done));
            let provider = Provider::new(kept.issuer, "https://id.example/token").unwrap();
            let clock = Arc::new(ManualClock::new(at(0)));
            let client = OAuthClient::new(provider, kept.client_id, Arc::new(Silent))
                .with_clock_and_entropy(clock, Arc::new(SystemEntropy));
            let manager = TokenManager::new(client, storage);

            let began = Instant::now();
            let served = timeout(Duration::from_secs(600), manager.access_token()).await;
            assert_eq!(served.ok().map(|_| began.elapsed().as_secs()), waited, "{left_seconds}");
            if let Some(waited) = waited {
                // From now on a token that serves is given at once, and can be refused.
                assert_eq!(manager.access_token().await, Ok(token));
                assert_eq!(began.elapsed().as_secs(), waited, "{left_seconds}");
            }
        }
    }
}
