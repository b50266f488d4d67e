//! Clients, and what steps see of them.

use regrant_grant::Party;

use super::Trial;
use super::specimen::{access_token, bare_settings, client, client_id, grant, new_grant};
use crate::{ChangeError, Client, ClientChange, ClientHandle, Target};

/// Every setting comes back, at its extremes too.
pub async fn a_client_is_read_as_it_was_written(trial: Trial) {
    let bare = Client {
        party: Party { enabled: false, cutoff: u32::MAX, version: 0 },
        settings: bare_settings(),
        ..client("a bare one: %~")
    };
    for written in [client("app"), bare] {
        trial.store.add_client(written.clone()).await.expect("the name is free");
        assert_eq!(trial.store.client(&written.id).await, Ok(Some(written)));
    }
}

/// Names and handles are compared byte for byte.
pub async fn a_client_is_found_by_name_and_by_handle(trial: Trial) {
    let app = client("app");
    trial.store.add_client(app.clone()).await.expect("the name is free");
    trial.store.add_client(client("other")).await.expect("the name is free");
    assert_eq!(trial.store.client_with_handle(app.handle).await, Ok(Some(app.clone())));
    assert_eq!(trial.store.client_with_handle(ClientHandle([0xEE; 16])).await, Ok(None));
    assert_eq!(trial.store.client(&client_id("App")).await, Ok(None));
    assert_eq!(trial.store.client(&client_id("app ")).await, Ok(None));
}

/// New settings replace the old ones, and nothing else.
pub async fn a_changed_client_is_read_with_its_new_settings(trial: Trial) {
    let app = client("app");
    trial.store.add_client(app.clone()).await.expect("the name is free");
    assert_eq!(trial.store.change_client(&app.id, bare(app.party.version)).await, Ok(()));
    let expected = Client {
        settings: bare_settings(),
        party: Party { version: app.party.version + 1, ..app.party },
        ..app.clone()
    };
    assert_eq!(trial.store.client(&app.id).await, Ok(Some(expected)));
}

/// Whoever made new settings of what is not there any more would undo what others did meanwhile.
pub async fn settings_made_of_another_version_change_nothing(trial: Trial) {
    let app = client("app");
    trial.store.add_client(app.clone()).await.expect("the name is free");
    let seen = app.party.version;
    let outdated = Err(ChangeError::Outdated("app".to_owned()));
    for version in [0, seen - 1, seen + 1, u64::MAX / 2] {
        assert_eq!(trial.store.change_client(&app.id, bare(version)).await, outdated, "{version}");
    }
    assert_eq!(trial.store.client(&app.id).await, Ok(Some(app.clone())));
    for change in [ClientChange::Enabled(true), ClientChange::RaiseCutoff, bare(seen + 2)] {
        assert_eq!(trial.store.change_client(&app.id, change).await, Ok(()));
        assert_eq!(trial.store.change_client(&app.id, bare(seen)).await, outdated);
    }
    let changed = trial.store.client(&app.id).await.expect("the store reads").expect("it was not removed");
    assert_eq!((changed.settings, changed.party.version), (bare_settings(), seen + 3));
    let unknown = Err(ChangeError::Unknown("nobody".to_owned()));
    assert_eq!(trial.store.change_client(&client_id("nobody"), bare(0)).await, unknown);
}

/// A removed client cannot be found or changed any more.
pub async fn a_removed_client_is_gone_and_the_rest_are_listed_by_name(trial: Trial) {
    for name in ["b", "c", "a", "B"] {
        trial.store.add_client(client(name)).await.expect("the name is free");
    }
    let gone = client("b");
    assert_eq!(trial.store.change_client(&gone.id, ClientChange::Remove).await, Ok(()));
    assert_eq!(trial.store.client(&gone.id).await, Ok(None));
    assert_eq!(trial.store.client_with_handle(gone.handle).await, Ok(None));
    let listed = trial.store.clients().await.expect("the store reads");
    assert_eq!(listed, [client("B"), client("a"), client("c")]);
    for change in [ClientChange::Remove, ClientChange::Enabled(true), ClientChange::RaiseCutoff] {
        let refusal = trial.store.change_client(&gone.id, change).await;
        assert_eq!(refusal, Err(ChangeError::Unknown("b".to_owned())));
    }
}

/// Enabled flag, cutoff and version are those of this moment, whatever the step is about; every change raises the version.
pub async fn the_very_next_step_sees_a_change_of_the_client(trial: Trial) {
    let trial = trial.with_parties().await;
    let grant = grant(1);
    trial.insert(&grant).await.expect("there is no grant of this name");
    let token = access_token(grant.id, 1);
    let party = |enabled, cutoff, version| Some(Party { enabled, cutoff, version });
    for (change, expected) in [
        (None, party(true, 3, 7)),
        (Some(ClientChange::Enabled(false)), party(false, 3, 8)),
        (Some(ClientChange::Enabled(false)), party(false, 3, 9)),
        (Some(ClientChange::RaiseCutoff), party(false, 4, 10)),
        (Some(ClientChange::Enabled(true)), party(true, 4, 11)),
        (Some(bare(11)), party(true, 4, 12)),
        (Some(ClientChange::Remove), None),
    ] {
        if let Some(change) = change.clone() {
            assert_eq!(trial.store.change_client(&client_id("app"), change).await, Ok(()));
        }
        for target in [
            Target::Grant(grant.id),
            Target::AccessToken(token),
            Target::Client(client_id("app")),
            new_grant(2),
            Target::ClientAccessToken(client_id("app"), token),
        ] {
            let seen = trial.read(target.clone(), |scene| scene.surroundings.client).await;
            assert_eq!(seen, Ok(expected), "{change:?} {target:?}");
        }
    }
    assert_eq!(trial.grant(grant.id).await, Some(grant), "a grant outlives its client");
}

fn bare(seen_version: u64) -> ClientChange {
    ClientChange::Settings { seen_version, settings: Box::new(bare_settings()) }
}
