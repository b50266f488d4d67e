use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{PASSWORD_BYTES_MAX, random};
use regrant_protocol::{Issuer, Profile, Secret, Subject, Username};
use regrant_store::{ChangeError, StoreError, User, UserChange, UserStatus};

use super::ATTEMPTS_MAX;
use crate::browser::is_guessable;
use crate::registration::check_profile;
use crate::{AuthorizationServer, NEW_PASSWORD_CHARACTERS_MIN, RegistrationError};

impl AuthorizationServer {
    /// Registers a user, with a subject of 128 random bits that tells nothing about them. `profile` is what clients may be told.
    ///
    /// # Errors
    /// [`RegistrationError`] when name or password cannot be used, or the name is taken.
    pub async fn register_user(
        &self,
        username: &str,
        password: Secret,
        profile: Profile,
    ) -> Result<Subject, RegistrationError> {
        let name = |error| RegistrationError::Name(username.to_owned(), error);
        let username = Username::parse(username).map_err(name)?;
        let subject = URL_SAFE_NO_PAD.encode(random::<16>(&*self.entropy));
        let subject = Subject::parse(&subject).map_err(name)?;
        check_password(&password, &username, &self.issuer)?;
        check_profile(&profile)?;
        let credential = self.hash_chosen(password).await?;
        let user = User {
            subject: subject.clone(),
            username,
            credential: Some(credential),
            status: UserStatus::Active,
            profile,
            cutoff: 0,
            version: 1,
        };
        self.store.add_user(user).await?;
        Ok(subject)
    }

    /// Gives a user the profile that `update` makes of the one they have, and returns the user as they are then. No other change
    /// comes between: where another node was faster, `update` is asked again.
    ///
    /// # Errors
    /// What `update` fails with; [`ChangeError::Outdated`] when others were faster each time; [`RegistrationError`] when people
    /// cannot be shown the profile, or there is no such user.
    pub async fn update_profile<E: From<RegistrationError>>(
        &self,
        user: &Subject,
        update: impl Fn(&Profile) -> Result<Profile, E>,
    ) -> Result<User, E> {
        let _alone = self.administering.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            let found = self.registered_user(user).await.map_err(RegistrationError::from)?;
            let profile = update(&found.profile)?;
            check_profile(&profile)?;
            if profile == found.profile {
                return Ok(found);
            }
            let change = UserChange::Profile { seen_version: found.version, profile: Box::new(profile.clone()) };
            match self.store.change_user(user, change).await {
                Ok(()) => return Ok(User { profile, version: found.version + 1, ..found }),
                Err(ChangeError::Outdated(_)) => {}
                Err(error) => return Err(RegistrationError::from(error).into()),
            }
        }
        Err(RegistrationError::from(ChangeError::Outdated(user.to_string())).into())
    }

    /// Gives a user another password. What the user has granted and begun lives on: see
    /// [`AuthorizationServer::end_everything_of_user`].
    ///
    /// # Errors
    /// [`RegistrationError`] when the password cannot be used, or there is no such user.
    pub async fn set_password(&self, user: &Subject, password: Secret) -> Result<(), RegistrationError> {
        let found = self.registered_user(user).await?;
        check_password(&password, &found.username, &self.issuer)?;
        let credential = self.hash_chosen(password).await?;
        Ok(self.store.change_user(user, UserChange::Password { seen_version: None, credential }).await?)
    }

    /// Ends all login sessions and grants of a user, and forgets what they allowed clients.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user. When the store failed, a part of it may have ended.
    pub async fn end_everything_of_user(&self, user: &Subject) -> Result<(), ChangeError> {
        // The grants last: a code that an old session or consent gives in between is below the cutoff.
        self.store.end_sessions(user, None).await?;
        self.store.forget_consents(user, None).await?;
        self.end_grants_of_user(user).await
    }

    /// Keeps a user from logging in and from using grants, until they are enabled. Nothing of theirs ends.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user.
    pub async fn lock_user(&self, user: &Subject) -> Result<(), ChangeError> {
        self.store.change_user(user, UserChange::Status(UserStatus::Locked)).await
    }

    /// As [`AuthorizationServer::lock_user`], and all login sessions end, with the grants that end with them. The other grants
    /// wait, for as long as the user is not enabled.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user.
    pub async fn disable_user(&self, user: &Subject) -> Result<(), ChangeError> {
        // The sessions last: none begins any more.
        self.store.change_user(user, UserChange::Status(UserStatus::Disabled)).await?;
        Ok(self.store.end_sessions(user, None).await?)
    }

    /// Lets a user who was locked or disabled log in and use grants again.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user.
    pub async fn enable_user(&self, user: &Subject) -> Result<(), ChangeError> {
        self.store.change_user(user, UserChange::Status(UserStatus::Active)).await
    }

    /// Removes a user for good, with profile, login sessions and consents; their grants give nothing any more. The subject is
    /// never given to another.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user.
    pub async fn remove_user(&self, user: &Subject) -> Result<(), ChangeError> {
        self.store.change_user(user, UserChange::Remove).await
    }

    async fn registered_user(&self, user: &Subject) -> Result<User, ChangeError> {
        let found: Result<_, StoreError> = self.store.user(user).await;
        found?.ok_or_else(|| ChangeError::Unknown(user.to_string()))
    }
}

