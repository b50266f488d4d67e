//! Names that are given once.

use super::Trial;
use super::specimen::{client, client_id, subject, user, username};
use crate::{ChangeError, ClientChange, User, UserChange};

/// RFC 9068 §5: client identifiers and subjects are one set of names, and removing frees none of them.
pub async fn a_name_is_never_given_again(trial: Trial) {
    let store = &trial.store;
    assert_eq!(store.add_client(client("app")).await, Ok(()));
    assert_eq!(store.add_user(user("alice")).await, Ok(()));
    for removed in [false, true] {
        if removed {
            assert_eq!(store.change_client(&client_id("app"), ClientChange::Remove).await, Ok(()));
            assert_eq!(store.change_user(&subject("alice"), UserChange::Remove).await, Ok(()));
        }
        for name in ["app", "alice"] {
            let taken = Err(ChangeError::Taken(name.to_owned()));
            assert_eq!(store.add_client(client(name)).await, taken, "client {name}, removed: {removed}");
            let other = User { username: username("another"), ..user(name) };
            assert_eq!(store.add_user(other).await, taken, "user {name}, removed: {removed}");
        }
    }
    assert_eq!(store.clients().await, Ok(Vec::new()));
    assert_eq!(store.user_named(&username("another")).await, Ok(None));
}

/// A login name is no subject: it may move to another person, and may be the name of a client.
pub async fn a_login_name_is_free_again_when_its_user_is_removed(trial: Trial) {
    let store = &trial.store;
    let alice = User { username: username("app"), ..user("alice") };
    let bob = User { username: username("app"), ..user("bob") };
    assert_eq!(store.add_client(client("app")).await, Ok(()));
    assert_eq!(store.add_user(alice).await, Ok(()));
    assert_eq!(store.add_user(bob.clone()).await, Err(ChangeError::Taken("app".to_owned())));
    assert_eq!(store.user(&bob.subject).await, Ok(None));
    assert_eq!(store.change_user(&subject("alice"), UserChange::Remove).await, Ok(()));
    assert_eq!(store.add_user(bob.clone()).await, Ok(()));
    assert_eq!(store.user_named(&bob.username).await, Ok(Some(bob)));
}
