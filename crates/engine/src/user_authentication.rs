use regrant_crypto::{StoredPassword, random};
use regrant_protocol::{Secret, Subject, Username};
use regrant_store::{ChangeError, Credential, StoreError, User, UserChange, UserStatus};
use tracing::warn;

use crate::Overloaded;
use crate::{AuthorizationServer, TokenError};

/// Why nobody is logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserAuthenticationError {
    /// Only this is a failure to be counted.
    #[error("unknown user or wrong password")]
    Credentials,
    /// The right password of a user who is locked or disabled.
    #[error("the user is locked or disabled")]
    UserDisabled(Subject),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A browser with which this very user has logged in before.
    Known,
    /// Anybody.
    Stranger,
}

impl AuthorizationServer {
    /// Checks name and password. An unknown name costs the same work as a wrong password. A password that was taken over from
    /// another system is kept as Argon2id from now on. Who calls this has asked [`crate::failures::Failures`] before, and
    /// tells it afterwards.
    pub(crate) async fn authenticate_user(
        &self,
        caller: Caller,
        username: &str,
        password: &Secret,
    ) -> Result<User, UserAuthenticationError> {
        let user = match Username::parse(username) {
            Ok(username) => self.store.user_named(&username).await?,
            Err(_) => None,
        };
        let stored = user.as_ref().map(stored_password).transpose()?.flatten();
        let is_outdated = stored.as_ref().is_some_and(|stored| stored.is_to_be_replaced(password.expose().as_bytes()));
        let is_right = match (caller, stored) {
            (Caller::Known, Some(stored)) => self.hashing.verify(stored, password.clone()).await?,
            (Caller::Known | Caller::Stranger, stored) => {
                self.hashing.verify_for_stranger(stored, password.clone()).await?
            }
        };
        let user = user.filter(|_| is_right).ok_or(UserAuthenticationError::Credentials)?;
        let user = if is_outdated { self.rehash(user, password).await } else { user };
        match user.status {
            UserStatus::Active => Ok(user),
            UserStatus::Locked | UserStatus::Disabled => Err(UserAuthenticationError::UserDisabled(user.subject)),
        }
    }

    /// Keeps the password of a user who has just entered it as Argon2id, unless it is another by now. The login goes on if that
    /// fails: the next one tries again.
    async fn rehash(&self, user: User, password: &Secret) -> User {
        match self.try_to_rehash(&user, password).await {
            // Whoever marks a browser by the password marks it by what is kept from now on.
            Ok(Some(now)) if now.version == user.version => now,
            // What changed meanwhile is noticed by its version, where something is made for the user.
            Ok(_) => user,
            Err(error) => {
                warn!(user = %user.subject, %error, "the password of a user stays as another system hashed it");
                user
            }
        }
    }

    async fn try_to_rehash(&self, user: &User, password: &Secret) -> Result<Option<User>, RehashError> {
        let hash = self.hashing.hash(password.clone(), random(&*self.entropy)).await?;
        if let (Some(from), Some(hash)) = (user.credential.clone(), hash) {
            let to = Credential::new(hash.expose().to_owned());
            self.store.change_user(&user.subject, UserChange::Rehashed { from, to }).await?;
        }
        Ok(self.store.user(&user.subject).await.map_err(ChangeError::from)?)
    }
}

/// Why a password is kept as it was.
#[derive(Debug, thiserror::Error)]
enum RehashError {
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error(transparent)]
    Store(#[from] ChangeError),
}

/// What is kept of the user's password, where they have one.
fn stored_password(user: &User) -> Result<Option<StoredPassword>, StoreError> {
    let parsed = user.credential.as_ref().map(|credential| StoredPassword::parse(credential.expose()));
    parsed.transpose().map_err(|error| StoreError::Inconsistent {
        table: "users",
        column: "credential",
        row: user.subject.to_string(),
        problem: error.to_string(),
    })
}

