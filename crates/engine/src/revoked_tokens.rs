use std::time::Instant;

use regrant_grant::GrantId;

use crate::token_memory::{TokenKey, TokenMemory};

/// The most tokens that are remembered.
const REVOKED_TOKENS_MAX: usize = 4_096;

/// How long one is remembered, counted from the first byte of the request for which the store said that it is revoked.
const REMEMBERED_SECONDS: u32 = 60;

/// Refresh tokens of grants that have ended, as the store said a moment ago: somebody who sends one again and again costs the
/// store nothing (decision 0035).
///
/// A grant that has ended stays so (I4), so what is remembered never becomes untrue. It is the whole token that is remembered, with
/// the client that presented it: nothing follows from it for another string of the same grant, or for another client. The grant is
/// remembered too, as a string that was imported may be taken over again, and be that of another grant.
pub(crate) struct RevokedTokens(TokenMemory<GrantId>);

impl RevokedTokens {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(TokenMemory::new(u64::from(REMEMBERED_SECONDS), REVOKED_TOKENS_MAX))
    }

    /// Whether the store has said that a token of this grant is revoked, and it is remembered for a request that came at `first_byte`.
    /// Where it has said so of none, as nearly always, `key` is not made.
    pub(crate) fn has(&self, key: impl FnOnce() -> TokenKey, grant: GrantId, first_byte: Instant) -> bool {
        !self.0.is_empty(first_byte) && self.0.find(&key(), first_byte) == Some(grant)
    }

    /// Remembers what the store has said for a request that came at `first_byte`.
    pub(crate) fn remember(&self, key: TokenKey, grant: GrantId, first_byte: Instant) {
        self.0.keep(key, grant, first_byte);
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

    const GRANT: GrantId = GrantId([1; 16]);

    fn key(number: usize) -> TokenKey {
        TokenKey::of(&ClientId::parse("app").unwrap(), &Secret::new(number.to_string()))
    }

    #[test]
    fn no_more_are_remembered_than_may_be_and_the_oldest_goes_first() {
        let now = ManualClock::new(Timestamp::from_seconds(1)).monotonic();
        let tokens = RevokedTokens::new();
        (0..=REVOKED_TOKENS_MAX).for_each(|number| tokens.remember(key(number), GRANT, now));
        let known = [0, 1, REVOKED_TOKENS_MAX].map(|number| tokens.has(|| key(number), GRANT, now));
        assert_eq!(known, [false, true, true]);
    }

    #[test]
    fn a_string_that_is_that_of_another_grant_by_now_is_looked_up() {
        let clock = ManualClock::new(Timestamp::from_seconds(1));
        let tokens = RevokedTokens::new();
        let other = GrantId([2; 16]);
        let knows = |grant| tokens.has(|| key(0), grant, clock.monotonic());
        tokens.remember(key(0), GRANT, clock.monotonic());
        assert_eq!([GRANT, other].map(knows), [true, false]);
        tokens.remember(key(0), other, clock.monotonic());
        assert_eq!([GRANT, other].map(knows), [false, true]);
    }

    #[test]
    fn requests_that_came_out_of_order_make_none_be_remembered_for_longer() {
        let clock = ManualClock::new(Timestamp::from_seconds(1));
        let tokens = RevokedTokens::new();
        let slow = clock.monotonic();
        clock.advance_seconds(10);
        tokens.remember(key(0), GRANT, clock.monotonic());
        tokens.remember(key(1), GRANT, slow);
        clock.advance_seconds(REMEMBERED_SECONDS - 10);
        let known = [0, 1].map(|number| tokens.has(|| key(number), GRANT, clock.monotonic()));
        assert_eq!(known, [true, false]);
    }
}
