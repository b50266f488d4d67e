//! What is left in the file of a user who was removed.

use std::sync::Arc;

use regrant_grant::{Realm, SessionId};
use regrant_protocol::{Profile, Subject, SystemClock, Timestamp, Username};
use regrant_store::{Credential, Session, Store, User, UserChange, UserStatus};
use regrant_store_sqlite::{Genesis, SqliteStore};
use rusqlite::Connection;

#[tokio::test]
async fn nothing_personal_is_left_of_a_removed_user_but_the_subject() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regrant.db");
    let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
    let store = SqliteStore::open(&path, genesis, Arc::new(SystemClock)).unwrap();
    let subject = Subject::parse("alice").unwrap();
    let user = User {
        subject: subject.clone(),
        username: Username::parse("alice@example").unwrap(),
        credential: Some(Credential::new("hash".to_owned())),
        status: UserStatus::Active,
        profile: Profile { name: Some("Alice".to_owned()), ..Profile::default() },
        cutoff: 0,
        version: 1,
    };
    let time = Timestamp::from_seconds(1);
    let session = Session {
        id: SessionId([1; 16]),
        secret_digest: [2; 32],
        user: subject.clone(),
        created_at: time,
        authenticated_at: time,
        expires_at: time,
    };
    store.add_user(user).await.unwrap();
    store.keep_session(session).await.unwrap();
    store.change_user(&subject, UserChange::Remove).await.unwrap();
    drop(store);

    let left: (String, Option<String>, Option<String>, String) = Connection::open(&path)
        .unwrap()
        .query_row("SELECT subject, username, credential, profile FROM users", [], |row| row.try_into())
        .unwrap();
    assert_eq!(left, ("alice".to_owned(), None, None, "{}".to_owned()));
}
