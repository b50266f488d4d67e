//! What users allowed clients.

use regrant_protocol::{Resources, Scope, Timestamp};

use super::Trial;
use super::specimen::{client, client_id, consent, subject, user};
use crate::{ChangeError, ClientChange, Consent, UserChange};

/// Every field comes back, at its extremes too, and the last consent counts.
pub async fn a_consent_is_read_as_it_was_last_written(trial: Trial) {
    let trial = trial.with_parties().await;
    let least = Consent {
        scope: Scope::empty(),
        resources: Resources::none(),
        given_at: Timestamp::from_milliseconds(i64::MIN),
        ..consent("alice", "app")
    };
    let (alice, app) = (subject("alice"), client_id("app"));
    assert_eq!(trial.store.consent(&alice, &app).await, Ok(None));
    for written in [consent("alice", "app"), least, consent("alice", "app")] {
        assert_eq!(trial.store.keep_consent(written.clone()).await, Ok(()));
        assert_eq!(trial.store.consent(&alice, &app).await, Ok(Some(written)));
    }
}

/// A consent is between a user and a client that the store knows.
pub async fn a_consent_of_an_unknown_user_or_client_is_refused(trial: Trial) {
    let trial = trial.with_parties().await;
    for (user, client) in [("nobody", "app"), ("alice", "nothing")] {
        let unknown = if user == "alice" { client } else { user };
        let refusal = trial.store.keep_consent(consent(user, client)).await;
        assert_eq!(refusal, Err(ChangeError::Unknown(unknown.to_owned())));
        assert_eq!(trial.store.consent(&subject(user), &client_id(client)).await, Ok(None));
    }
}

/// The consents of others, and those to other clients, stay.
pub async fn a_user_forgets_one_consent_or_all(trial: Trial) {
    let trial = trial.with_three_consents().await;
    let forget = async |client: Option<&str>| {
        let client = client.map(client_id);
        assert_eq!(trial.store.forget_consents(&subject("alice"), client.as_ref()).await, Ok(()));
    };
    forget(Some("nothing")).await;
    trial.expect_consents([true, true, true]).await;
    forget(Some("app")).await;
    forget(Some("app")).await;
    trial.expect_consents([false, true, true]).await;
    trial.store.keep_consent(consent("alice", "app")).await.expect("user and client exist");
    forget(None).await;
    trial.expect_consents([false, false, true]).await;
}

/// Nothing is kept of who was removed, and nobody can consent with them.
pub async fn consents_go_with_their_user_and_their_client(trial: Trial) {
    let trial = trial.with_three_consents().await;
    assert_eq!(trial.store.change_client(&client_id("app"), ClientChange::Remove).await, Ok(()));
    trial.expect_consents([false, true, false]).await;
    let refusal = trial.store.keep_consent(consent("alice", "app")).await;
    assert_eq!(refusal, Err(ChangeError::Unknown("app".to_owned())));

    assert_eq!(trial.store.change_user(&subject("alice"), UserChange::Remove).await, Ok(()));
    trial.expect_consents([false, false, false]).await;
    let refusal = trial.store.keep_consent(consent("alice", "other")).await;
    assert_eq!(refusal, Err(ChangeError::Unknown("alice".to_owned())));
}

const CONSENTS: [(&str, &str); 3] = [("alice", "app"), ("alice", "other"), ("bob", "app")];

impl Trial {
    async fn with_three_consents(self) -> Self {
        let trial = self.with_parties().await;
        trial.store.add_client(client("other")).await.expect("the name is free");
        trial.store.add_user(user("bob")).await.expect("the name is free");
        for (user, client) in CONSENTS {
            trial.store.keep_consent(consent(user, client)).await.expect("user and client exist");
        }
        trial
    }

    async fn expect_consents(&self, expected: [bool; 3]) {
        for ((user, client), is_kept) in CONSENTS.into_iter().zip(expected) {
            let found = self.store.consent(&subject(user), &client_id(client)).await;
            assert_eq!(found, Ok(is_kept.then(|| consent(user, client))), "{user}, {client}");
        }
    }
}
