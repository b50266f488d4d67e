//! Access tokens that were revoked alone.

use regrant_grant::{AccessTokenId, Generation, GrantId, Write};
use regrant_protocol::Timestamp;

use super::Trial;
use super::specimen::{access_token, client_id, grant};
use crate::Target;

/// One token is revoked: its grant, its other tokens and those of others are not.
pub async fn a_listed_access_token_is_seen_by_its_own_steps_only(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    let listed = access_token(GrantId([1; 16]), 1);
    list(&trial, listed, None).await;
    let app = client_id("app");
    for (target, expected) in [
        (Target::AccessToken(listed), true),
        (Target::ClientAccessToken(app.clone(), listed), true),
        (Target::AccessToken(AccessTokenId { digest: [2; 10], ..listed }), false),
        (Target::AccessToken(AccessTokenId { generation: Generation(1), ..listed }), false),
        (Target::AccessToken(AccessTokenId { grant: GrantId([2; 16]), ..listed }), false),
        (Target::Grant(listed.grant), false),
        (Target::Client(app), false),
    ] {
        let seen = trial.read(target.clone(), |scene| scene.access_token_is_listed).await;
        assert_eq!(seen, Ok(expected), "{target:?}");
    }
    assert_eq!(trial.grant(listed.grant).await, Some(grant(1)), "the grant is as it was");
}

/// A revocation is repeated when its answer was lost.
pub async fn listing_an_access_token_twice_is_no_error(trial: Trial) {
    let token = access_token(GrantId([1; 16]), 1);
    for until in [Some(Timestamp::from_seconds(1)), Some(Timestamp::from_seconds(1)), None] {
        list(&trial, token, until).await;
        let seen = trial.read(Target::AccessToken(token), |scene| scene.access_token_is_listed).await;
        assert_eq!(seen, Ok(true));
    }
}

async fn list(trial: &Trial, id: AccessTokenId, until: Option<Timestamp>) {
    let listed = trial.write(Target::AccessToken(id), Write::ListAccessToken { id, until }).await;
    assert_eq!(listed, Ok(()));
}
