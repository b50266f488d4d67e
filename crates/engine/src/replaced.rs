use regrant_grant::{Generation, Grant, OldAccessTokens};
use regrant_protocol::ClientId;
use regrant_store::{Scene, StoreError};

use crate::AuthorizationServer;

/// An access token that a refresh came after. Whether it has ended with that is for its client's settings to say.
pub(crate) struct Replaced {
    client: ClientId,
    /// The client's version in the step that found it.
    version: Option<u64>,
}

impl Replaced {
    /// The access token of `row` with this generation and `iat`, if a refresh came after it.
    pub(crate) fn find(row: &Grant, generation: Generation, iat: i64, scene: &Scene<'_>) -> Option<Self> {
        let version = scene.surroundings.client.map(|client| client.version);
        row.has_replaced(generation, iat).then(|| Self { client: row.client.clone(), version })
    }
}

impl AuthorizationServer {
    /// Whether an access token has ended because a refresh came after it. A current one never has.
    pub(crate) async fn has_ended_with_refresh(&self, replaced: Option<Replaced>) -> Result<bool, StoreError> {
        let Some(Replaced { client, version }) = replaced else { return Ok(false) };
        let known = self.clients.find(&*self.store, &client).await?;
        let is_as_read = known.as_ref().is_some_and(|known| Some(known.client.party.version) == version);
        let found = if is_as_read { known } else { self.clients.reload(&*self.store, &client).await? };
        Ok(found.is_none_or(|found| found.client.settings.policy.old_access_tokens == OldAccessTokens::End))
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::RotationMode;
    use regrant_protocol::{BearerToken, Resources, TokenResponse};
    use regrant_store::{AccessTokenFormat, ClientChange, ClientSettings};

    use super::*;
    use crate::world::World;

    /// Whether an access token is good, which every endpoint says alike.
    async fn is_good(world: &World, given: &TokenResponse) -> bool {
        let token = given.access_token.expose();
        let header = format!("Bearer {token}");
        let bearer = BearerToken::parse(header.as_bytes()).unwrap();
        let told = world.server.userinfo(&world.context(), &bearer).await.is_ok();
        assert_eq!(world.server.inspect(&world.context(), token).await.unwrap().is_some(), told);
        assert_eq!(world.server.explain(token).await.unwrap().verdict.is_success(), told);
        told
    }

    async fn log_in(world: &World) -> TokenResponse {
        let code = world.code_of(|birth| birth.resources = Resources::none()).await;
        world.redeem(&code, "").await.unwrap()
    }

    #[tokio::test]
    async fn a_refresh_ends_the_access_tokens_before_it_where_the_client_is_set_so() {
        use OldAccessTokens::{End, Keep};
        for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
            for (rotation, old_access_tokens, lives) in [
                (RotationMode::Rotate, Keep, true),
                (RotationMode::Rotate, End, false),
                (RotationMode::Reuse, Keep, true),
                (RotationMode::Reuse, End, false),
                (RotationMode::Consume, End, false),
                // The presented token stays as it is, and its access tokens with it.
                (RotationMode::Fork, End, true),
            ] {
                let world = World::new().await;
                let set = |settings: &mut ClientSettings| {
                    settings.access_token_format = format;
                    (settings.policy.rotation, settings.policy.old_access_tokens) = (rotation, old_access_tokens);
                    settings.allow_unsafe_rotation = true;
                };
                world.change(set).await;
                let first = log_in(&world).await;
                world.clock.advance_seconds(1);
                assert!(is_good(&world, &first).await, "{rotation:?} {old_access_tokens:?}, before the refresh");
                let second = world.refresh(&first, "").await.unwrap();
                // The answer was lost, and the same is asked again: a retry, or with `reuse` the next use.
                let again = world.refresh(&first, "").await.unwrap();
                assert_eq!(is_good(&world, &first).await, lives, "{rotation:?} {old_access_tokens:?} {format:?}");
                for given in [second, again] {
                    assert!(is_good(&world, &given).await, "{rotation:?} {old_access_tokens:?}, what is current");
                }
            }
        }
    }

    #[tokio::test]
    async fn what_the_setting_is_now_counts_for_all_access_tokens() {
        let world = World::new().await;
        let first = log_in(&world).await;
        world.refresh(&first, "").await.unwrap();
        for old_access_tokens in [OldAccessTokens::Keep, OldAccessTokens::End, OldAccessTokens::Keep] {
            // Behind the back of the server, which has the client in memory.
            let id = ClientId::parse("app").unwrap();
            let client = world.server.store.client(&id).await.unwrap().unwrap();
            let (seen_version, mut settings) = (client.party.version, Box::new(client.settings));
            settings.policy.old_access_tokens = old_access_tokens;
            let change = ClientChange::Settings { seen_version, settings };
            world.server.store.change_client(&id, change).await.unwrap();
            assert_eq!(is_good(&world, &first).await, old_access_tokens == OldAccessTokens::Keep);
        }
    }

    #[tokio::test]
    async fn an_operator_is_told_what_ended_an_access_token() {
        let world = World::new().await;
        world.change(|settings| settings.policy.old_access_tokens = OldAccessTokens::End).await;
        let first = log_in(&world).await;
        world.refresh(&first, "").await.unwrap();
        let explained = world.server.explain(first.access_token.expose()).await.unwrap();
        assert_eq!(explained.verdict.as_str(), "access_token_replaced");
        assert!(explained.text.contains("old_access_tokens"), "{}", explained.text);
    }
}
