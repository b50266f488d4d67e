use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use regrant_grant::{AUTHORITY_BYTES, Head, TokenParts};
use regrant_protocol::ClientId;

use crate::presented::Presented;

/// The most tokens that are remembered, each with about 150 bytes.
const REVOKED_TOKENS_MAX: usize = 4_096;

/// How long one is remembered after the store said that it is revoked.
const REMEMBERED_SECONDS: u32 = 60;

/// Refresh tokens of grants that have ended, as the store said a moment ago: somebody who sends one again and again costs the
/// store nothing (D-34).
///
/// A grant that has ended stays so (I4), so what is remembered never becomes untrue. It is the whole token that is remembered, with
/// the client that presented it: nothing follows from it for another string of the same grant, or for another client.
pub(crate) struct RevokedTokens(RwLock<HashMap<Token, Remembered>>);

/// What a token says of itself, and its proof; its other tag is checked without the store.
type Token = (Head, [u8; AUTHORITY_BYTES]);

struct Remembered {
    client: ClientId,
    until: Instant,
}

impl RevokedTokens {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(HashMap::new()))
    }

    /// Whether the store has said within [`REMEMBERED_SECONDS`] that this token of this client is revoked.
    pub(crate) fn has(&self, presented: &Presented, client: &ClientId, now: Instant) -> bool {
        let remembered = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if remembered.is_empty() {
            return false;
        }
        let found = token(presented).and_then(|token| remembered.get(&token));
        found.is_some_and(|found| found.client == *client && now < found.until)
    }

    /// Remembers what the store has said. Where too many are, another one is forgotten for it.
    pub(crate) fn remember(&self, presented: &Presented, client: &ClientId, now: Instant) {
        let Some(token) = token(presented) else { return };
        let until = now + Duration::from_secs(u64::from(REMEMBERED_SECONDS));
        let mut remembered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REVOKED_TOKENS_MAX {
            remembered.retain(|_, of| now < of.until);
        }
        if remembered.len() >= REVOKED_TOKENS_MAX
            && let Some(other) = remembered.keys().next().copied()
        {
            remembered.remove(&other);
        }
        remembered.insert(token, Remembered { client: client.clone(), until });
    }
}

/// `None` for an imported one, which the store has to find by its digest anyway.
fn token(presented: &Presented) -> Option<Token> {
    match presented {
        Presented::Ours(TokenParts { head, authority_tag, .. }) => Some((*head, *authority_tag)),
        Presented::Imported(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{Generation, GrantId, Verdict};
    use regrant_protocol::{Clock, EpochNumber, Kid, ManualClock, Timestamp, TokenResponse};
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
    fn no_more_are_remembered_than_may_be_and_those_that_are_too_old_go_first() {
        let begin = ManualClock::new(Timestamp::from_seconds(1)).monotonic();
        let (tokens, client) = (RevokedTokens::new(), ClientId::parse("app").unwrap());
        let presented = |number: usize| {
            let grant = GrantId((number as u128).to_be_bytes());
            let head = Head { kid: Kid::FIRST, epoch: EpochNumber(1), grant, generation: Generation(1) };
            Presented::Ours(TokenParts { head, prefilter_tag: [0; 8], authority_tag: [0; AUTHORITY_BYTES] })
        };
        let later = begin + Duration::from_secs(u64::from(REMEMBERED_SECONDS));
        for number in 0..REVOKED_TOKENS_MAX {
            tokens.remember(&presented(number), &client, if number == 7 { later } else { begin });
        }
        tokens.remember(&presented(REVOKED_TOKENS_MAX), &client, later);
        let known = |number| tokens.has(&presented(number), &client, later);
        assert!(known(7) && known(REVOKED_TOKENS_MAX) && !known(8));
        assert_eq!(tokens.0.read().unwrap().len(), 2);
        for number in 0..2 * REVOKED_TOKENS_MAX {
            tokens.remember(&presented(number), &client, later);
        }
        assert_eq!(tokens.0.read().unwrap().len(), REVOKED_TOKENS_MAX);
    }
}
