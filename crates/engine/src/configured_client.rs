use regrant_crypto::{ClientSecret, StoredSecret, StoredSecretError};
use regrant_protocol::{ClientId, Secret};
use regrant_store::{ChangeError, Client, ClientSettings, Credential, StoreError};

use crate::administration::ATTEMPTS_MAX;
use crate::registration::check;
use crate::{AuthorizationServer, RegistrationError, Secrecy};

/// What [`AuthorizationServer::keep_client`] had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was no such client: it was registered.
    Registered,
    /// It was another in something, and is now as it was described.
    Changed,
    /// It was as described. Nothing was written.
    Unchanged,
}

impl AuthorizationServer {
    /// Sees to it that a client is as somebody describes it, who describes it again at every start. With
    /// [`Secrecy::Generated`] a client that has a secret keeps it. Whether the client is enabled stays as it is. Of nodes that
    /// start together, each may describe it. Returns the client as it is then, too.
    ///
    /// # Errors
    /// [`RegistrationError`] says which setting contradicts which rule, or that the identifier was another's once;
    /// [`ChangeError::Outdated`] when others were faster each time.
    pub async fn keep_client(
        &self,
        id: &ClientId,
        secrecy: Secrecy,
        settings: ClientSettings,
    ) -> Result<(Kept, Client), RegistrationError> {
        let _alone = self.administering.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            let (secrecy, settings) = (secrecy.clone(), settings.clone());
            let kept = match self.store.client(id).await.map_err(ChangeError::from)? {
                Some(client) => self.keep_known_client(client, secrecy, settings).await?,
                None => self.keep_new_client(id, secrecy, settings).await?,
            };
            if let Some(kept) = kept {
                return Ok(kept);
            }
        }
        Err(ChangeError::Outdated(id.to_string()).into())
    }

    /// Whether the secret of a client is the one that somebody describes.
    ///
    /// # Errors
    /// When too many secrets are being hashed, or what is kept of this one cannot be read.
    pub async fn has_secret(&self, client: &Client, secrecy: &Secrecy) -> Result<bool, RegistrationError> {
        match (secrecy, &client.settings.credential) {
            (Secrecy::Public, known) => Ok(known.is_none()),
            (Secrecy::Generated, known) => Ok(known.is_some()),
            (Secrecy::Chosen(_), None) => Ok(false),
            (Secrecy::Chosen(secret), Some(known)) => self.is_secret_of(client, known, secret).await,
        }
    }

    /// Registers the client; `None` when another node has done that meanwhile.
    async fn keep_new_client(
        &self,
        id: &ClientId,
        secrecy: Secrecy,
        settings: ClientSettings,
    ) -> Result<Option<(Kept, Client)>, RegistrationError> {
        match self.register(id.clone(), secrecy, settings).await {
            Err(RegistrationError::Change(ChangeError::Taken(_)))
                if self.store.client(id).await.map_err(ChangeError::from)?.is_some() =>
            {
                Ok(None)
            }
            registered => registered.map(|(client, _)| Some((Kept::Registered, client))),
        }
    }

    /// Changes what is another in the client; `None` when somebody else has changed it meanwhile.
    async fn keep_known_client(
        &self,
        client: Client,
        secrecy: Secrecy,
        mut settings: ClientSettings,
    ) -> Result<Option<(Kept, Client)>, RegistrationError> {
        check(secrecy.kind(), &settings)?;
        settings.credential = if self.has_secret(&client, &secrecy).await? {
            client.settings.credential.clone()
        } else {
            match secrecy {
                Secrecy::Public => None,
                Secrecy::Generated => return Err(RegistrationError::Secret),
                Secrecy::Chosen(secret) => Some(self.hash_chosen(secret).await?),
            }
        };
        if settings == client.settings {
            return Ok(Some((Kept::Unchanged, client)));
        }
        Ok(self.write_settings(&client, settings).await?.map(|changed| (Kept::Changed, changed)))
    }

    /// Whether `secret` is the one that is kept as `known`.
    async fn is_secret_of(
        &self,
        client: &Client,
        known: &Credential,
        secret: &Secret,
    ) -> Result<bool, RegistrationError> {
        let unreadable = |error: StoredSecretError| {
            ChangeError::from(StoreError::Inconsistent {
                table: "clients",
                column: "settings",
                row: client.id.to_string(),
                problem: error.to_string(),
            })
        };
        Ok(match StoredSecret::parse(known.expose()).map_err(unreadable)? {
            StoredSecret::Chosen(stored) => self.hashing.verify(stored, secret.clone()).await?,
            generated @ StoredSecret::Keyed(_) => ClientSecret::new(secret.expose())
                .is_ok_and(|secret| generated.matches_keyed(self.keys.ring().pepper(), &secret)),
        })
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::TokenEndpointAuthMethod;
    use regrant_store::ClientChange;

    use super::*;
    use crate::world::{World, settings};

    fn confidential() -> ClientSettings {
        ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretBasic], ..settings() }
    }

    fn chosen(secret: &str) -> Secrecy {
        Secrecy::Chosen(Secret::new(secret.to_owned()))
    }

    #[tokio::test]
    async fn only_what_is_another_is_written() {
        let world = World::new().await;
        let id = ClientId::parse("photos").unwrap();
        let named = ClientSettings { name: Some("Photos".to_owned()), ..confidential() };
        for (what, secrecy, settings, kept, version) in [
            ("new", chosen("one"), confidential(), Kept::Registered, 1),
            ("the same again", chosen("one"), confidential(), Kept::Unchanged, 1),
            ("another name", chosen("one"), named.clone(), Kept::Changed, 2),
            ("another secret", chosen("two"), named.clone(), Kept::Changed, 3),
            ("the same again", chosen("two"), named.clone(), Kept::Unchanged, 3),
            ("whatever secret it has", Secrecy::Generated, named, Kept::Unchanged, 3),
            ("no secret", Secrecy::Public, settings(), Kept::Changed, 4),
            ("the same again", Secrecy::Public, settings(), Kept::Unchanged, 4),
        ] {
            let (had_to, client) = world.server.keep_client(&id, secrecy, settings).await.unwrap();
            assert_eq!((had_to, client.party.version), (kept, version), "{what}");
            assert_eq!(world.server.store().client(&id).await, Ok(Some(client)), "{what}");
        }
    }

    #[tokio::test]
    async fn a_generated_secret_is_known_again() {
        let world = World::new().await;
        let id = ClientId::parse("photos").unwrap();
        let made = world.server.register_client(id.clone(), Secrecy::Generated, confidential()).await.unwrap().unwrap();
        let kept = world.server.keep_client(&id, chosen(made.expose()), confidential()).await;
        assert_eq!(kept.unwrap().0, Kept::Unchanged);
    }

    #[tokio::test]
    async fn whether_a_client_has_a_secret_depends_on_the_secret_and_not_on_its_hash() {
        let world = World::new().await;
        let id = ClientId::parse("photos").unwrap();
        let (_, client) = world.server.keep_client(&id, chosen("one"), confidential()).await.unwrap();
        world.server.rotate_client_secret(&id, Some(Secret::new("one".to_owned()))).await.unwrap();
        let anew = world.server.store().client(&id).await.unwrap().unwrap();
        assert_ne!(anew.settings.credential, client.settings.credential);
        let public = Client { settings: settings(), ..anew.clone() };
        for (client, secrecy, expected) in [
            (&client, chosen("one"), true),
            (&anew, chosen("one"), true),
            (&anew, chosen("two"), false),
            (&anew, Secrecy::Generated, true),
            (&anew, Secrecy::Public, false),
            (&public, Secrecy::Public, true),
            (&public, Secrecy::Generated, false),
            (&public, chosen("one"), false),
        ] {
            assert_eq!(world.server.has_secret(client, &secrecy).await, Ok(expected), "{secrecy:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_was_disabled_stays_so_and_a_broken_rule_changes_nothing() {
        let world = World::new().await;
        let id = ClientId::parse("app").unwrap();
        world.server.store().change_client(&id, ClientChange::Enabled(false)).await.unwrap();
        assert_eq!(world.server.keep_client(&id, chosen("one"), settings()).await, Err(RegistrationError::AuthMethods));
        let (kept, client) = world.server.keep_client(&id, chosen("one"), confidential()).await.unwrap();
        assert_eq!(kept, Kept::Changed);
        assert!(!client.party.enabled);
    }
}
