use std::time::Instant;

use crate::token_memory::{TokenKey, TokenMemory};

/// The most tokens that are remembered.
const REVOKED_TOKENS_MAX: usize = 4_096;

/// How long one is remembered after the store said that it is revoked.
const REMEMBERED_SECONDS: u32 = 60;

/// Refresh tokens of grants that have ended, as the store said a moment ago: somebody who sends one again and again costs the
/// store nothing (D-34).
///
/// A grant that has ended stays so (I4), so what is remembered never becomes untrue. It is the whole token that is remembered, with
/// the client that presented it: nothing follows from it for another string of the same grant, or for another client.
pub(crate) struct RevokedTokens(TokenMemory<()>);

impl RevokedTokens {
    pub(crate) fn new() -> Self {
        Self(TokenMemory::new(u64::from(REMEMBERED_SECONDS), REVOKED_TOKENS_MAX))
    }

    /// Whether the store has said within [`REMEMBERED_SECONDS`] that a token is revoked. Where it has said so of none, as nearly always,
    /// `key` is not made.
    pub(crate) fn has(&self, key: impl FnOnce() -> TokenKey, now: Instant) -> bool {
        !self.0.is_empty() && self.0.find(&key(), now).is_some()
    }

    /// Remembers what the store has said.
    pub(crate) fn remember(&self, key: TokenKey, now: Instant) {
        self.0.keep(key, (), now);
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::Verdict;
    use regrant_protocol::{ClientId, Clock, ManualClock, Secret, Timestamp, TokenResponse};
    use regrant_store::StoreError;

    use super::*;
    use crate::TokenError;
    use crate::world::World;

    #[tokio::test]
    async fn a_revoked_token_is_looked_up_once_a_minute_and_refused_each_time() {
        let world = World::new().await;
        let code = world.code().await;
        let given = world.redeem(&code, "").await.unwrap();
        let newer = world.refresh(&given, "").await.unwrap();
        world.server.end_grant_by_operator(world.row_id()).await.unwrap();
        let verdict = async |of: &TokenResponse| match world.refresh(of, "").await {
            Err(TokenError::Refresh { verdict, grant, .. }) => {
                assert_eq!(grant, Some(world.row_id()));
                Ok(verdict)
            }
            Err(TokenError::Store(error)) => Err(error),
            other => panic!("{other:?}"),
        };
        assert_eq!(verdict(&newer).await, Ok(Verdict::Revoked));
        world.server.store().halt().await.unwrap();
        assert_eq!(verdict(&newer).await, Ok(Verdict::Revoked), "the store is not asked, which decides nothing now");
        assert_eq!(verdict(&given).await, Err(StoreError::RolledBack), "another string of the same grant");
        let form = |client| format!("grant_type=refresh_token&client_id={client}&refresh_token={}", token_of(&newer));
        let other = world.token(&form("other")).await;
        assert_eq!(other, Err(TokenError::Store(StoreError::RolledBack)), "another client");
        world.clock.advance_seconds(REMEMBERED_SECONDS - 1);
        assert_eq!(verdict(&newer).await, Ok(Verdict::Revoked));
        world.clock.advance_seconds(1);
        assert_eq!(verdict(&newer).await, Err(StoreError::RolledBack), "it was looked up a minute ago");
    }

    fn token_of(given: &TokenResponse) -> &str {
        given.refresh_token.as_ref().unwrap().expose()
    }

    #[test]
    fn no_more_are_remembered_than_may_be_and_the_oldest_goes_first() {
        let now = ManualClock::new(Timestamp::from_seconds(1)).monotonic();
        let (tokens, client) = (RevokedTokens::new(), ClientId::parse("app").unwrap());
        let key = |number: usize| TokenKey::of(&client, &Secret::new(number.to_string()));
        (0..=REVOKED_TOKENS_MAX).for_each(|number| tokens.remember(key(number), now));
        let known = [0, 1, REVOKED_TOKENS_MAX].map(|number| tokens.has(|| key(number), now));
        assert_eq!(known, [false, true, true]);
    }
}