impl From<UserAuthenticationError> for TokenError {
    fn from(error: UserAuthenticationError) -> Self {
        match error {
            UserAuthenticationError::Credentials => Self::Credentials,
            UserAuthenticationError::UserDisabled(_) => Self::UserDisabled,
            UserAuthenticationError::Overloaded(error) => Self::Overloaded(error),
            UserAuthenticationError::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::{ForeignHash, hash_password};

    use super::*;
    use crate::world::World;

    const PASSWORD: &str = "correct horse battery staple";

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// The world in which alice was taken over with `stored` as her password.
    async fn taken_over(stored: &StoredPassword) -> World {
        let world = World::new().await;
        let credential = Credential::new(stored.to_text());
        world
            .server
            .store
            .change_user(&world.alice, UserChange::Password { seen_version: None, credential })
            .await
            .unwrap();
        world
    }

    async fn alice(world: &World) -> User {
        world.server.store.user(&world.alice).await.unwrap().unwrap()
    }

    fn kept(user: &User) -> StoredPassword {
        stored_password(user).unwrap().unwrap()
    }

    fn bshaffer() -> StoredPassword {
        // php 8.2: sha1($password)
        StoredPassword::Foreign(ForeignHash::of_bshaffer("abf7aad6438836dbe526aa231abde2d0eef74d42").unwrap())
    }

    #[tokio::test]
    async fn a_password_that_was_taken_over_is_argon2id_after_the_first_login_and_logs_in_as_before() {
        // Of the same password by php 8.2, passlib 1.7 and hashlib.
        for text in [
            "sha1:abf7aad6438836dbe526aa231abde2d0eef74d42",
            "sha256:c5d37e80f8cf0aea15afdd5a7b2596954f07d6e4d3e3a36b6c26a557531a79f5:c2FsdA",
            "md5:c3a53bc4386523aa27cd585218aa993c:8lQ2cZ0JkEwT4rYxVbNhUgGpLsMdFoIa",
            "pbkdf2-sha1:1000:b10c3198f51d05a210c3a97f095d63bd2cdbc25d851e112616749ac3b33faafc:Vw6P+5bqkq9dsgBtMiZqLw==",
            "$2y$04$Fi9ZaWtCdXZ00PwKrxTOSe1pMhNc1zVEWsqSW/Tt75HUxWIabNn.G",
            "$P$5saltSALTg6fciLIMYNG5yjWIdDeVw0",
        ] {
            let world = taken_over(&StoredPassword::parse(text).unwrap()).await;
            let (server, before) = (&world.server, alice(&world).await);
            for (caller, username, password) in [
                (Caller::Known, "alice", "wrong"),
                (Caller::Stranger, "alice", "wrong"),
                (Caller::Stranger, "alice", ""),
                (Caller::Stranger, "nobody", PASSWORD),
            ] {
                let calls = server.hash_calls();
                let refused = server.authenticate_user(caller, username, &secret(password)).await;
                assert_eq!(refused, Err(UserAuthenticationError::Credentials), "{text}");
                assert_eq!(server.hash_calls() - calls, 1, "{text} of {username} with {password:?}");
            }
            assert_eq!(alice(&world).await, before, "{text}: a wrong password leaves it");

            let calls = server.hash_calls();
            let user = server.authenticate_user(Caller::Stranger, "alice", &secret(PASSWORD)).await.unwrap();
            assert_eq!(server.hash_calls() - calls, 1, "{text}: what makes the new hash is the only call");
            let after = alice(&world).await;
            assert_eq!(user, after, "{text}: who logs in is marked by what is kept");
            assert!(matches!(kept(&after), StoredPassword::Argon2id(_)), "{text}");
            assert_eq!(User { credential: before.credential.clone(), ..after.clone() }, before, "{text}: nothing else");
            for (password, is_right) in [(PASSWORD, true), ("wrong", false)] {
                let again = server.authenticate_user(Caller::Known, "alice", &secret(password)).await;
                assert_eq!(again.is_ok(), is_right, "{text}");
            }
            assert_eq!(alice(&world).await, after, "{text}: once is enough");
        }
    }

    #[tokio::test]
    async fn the_right_password_of_a_locked_user_costs_the_same() {
        for status in [UserStatus::Locked, UserStatus::Disabled] {
            let world = taken_over(&bshaffer()).await;
            world.server.store.change_user(&world.alice, UserChange::Status(status)).await.unwrap();
            let calls = world.server.hash_calls();
            let refused = world.server.authenticate_user(Caller::Stranger, "alice", &secret(PASSWORD)).await;
            assert_eq!(refused, Err(UserAuthenticationError::UserDisabled(world.alice.clone())));
            assert_eq!(world.server.hash_calls() - calls, 1);
            assert!(matches!(kept(&alice(&world).await), StoredPassword::Argon2id(_)));
        }
    }

    #[tokio::test]
    async fn what_bcrypt_did_not_look_at_is_not_hashed_anew() {
        // php 8.2: crypt(str_repeat('a', 80), '$2y$04$......................')
        let text = "$2y$04$......................UaUp2CqHXn14N7RprrzoDsNv91ahi36";
        let world = taken_over(&StoredPassword::parse(text).unwrap()).await;
        for bytes in [80, 79] {
            let password = secret(&"a".repeat(bytes));
            assert!(world.server.authenticate_user(Caller::Stranger, "alice", &password).await.is_ok());
            assert_eq!(kept(&alice(&world).await).to_text(), text);
        }
    }

    #[tokio::test]
    async fn a_change_that_came_between_wins() {
        let world = taken_over(&bshaffer()).await;
        let checked = alice(&world).await;
        let chosen = Credential::new(hash_password(b"chosen meanwhile", [7; 16]).unwrap().expose().to_owned());
        world
            .server
            .store
            .change_user(&world.alice, UserChange::Password { seen_version: None, credential: chosen.clone() })
            .await
            .unwrap();
        let user = world.server.rehash(checked.clone(), &secret(PASSWORD)).await;
        assert_eq!(alice(&world).await.credential, Some(chosen));
        assert_eq!(user, checked, "its version tells whoever makes something for the user");
    }

    #[tokio::test]
    async fn of_two_logins_at_once_both_know_what_is_kept() {
        let world = taken_over(&bshaffer()).await;
        let checked = alice(&world).await;
        let first = world.server.rehash(checked.clone(), &secret(PASSWORD)).await;
        let second = world.server.rehash(checked.clone(), &secret(PASSWORD)).await;
        assert_ne!(first.credential, checked.credential);
        assert_eq!((&first, &second), (&second, &alice(&world).await));
    }

    #[tokio::test]
    async fn a_login_goes_on_when_the_new_hash_cannot_be_kept() {
        let world = taken_over(&bshaffer()).await;
        let checked = alice(&world).await;
        world.server.store.change_user(&world.alice, UserChange::Remove).await.unwrap();
        assert!(world.server.try_to_rehash(&checked, &secret(PASSWORD)).await.is_err());
        assert_eq!(world.server.rehash(checked.clone(), &secret(PASSWORD)).await, checked);
    }
}
