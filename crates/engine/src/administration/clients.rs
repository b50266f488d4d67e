use regrant_crypto::{ClientSecret, StoredSecret, random};
use regrant_grant::{ClientKind, GrantSecret, Party};
use regrant_protocol::{ClientId, Secret};
use regrant_store::{ChangeError, Client, ClientChange, ClientHandle, ClientSettings, Credential};

use super::ATTEMPTS_MAX;
use crate::registration::check;
use crate::{AuthorizationServer, RegistrationError, Secrecy};

impl AuthorizationServer {
    /// Registers a client; `settings.credential` is made from `secrecy`, whatever it says. Returns the secret that was generated, to be shown once.
    ///
    /// # Errors
    /// [`RegistrationError`] says which setting contradicts which rule, or that the name is taken.
    pub async fn register_client(
        &self,
        id: ClientId,
        secrecy: Secrecy,
        settings: ClientSettings,
    ) -> Result<Option<ClientSecret>, RegistrationError> {
        Ok(self.register(id, secrecy, settings).await?.1)
    }

    /// The same, with the client.
    pub(crate) async fn register(
        &self,
        id: ClientId,
        secrecy: Secrecy,
        mut settings: ClientSettings,
    ) -> Result<(Client, Option<ClientSecret>), RegistrationError> {
        check(secrecy.kind(), &settings)?;
        let (credential, generated) = match secrecy {
            Secrecy::Public => (None, None),
            Secrecy::Generated => {
                let (credential, secret) = self.generate_secret();
                (Some(credential), Some(secret))
            }
            Secrecy::Chosen(secret) => (Some(self.hash_chosen(secret).await?), None),
        };
        settings.credential = credential;
        let client = Client {
            id,
            handle: ClientHandle(random(&*self.entropy)),
            secret: GrantSecret::new(random(&*self.entropy)),
            party: Party { enabled: true, cutoff: 0, version: 1 },
            settings,
        };
        self.store.add_client(client.clone()).await?;
        Ok((client, generated))
    }

    /// Gives a client new settings; its secret stays as it is, whatever `settings` say.
    ///
    /// # Errors
    /// [`RegistrationError`] says which setting contradicts which rule, or that there is no such client.
    pub async fn change_client(&self, id: &ClientId, settings: ClientSettings) -> Result<(), RegistrationError> {
        self.update_client(id, |_| Ok::<_, RegistrationError>(settings.clone())).await.map(drop)
    }

