use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{ClientSecret, PASSWORD_BYTES_MAX, StoredSecret, random};
use regrant_grant::{ClientKind, GrantSecret, Party, RotationMode};
use regrant_protocol::{ClientId, GrantType, IdentifierError, Secret, Subject, TokenEndpointAuthMethod, Username};
use regrant_store::{ChangeError, Client, ClientChange, ClientHandle, ClientSettings, Credential, User, UserStatus};

use crate::AuthorizationServer;
use crate::hashing::Overloaded;

/// Where the secret of a new client comes from.
#[derive(Clone, Debug)]
pub enum Secrecy {
    /// A public client: it has none.
    Public,
    /// The server makes 256 random bits and shows them once.
    Generated,
    /// Somebody chose it.
    Chosen(Secret),
}

/// Why a client or user cannot be registered as it is described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// A public client with a method that needs a secret, or the other way round.
    #[error("a client has either a secret and client_secret_basic or client_secret_post, or no secret and none alone")]
    AuthMethods,
    /// RFC 6749 §4.4: only confidential clients act for themselves.
    #[error("a public client may not have client_credentials (RFC 6749 section 4.4)")]
    ClientCredentials,
    /// The default scope is not within the scope.
    #[error("the default scope is wider than the scope; name every default scope in scope too")]
    DefaultScope,
    /// `reuse` and `fork` need a sender that proves itself.
    #[error(
        "rotation reuse or fork needs a confidential client: the token of a public client must be rotated (RFC 9700 section 4.14.2)"
    )]
    Rotation,
    /// The secret or password cannot be used.
    #[error("the secret or password is empty or longer than {PASSWORD_BYTES_MAX} bytes")]
    Secret,
    /// The name cannot be used.
    #[error("{0:?} cannot be used as a name: {1}")]
    Name(String, IdentifierError),
    /// Too many hashes at once.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The name is taken, or the store failed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl AuthorizationServer {
    /// Registers a client; `settings.credential` is made from `secrecy`, whatever it says. Returns the secret that was generated, to be shown once.
    ///
    /// # Errors
    /// [`RegistrationError`] says which setting contradicts which rule, or that the name is taken.
    pub async fn register_client(
        &self,
        id: ClientId,
        secrecy: Secrecy,
        mut settings: ClientSettings,
    ) -> Result<Option<ClientSecret>, RegistrationError> {
        let kind = if matches!(secrecy, Secrecy::Public) { ClientKind::Public } else { ClientKind::Confidential };
        check(kind, &settings)?;
        let (credential, generated) = match secrecy {
            Secrecy::Public => (None, None),
            Secrecy::Generated => {
                let secret = ClientSecret::generate(&*self.entropy);
                let stored = StoredSecret::keyed(self.keys.ring().pepper(), &secret);
                (Some(Credential::new(stored.to_text())), Some(secret))
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
        self.store.add_client(client).await?;
        Ok(generated)
    }

    /// Gives a client new settings; its secret stays as it is, whatever `settings` say.
    ///
    /// # Errors
    /// [`RegistrationError`] says which setting contradicts which rule, or that there is no such client.
    pub async fn change_client(&self, id: &ClientId, mut settings: ClientSettings) -> Result<(), RegistrationError> {
        let found = self.store.client(id).await.map_err(ChangeError::from)?;
        let client = found.ok_or_else(|| ChangeError::Unknown(id.to_string()))?;
        let kind = if client.settings.is_public() { ClientKind::Public } else { ClientKind::Confidential };
        check(kind, &settings)?;
        settings.credential.clone_from(&client.settings.credential);
        if settings != client.settings {
            self.store.change_client(id, ClientChange::Settings(Box::new(settings))).await?;
        }
        Ok(())
    }

    /// Registers a user, with a subject of 128 random bits that tells nothing about them.
    ///
    /// # Errors
    /// [`RegistrationError`] when name or password cannot be used, or the name is taken.
    pub async fn register_user(&self, username: &str, password: Secret) -> Result<Subject, RegistrationError> {
        let name = |error| RegistrationError::Name(username.to_owned(), error);
        let username = Username::parse(username).map_err(name)?;
        let subject = URL_SAFE_NO_PAD.encode(random::<16>(&*self.entropy));
        let subject = Subject::parse(&subject).map_err(name)?;
        let credential = self.hash_chosen(password).await?;
        let user = User {
            subject: subject.clone(),
            username,
            credential: Some(credential),
            status: UserStatus::Active,
            cutoff: 0,
            version: 1,
        };
        self.store.add_user(user).await?;
        Ok(subject)
    }

    async fn hash_chosen(&self, secret: Secret) -> Result<Credential, RegistrationError> {
        if secret.expose().is_empty() {
            return Err(RegistrationError::Secret);
        }
        let hash = self.hashing.hash(secret, random(&*self.entropy)).await?.ok_or(RegistrationError::Secret)?;
        Ok(Credential::new(hash.expose().to_owned()))
    }
}

/// The rules that a client's settings obey together.
fn check(kind: ClientKind, settings: &ClientSettings) -> Result<(), RegistrationError> {
    let is_none = |method: &TokenEndpointAuthMethod| *method == TokenEndpointAuthMethod::None;
    let methods_fit = match kind {
        ClientKind::Public => settings.auth_methods.iter().all(is_none),
        ClientKind::Confidential => !settings.auth_methods.iter().any(is_none),
    };
    if !methods_fit || settings.auth_methods.is_empty() {
        return Err(RegistrationError::AuthMethods);
    }
    if kind == ClientKind::Public && settings.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(RegistrationError::ClientCredentials);
    }
    if !settings.default_scope.is_within(&settings.scope) {
        return Err(RegistrationError::DefaultScope);
    }
    let is_unsafe = matches!(settings.policy.rotation, RotationMode::Reuse | RotationMode::Fork);
    if kind == ClientKind::Public && is_unsafe {
        return Err(RegistrationError::Rotation);
    }
    Ok(())
}
