//! What outlives the process.

use regrant_grant::{Grant, Write};
use regrant_protocol::{EpochNumber, Kid, Timestamp};

use super::Trial;
use super::specimen::{access_token, client, client_id, consent, grant, least_grant, session, subject, user};
use crate::{
    AnnouncedKey, ChangeError, ClientChange, Epoch, Identity, NewKeys, SealedSigningKey, SigningKeyChange, Target,
};

/// Realm and epoch are made once; whoever opens the store again gets those, whatever they bring.
pub async fn a_store_keeps_its_first_identity(trial: Trial) {
    let expected = Identity {
        realm: Trial::REALM,
        epochs: vec![Epoch { number: EpochNumber(1), random: Trial::EPOCH_RANDOM, recovery: None }],
    };
    assert_eq!(*trial.store.identity(), expected);
    let trial = trial.reopen().await;
    assert_eq!(*trial.store.identity(), expected);
}

/// Nothing that was acknowledged is missing after a restart, and nothing that was removed is back.
pub async fn everything_survives_closing_and_opening_again(trial: Trial) {
    let trial = trial.with_parties().await;
    let (kept, updated) = (grant(1), Grant { version: 2, ..least_grant(2) });
    let token = access_token(kept.id, 1);
    let announced = AnnouncedKey { kid: Kid(2), check_value: [1; 8] };
    let signing = SealedSigningKey {
        key_id: "key".to_owned(),
        algorithm: "EdDSA".to_owned(),
        sealed_under: announced.kid,
        sealed: vec![1; 100],
        created_at: Timestamp::from_milliseconds(1),
        signs_from: Timestamp::from_milliseconds(2),
        withdrawn_at: None,
    };
    let gone_at = Timestamp::from_milliseconds(3);
    let withdrawn = SealedSigningKey {
        key_id: "gone".to_owned(),
        sealed: Vec::new(),
        withdrawn_at: Some(gone_at),
        ..signing.clone()
    };
    trial.store.add_client(client("gone")).await.expect("the name is free");
    trial.store.change_client(&client_id("gone"), ClientChange::Remove).await.expect("it was added");
    let retired = AnnouncedKey { kid: Kid(1), check_value: [9; 8] };
    for key in [retired, announced] {
        trial.store.announce_key(key).await.expect("there is no key of this kid");
    }
    let keys = NewKeys { master: announced, signing: Vec::new(), withdrawn_at: gone_at };
    trial.store.replace_keys(keys).await.expect("it was announced");
    for key in [signing.clone(), SealedSigningKey { sealed: vec![1], withdrawn_at: None, ..withdrawn.clone() }] {
        trial.store.add_signing_key(key).await.expect("the store writes");
    }
    trial.store.change_signing_key("gone", SigningKeyChange::Withdraw(gone_at)).await.expect("it was added");
    trial.store.keep_session(session(1, "alice")).await.expect("there is no session of this name");
    trial.store.keep_consent(consent("alice", "app")).await.expect("user and client exist");
    trial.insert(&kept).await.expect("there is no grant of this name");
    trial.insert(&grant(2)).await.expect("there is no grant of this name");
    trial.update(&updated).await.expect("the version follows");
    let write = Write::ListAccessToken { id: token, until: None };
    trial.write(Target::AccessToken(token), write).await.expect("the store writes");

    let trial = trial.reopen().await.reopen().await;
    assert_eq!(trial.store.clients().await, Ok(vec![client("app")]));
    assert_eq!(trial.store.user(&subject("alice")).await, Ok(Some(user("alice"))));
    assert_eq!(trial.store.session(session(1, "alice").id).await, Ok(Some(session(1, "alice"))));
    assert_eq!(trial.store.consent(&subject("alice"), &client_id("app")).await, Ok(Some(consent("alice", "app"))));
    assert_eq!(trial.store.announced_keys().await, Ok(vec![announced]));
    let refusal = trial.store.announce_key(retired).await;
    assert!(matches!(refusal, Err(ChangeError::Taken(_))), "{refusal:?}");
    assert_eq!(trial.store.signing_keys().await, Ok(vec![signing, withdrawn]));
    assert_eq!(trial.grant(kept.id).await, Some(kept));
    assert_eq!(trial.grant(updated.id).await, Some(updated));
    let listed = trial.read(Target::AccessToken(token), |scene| scene.access_token_is_listed).await;
    assert_eq!(listed, Ok(true));
    let taken = trial.store.add_client(client("gone")).await;
    assert_eq!(taken, Err(ChangeError::Taken("gone".to_owned())));
}