    /// Gives a client the settings that `update` makes of those it has, and returns it as it is then. No other change comes
    /// between: where another node was faster, `update` is asked again. The secret stays as it is.
    ///
    /// # Errors
    /// What `update` fails with; [`ChangeError::Outdated`] when others were faster each time; and as
    /// [`AuthorizationServer::change_client`].
    pub async fn update_client<E: From<RegistrationError>>(
        &self,
        id: &ClientId,
        update: impl Fn(&Client) -> Result<ClientSettings, E>,
    ) -> Result<Client, E> {
        let _alone = self.administering.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            let client = self.registered_client(id).await?;
            let mut settings = update(&client)?;
            check(kind(&client), &settings)?;
            settings.credential.clone_from(&client.settings.credential);
            if settings == client.settings {
                return Ok(client);
            }
            if let Some(changed) = self.write_settings(&client, settings).await.map_err(RegistrationError::from)? {
                return Ok(changed);
            }
        }
        Err(RegistrationError::from(ChangeError::Outdated(id.to_string())).into())
    }

    /// Gives a client another secret: `chosen`, or else one that is generated and returned. The old one is refused from now on.
    ///
    /// # Errors
    /// [`RegistrationError::PublicSecret`] for a public client; [`RegistrationError::Secret`] when `chosen` cannot be one;
    /// [`ChangeError::Outdated`] when others were faster each time; and when there is no such client.
    pub async fn rotate_client_secret(
        &self,
        id: &ClientId,
        chosen: Option<Secret>,
    ) -> Result<Option<ClientSecret>, RegistrationError> {
        let _alone = self.administering.lock().await;
        if self.registered_client(id).await?.settings.is_public() {
            return Err(RegistrationError::PublicSecret);
        }
        let (credential, generated) = match chosen {
            Some(chosen) => (self.hash_chosen(chosen).await?, None),
            None => {
                let (credential, secret) = self.generate_secret();
                (credential, Some(secret))
            }
        };
        for _ in 0..ATTEMPTS_MAX {
            let client = self.registered_client(id).await?;
            if client.settings.is_public() {
                return Err(RegistrationError::PublicSecret);
            }
            let settings = ClientSettings { credential: Some(credential.clone()), ..client.settings.clone() };
            if self.write_settings(&client, settings).await?.is_some() {
                return Ok(generated);
            }
        }
        Err(ChangeError::Outdated(id.to_string()).into())
    }

    /// Keeps a client from having tokens, or lets it have them again. Its grants wait meanwhile.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such client.
    pub async fn set_client_enabled(&self, id: &ClientId, is_enabled: bool) -> Result<(), ChangeError> {
        self.store.change_client(id, ClientChange::Enabled(is_enabled)).await
    }

    /// Removes a client for good, with what users allowed it. Its name is never given to another.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such client.
    pub async fn remove_client(&self, id: &ClientId) -> Result<(), ChangeError> {
        self.store.change_client(id, ClientChange::Remove).await
    }

    pub(crate) async fn registered_client(&self, id: &ClientId) -> Result<Client, RegistrationError> {
        let found = self.store.client(id).await.map_err(ChangeError::from)?;
        Ok(found.ok_or_else(|| ChangeError::Unknown(id.to_string()))?)
    }

    /// Gives a client that was read new settings, and returns it as it is then; `None` when it has been changed since, and so was left
    /// as it is.
    pub(crate) async fn write_settings(
        &self,
        read: &Client,
        settings: ClientSettings,
    ) -> Result<Option<Client>, ChangeError> {
        let seen_version = read.party.version;
        let change = ClientChange::Settings { seen_version, settings: Box::new(settings.clone()) };
        match self.store.change_client(&read.id, change).await {
            Ok(()) => {
                // Not every call comes as far as the step that would find the change.
                self.clients.doubt();
                let party = Party { version: seen_version + 1, ..read.party };
                Ok(Some(Client { settings, party, ..read.clone() }))
            }
            Err(ChangeError::Outdated(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn generate_secret(&self) -> (Credential, ClientSecret) {
        let secret = ClientSecret::generate(&*self.entropy);
        let stored = StoredSecret::keyed(self.keys.ring().pepper(), &secret);
        (Credential::new(stored.to_text()), secret)
    }

    pub(crate) async fn hash_chosen(&self, secret: Secret) -> Result<Credential, RegistrationError> {
        if secret.expose().is_empty() {
            return Err(RegistrationError::Secret);
        }
        let hash = self.hashing.hash(secret, random(&*self.entropy)).await?.ok_or(RegistrationError::Secret)?;
        Ok(Credential::new(hash.expose().to_owned()))
    }
}

fn kind(client: &Client) -> ClientKind {
    if client.settings.is_public() { ClientKind::Public } else { ClientKind::Confidential }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{ClientAuthentication, GrantType, TokenEndpointAuthMethod};

    use super::*;
    use crate::TokenError;
    use crate::world::{World, settings};

    fn id() -> ClientId {
        ClientId::parse("service").unwrap()
    }

    async fn register(world: &World, secrecy: Secrecy) -> Option<ClientSecret> {
        let settings = ClientSettings {
            auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost],
            grant_types: vec![GrantType::ClientCredentials],
            redirect_uris: Vec::new(),
            ..settings()
        };
        world.server.register_client(id(), secrecy, settings).await.unwrap()
    }

    /// Whether the token endpoint and introspection take a secret; they have to agree.
    async fn is_accepted(world: &World, secret: &str) -> bool {
        let form = format!("grant_type=client_credentials&client_id=service&client_secret={secret}");
        let by_token_endpoint = world.token(&form).await;
        let claimed = ClientAuthentication {
            client_id: id(),
            secret: Some(Secret::new(secret.to_owned())),
            method: TokenEndpointAuthMethod::ClientSecretPost,
        };
        let by_introspection = world.server.authenticate(&world.context(), &claimed).await;
        assert_eq!(by_token_endpoint.is_ok(), by_introspection.is_ok());
        match by_token_endpoint {
            Ok(_) => true,
            Err(TokenError::ClientNotAuthenticated(_)) => false,
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_new_secret_is_accepted_and_the_old_one_refused_at_once() {
        for (first, second) in [(None, None), (None, Some("looking-glass")), (Some("wonderland"), None)] {
            let world = World::new().await;
            let chosen = |secret: &str| Secret::new(secret.to_owned());
            let secrecy = first.map_or(Secrecy::Generated, |first| Secrecy::Chosen(chosen(first)));
            let made = register(&world, secrecy).await;
            let old = first.unwrap_or_else(|| made.as_ref().unwrap().expose()).to_owned();
            assert!(is_accepted(&world, &old).await, "{first:?}");

            let made = world.server.rotate_client_secret(&id(), second.map(chosen)).await.unwrap();
            assert_eq!(made.is_some(), second.is_none());
            let new = second.unwrap_or_else(|| made.as_ref().unwrap().expose());
            assert!(!is_accepted(&world, &old).await, "{first:?}");
            assert!(is_accepted(&world, new).await, "{second:?}");
        }
    }

    #[tokio::test]
    async fn only_who_has_a_secret_gets_another() {
        let world = World::new().await;
        register(&world, Secrecy::Generated).await;
        let empty = Some(Secret::new(String::new()));
        let nobody = RegistrationError::from(ChangeError::Unknown("nobody".to_owned()));
        for (id, chosen, error) in [
            ("app", None, RegistrationError::PublicSecret),
            ("service", empty, RegistrationError::Secret),
            ("nobody", None, nobody),
        ] {
            let rotated = world.server.rotate_client_secret(&ClientId::parse(id).unwrap(), chosen).await;
            assert_eq!(rotated.err(), Some(error), "{id}");
        }
    }

    #[tokio::test]
    async fn an_update_keeps_the_secret_and_one_that_fails_changes_nothing() {
        let world = World::new().await;
        let secret = register(&world, Secrecy::Generated).await.unwrap();
        let renamed = |client: &Client| ClientSettings {
            name: Some("Service".to_owned()),
            credential: None,
            ..client.settings.clone()
        };
        let updated = world.server.update_client(&id(), |client| Ok::<_, RegistrationError>(renamed(client))).await;
        assert_eq!(updated.unwrap().settings.name.as_deref(), Some("Service"));
        assert!(is_accepted(&world, secret.expose()).await);

        let version = async || world.server.store.client(&id()).await.unwrap().unwrap().party.version;
        let before = version().await;
        let broken = |client: &Client| ClientSettings { auth_methods: Vec::new(), ..renamed(client) };
        for error in [RegistrationError::AuthMethods, RegistrationError::Secret] {
            let told = error.clone();
            let update = |client: &Client| {
                if told == RegistrationError::Secret { Err(told.clone()) } else { Ok(broken(client)) }
            };
            assert_eq!(world.server.update_client(&id(), update).await.err(), Some(error));
        }
        assert_eq!(version().await, before);
    }

    #[tokio::test]
    async fn a_client_that_is_disabled_waits_and_one_that_is_removed_is_gone() {
        let world = World::new().await;
        let app = ClientId::parse("app").unwrap();
        let mut tokens = world.redeem(&world.code().await, "").await.unwrap();
        for is_enabled in [false, true] {
            world.server.set_client_enabled(&app, is_enabled).await.unwrap();
            let refreshed = world.refresh(&tokens, "").await;
            assert_eq!(refreshed.is_ok(), is_enabled);
            tokens = refreshed.unwrap_or(tokens);
        }
        world.server.remove_client(&app).await.unwrap();
        assert!(matches!(world.refresh(&tokens, "").await, Err(TokenError::ClientNotAuthenticated(_))));
        let gone = Err(ChangeError::Unknown("app".to_owned()));
        assert_eq!(world.server.remove_client(&app).await, gone);
        assert_eq!(world.server.set_client_enabled(&app, true).await, gone);
        let again = world.server.register_client(app, Secrecy::Public, settings()).await;
        assert_eq!(again.err(), Some(ChangeError::Taken("app".to_owned()).into()));
    }

    /// As WSO2 keeps a secret, and as Joomla kept passwords.
    #[tokio::test]
    async fn a_secret_that_another_system_hashed_is_accepted_and_remembered() {
        // python3: hashlib.sha256(b"pomegranate").hexdigest(), hashlib.md5(b"pomegranate" + b"salt").hexdigest()
        for text in [
            "sha256:cdc56610ee59993ee752f47de6bf28086441a2b5c9a8ef0bfdcce632c760d7b2",
            "md5:7f4aa6f0e099f88c55f6f125d68ea94d:salt",
        ] {
            let world = World::new().await;
            register(&world, Secrecy::Generated).await;
            let client = world.server.registered_client(&id()).await.unwrap();
            let credential = Some(Credential::new(text.to_owned()));
            let settings = ClientSettings { credential, ..client.settings.clone() };
            assert!(world.server.write_settings(&client, settings).await.unwrap().is_some());
            let calls = world.server.hash_calls();
            assert!(!is_accepted(&world, "wrong").await, "{text}");
            assert_eq!(world.server.hash_calls() - calls, 2, "{text}: one for each place that was asked");
            assert!(is_accepted(&world, "pomegranate").await, "{text}");
            let cached = world.server.clients.find(&*world.server.store, &id()).await.unwrap().unwrap();
            let right = ClientSecret::new("pomegranate").unwrap();
            assert!(cached.accepts(&world.server.process_pepper, &right), "{text}");
            assert!(!is_accepted(&world, "wrong").await, "{text}");
            assert_eq!(world.server.hash_calls() - calls, 4, "{text}: a right one needs none");
        }
    }
}
