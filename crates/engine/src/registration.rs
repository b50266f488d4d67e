use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{ClientSecret, PASSWORD_BYTES_MAX, StoredSecret, random};
use regrant_grant::{CODE_RETRY_SECONDS_MAX, ClientKind, GrantSecret, Party, RotationMode};
use regrant_protocol::{
    ClientId, GrantType, IdentifierError, Profile, RedirectUri, Secret, Subject, TokenEndpointAuthMethod, Username,
};
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
    /// A public client proves with PKCE that it redeems its own code (RFC 9700 §2.1.1).
    #[error("a public client must use PKCE (RFC 9700 section 2.1.1); leave require_pkce = true")]
    PublicWithoutPkce,
    /// There is nowhere to send the user back to.
    #[error("a client with authorization_code needs a redirect URI, to which the user is sent back")]
    NoRedirectUri,
    /// RFC 8252 §8.4, §8.5: a secret that every copy of an app carries proves nothing.
    #[error(
        "redirect URI {0:?} belongs to an app on a device, which cannot keep a secret (RFC 8252 section 8.5); register a public client"
    )]
    PrivateUseScheme(RedirectUri),
    /// A longer time than a code may be redeemed again in.
    #[error("code_retry_seconds is {0}; the most is {CODE_RETRY_SECONDS_MAX}")]
    CodeRetrySeconds(u32),
    /// Without PKCE nothing tells the owner of a code from a thief.
    #[error(
        "code_retry_seconds needs require_pkce = true: only the verifier proves that a code is retried by its owner"
    )]
    CodeRetryWithoutPkce,
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

impl RegistrationError {
    /// The setting to change, as [`ClientSettings`] and its policy call it; `None` where it is none of the settings.
    #[must_use]
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::AuthMethods => Some("auth_methods"),
            Self::ClientCredentials => Some("grant_types"),
            Self::DefaultScope => Some("default_scope"),
            Self::Rotation => Some("rotation"),
            Self::PublicWithoutPkce => Some("require_pkce"),
            Self::NoRedirectUri | Self::PrivateUseScheme(_) => Some("redirect_uris"),
            Self::CodeRetrySeconds(_) | Self::CodeRetryWithoutPkce => Some("code_retry_seconds"),
            Self::Secret | Self::Name(..) | Self::Overloaded(_) | Self::Change(_) => None,
        }
    }
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

    pub(crate) async fn hash_chosen(&self, secret: Secret) -> Result<Credential, RegistrationError> {
        if secret.expose().is_empty() {
            return Err(RegistrationError::Secret);
        }
        let hash = self.hashing.hash(secret, random(&*self.entropy)).await?.ok_or(RegistrationError::Secret)?;
        Ok(Credential::new(hash.expose().to_owned()))
    }
}

/// Every rule that the settings of such a client break together; registration refuses with the first.
#[must_use]
pub fn broken_rules(kind: ClientKind, settings: &ClientSettings) -> Vec<RegistrationError> {
    let is_public = kind == ClientKind::Public;
    let mut broken = Vec::new();
    let mut rule = |is_broken: bool, error: RegistrationError| {
        if is_broken {
            broken.push(error);
        }
    };

    let is_misfit = |method: &TokenEndpointAuthMethod| (*method == TokenEndpointAuthMethod::None) != is_public;
    let methods = &settings.auth_methods;
    rule(methods.is_empty() || methods.iter().any(is_misfit), RegistrationError::AuthMethods);
    let acts_for_itself = settings.grant_types.contains(&GrantType::ClientCredentials);
    rule(is_public && acts_for_itself, RegistrationError::ClientCredentials);
    rule(!settings.default_scope.is_within(&settings.scope), RegistrationError::DefaultScope);
    let keeps_its_token = matches!(settings.policy.rotation, RotationMode::Reuse | RotationMode::Fork);
    rule(is_public && keeps_its_token, RegistrationError::Rotation);

    // The rules of the authorization code.
    rule(is_public && !settings.require_pkce, RegistrationError::PublicWithoutPkce);
    let has_codes = settings.grant_types.contains(&GrantType::AuthorizationCode);
    rule(has_codes && settings.redirect_uris.is_empty(), RegistrationError::NoRedirectUri);
    for uri in &settings.redirect_uris {
        rule(!is_public && uri.is_private_use(), RegistrationError::PrivateUseScheme(uri.clone()));
    }
    let retry_seconds = settings.policy.code_retry_seconds;
    rule(retry_seconds > CODE_RETRY_SECONDS_MAX, RegistrationError::CodeRetrySeconds(retry_seconds));
    rule(retry_seconds > 0 && !settings.require_pkce, RegistrationError::CodeRetryWithoutPkce);
    broken
}

/// Admits only what obeys every rule.
pub(crate) fn check(kind: ClientKind, settings: &ClientSettings) -> Result<(), RegistrationError> {
    broken_rules(kind, settings).into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_grant::Policy;
    use regrant_protocol::{Lifetime, Scope};

    #[test]
    fn every_broken_rule_is_told_with_the_setting_that_breaks_it() {
        let policy = Policy {
            rotation: RotationMode::Fork,
            retry_window_seconds: None,
            on_reuse: None,
            code_retry_seconds: CODE_RETRY_SECONDS_MAX + 1,
            access_lifetime: Lifetime::Never,
            idle_lifetime: Lifetime::Never,
            absolute_lifetime: Lifetime::Never,
        };
        let methods = vec![TokenEndpointAuthMethod::None, TokenEndpointAuthMethod::ClientSecretBasic];
        let grant_types = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
        let mut settings = ClientSettings::new(methods, grant_types, Scope::empty(), policy);
        settings.default_scope = Scope::parse("read").unwrap();
        settings.require_pkce = false;

        let told: Vec<_> = broken_rules(ClientKind::Public, &settings).iter().map(RegistrationError::setting).collect();
        let code = Some("code_retry_seconds");
        let expected = ["auth_methods", "grant_types", "default_scope", "rotation", "require_pkce", "redirect_uris"];
        assert_eq!(told, expected.into_iter().map(Some).chain([code, code]).collect::<Vec<_>>());

        settings.redirect_uris = vec![RedirectUri::parse("com.example.app:/callback").unwrap()];
        let told: Vec<_> =
            broken_rules(ClientKind::Confidential, &settings).iter().map(RegistrationError::setting).collect();
        assert_eq!(told, [Some("auth_methods"), Some("default_scope"), Some("redirect_uris"), code, code]);
    }
}