/// Admits only what users may choose themselves.
fn check_password(password: &Secret, username: &Username, issuer: &Issuer) -> Result<(), RegistrationError> {
    let text = password.expose();
    if text.chars().count() < NEW_PASSWORD_CHARACTERS_MIN {
        Err(RegistrationError::PasswordTooShort)
    } else if text.len() > PASSWORD_BYTES_MAX {
        // Too much to be looked through.
        Err(RegistrationError::Secret)
    } else if is_guessable(text, username.as_str(), issuer) {
        Err(RegistrationError::PasswordGuessable)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::SessionId;
    use regrant_store::Session;

    use super::*;
    use crate::world::World;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn unknown<T>() -> Result<T, ChangeError> {
        Err(ChangeError::Unknown("nobody".to_owned()))
    }

    #[tokio::test]
    async fn a_password_that_cannot_be_is_not_set() {
        let world = World::new().await;
        let nobody = Subject::parse("nobody").unwrap();
        for (user, password, error) in [
            (&world.alice, "1234567", Some(RegistrationError::PasswordTooShort)),
            (&world.alice, "ééééééé", Some(RegistrationError::PasswordTooShort)),
            (&world.alice, &"x".repeat(1025), Some(RegistrationError::Secret)),
            (&world.alice, "Password2024!", Some(RegistrationError::PasswordGuessable)),
            (&world.alice, "alice1865", Some(RegistrationError::PasswordGuessable)),
            (&nobody, "looking-glass", Some(ChangeError::Unknown("nobody".to_owned()).into())),
            (&world.alice, "looking-glass", None),
        ] {
            let before = world.server.store.user(&world.alice).await.unwrap();
            let set = world.server.set_password(user, secret(password)).await;
            assert_eq!(set.err(), error, "{password}");
            let after = world.server.store.user(&world.alice).await.unwrap();
            assert_eq!(before == after, error.is_some(), "{password}");
        }
        let short = world.server.register_user("bob", secret("1234567"), Profile::default()).await;
        assert_eq!(short, Err(RegistrationError::PasswordTooShort));
        let named = world.server.register_user("bobby", secret("bobby-2026"), Profile::default()).await;
        assert_eq!(named, Err(RegistrationError::PasswordGuessable));
    }

    /// What an operator does to a user.
    #[derive(Clone, Copy, Debug)]
    enum Deed {
        Lock,
        Disable,
        Enable,
        SetPassword,
        EndGrants,
        EndEverything,
        Remove,
    }

    impl Deed {
        async fn act(self, world: &World) {
            let (server, user) = (&world.server, &world.alice);
            match self {
                Self::Lock => server.lock_user(user).await.unwrap(),
                Self::Disable => server.disable_user(user).await.unwrap(),
                Self::Enable => server.enable_user(user).await.unwrap(),
                Self::SetPassword => server.set_password(user, secret("looking-glass")).await.unwrap(),
                Self::EndGrants => server.end_grants_of_user(user).await.unwrap(),
                Self::EndEverything => server.end_everything_of_user(user).await.unwrap(),
                Self::Remove => server.remove_user(user).await.unwrap(),
            }
        }
    }

    #[tokio::test]
    async fn each_deed_ends_what_it_says_and_nothing_else() {
        for (deeds, refreshes, session_goes_on) in [
            (&[Deed::SetPassword][..], true, true),
            (&[Deed::Lock], false, true),
            (&[Deed::Lock, Deed::Enable], true, true),
            (&[Deed::Disable], false, false),
            (&[Deed::Disable, Deed::Enable], true, false),
            (&[Deed::EndGrants], false, true),
            (&[Deed::EndEverything], false, false),
            (&[Deed::Remove], false, false),
        ] {
            let world = World::new().await;
            let session = Session {
                id: SessionId([7; 16]),
                secret_digest: [8; 32],
                user: world.alice.clone(),
                created_at: world.now(),
                authenticated_at: world.now(),
                expires_at: world.now().plus_seconds(60),
            };
            world.server.store.keep_session(session).await.unwrap();
            let tokens = world.redeem(&world.code().await, "").await.unwrap();
            for deed in deeds {
                deed.act(&world).await;
            }
            assert_eq!(world.refresh(&tokens, "").await.is_ok(), refreshes, "{deeds:?}");
            let session = world.server.store.session(SessionId([7; 16])).await.unwrap();
            let goes_on = session.is_some_and(|session| session.expires_at > world.now());
            assert_eq!(goes_on, session_goes_on, "{deeds:?}");
        }
    }

    #[tokio::test]
    async fn only_a_user_that_there_is_can_be_changed() {
        let world = World::new().await;
        let (server, nobody) = (&world.server, Subject::parse("nobody").unwrap());
        let named = |name: &str| Profile { name: Some(name.to_owned()), ..Profile::default() };
        let update = |profile: Profile| move |_: &Profile| Ok::<_, RegistrationError>(profile.clone());
        let updated = server.update_profile(&world.alice, update(named("Alice L."))).await.unwrap();
        assert_eq!(updated.profile, named("Alice L."));
        assert_eq!(server.store.user(&world.alice).await.unwrap().unwrap().profile, named("Alice L."));

        let refused = server.update_profile(&nobody, update(named("Nobody"))).await;
        assert!(matches!(refused, Err(RegistrationError::Change(ChangeError::Unknown(_)))), "{refused:?}");
        for (name, page, claim) in [
            ("Alice\u{202e}", "", "name"),
            (&"x".repeat(201), "", "name"),
            ("Alice", "https://a.example/\n", "website"),
        ] {
            let profile = Profile { website: Some(page.to_owned()), ..named(name) };
            let refused = server.update_profile(&world.alice, update(profile.clone())).await.unwrap_err();
            assert!(matches!(&refused, RegistrationError::ProfileClaim(told, _) if told == claim), "{refused:?}");
            let password = Secret::new("wonderland".to_owned());
            assert_eq!(server.register_user("mallory", password, profile).await, Err(refused));
        }
        assert_eq!(server.lock_user(&nobody).await, unknown());
        assert_eq!(server.disable_user(&nobody).await, unknown());
        assert_eq!(server.enable_user(&nobody).await, unknown());
        assert_eq!(server.end_everything_of_user(&nobody).await, unknown());
        assert_eq!(server.remove_user(&nobody).await, unknown());
    }
}
