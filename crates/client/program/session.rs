use anyhow::{Result, bail};
use regrant_client::{
    AccessToken, Credential, Demand, LogInReason, OAuthClient, Plan, Retry, Storage as _, Target, TokenError,
    TokenManager, TokenType, plan,
};
use regrant_protocol::{Clock as _, Scope, SystemClock, Timestamp};

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::error_text::error_text;
use crate::problem::Problem;
use crate::profile::{Grant, Profile};
use crate::profile_name::ProfileName;
use crate::state::State;
use crate::storage::ProfileStorage;

/// A profile, with all that it takes to use it.
pub(crate) struct Session {
    pub(crate) name: ProfileName,
    pub(crate) profile: Profile,
    pub(crate) client: OAuthClient,
    pub(crate) storage: ProfileStorage,
    tokens: TokenManager,
    /// Why the client cannot prove who it is: then nothing is sent.
    unproven: Option<String>,
}

/// An access token, and what is told with it.
pub(crate) struct Granted {
    pub(crate) token: AccessToken,
    pub(crate) token_type: TokenType,
    /// `None` when the server did not say.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) scope: Scope,
}

impl Session {
    /// The profile that was asked for.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(crate) fn open(common: &CommonOptions) -> Result<Self> {
        let (directory, name) = (Directory::find()?, common.profile()?);
        let profile = directory.required_profile(&name)?;
        Self::of(&directory, name, profile)
    }

    /// That profile.
    ///
    /// # Errors
    /// When somebody has changed it so that a token would be sent in the clear.
    pub(crate) fn of(directory: &Directory, name: ProfileName, profile: Profile) -> Result<Self> {
        let (client, unproven) = match profile.authentication.read() {
            Ok(authentication) => (profile.client()?.authenticated_by(authentication), None),
            Err(error) => (profile.client()?, Some(error_text(&error))),
        };
        let storage = ProfileStorage::open(directory, &name, profile.storage);
        let tokens = TokenManager::new(client.clone(), storage.clone());
        let tokens = match profile.grant {
            Grant::LogIn => tokens,
            Grant::ClientCredentials => tokens.by_client_credentials(profile.scope.clone()),
        };
        Ok(Self { name, profile, client, storage, tokens, unproven })
    }

    /// Whose tokens these are.
    ///
    /// # Errors
    /// As [`Session::check_authentication`]: it sends what it has to.
    pub(crate) fn tokens(&self) -> Result<&TokenManager> {
        self.check_authentication().map(|()| &self.tokens)
    }

    /// Fails where nothing can be sent.
    ///
    /// # Errors
    /// When the client's secret or key is not there.
    pub(crate) fn check_authentication(&self) -> Result<()> {
        self.unproven.as_ref().map_or(Ok(()), |cause| bail!("{cause}"))
    }

    /// The same session, whose tokens are for `target`.
    pub(crate) fn for_target(mut self, target: Option<Target>) -> Self {
        if let Some(target) = target {
            self.tokens = self.tokens.for_target(target);
        }
        self
    }

    /// A token that is valid now.
    ///
    /// # Errors
    /// When there is none, with what to do about it.
    pub(crate) async fn token(&self) -> Result<Granted> {
        if self.unproven.is_some() {
            return self.kept_token().await;
        }
        let token = self.tokens.access_token().await.map_err(|error| self.told(error))?;
        // What the server told about it lies where it is kept.
        let kept = self.storage.load().await.ok().flatten();
        Ok(self.granted(token, kept))
    }

    /// The token that is kept, as long as it serves: for that nobody has to prove anything.
    async fn kept_token(&self) -> Result<Granted> {
        let kept = self.storage.load().await?;
        State::of(&self.profile, kept.as_ref())?;
        let (renewal, target) = (self.profile.renewal(), Some(self.tokens.target()));
        let token = match plan(kept.as_ref(), SystemClock.now(), Demand { renewal, target, ..Demand::default() }) {
            Plan::Use(token) | Plan::RefreshInBackground(token) | Plan::Retry(Retry { serves: Some(token), .. }) => {
                token.clone()
            }
            Plan::LogIn(reason) => return Err(self.told(TokenError::LogIn(reason))),
            Plan::RefreshNow | Plan::Retry(_) | Plan::Wait(_) => {
                self.check_authentication()?;
                bail!("the server has to be asked for a token")
            }
        };
        Ok(self.granted(token, kept))
    }

    fn granted(&self, token: AccessToken, kept: Option<Credential>) -> Granted {
        let access = kept.as_ref().and_then(|kept| kept.access_for(Some(self.tokens.target())));
        let expires_at = access.filter(|access| access.token == token).and_then(|access| access.expires_at);
        let token_type = kept.as_ref().map_or(TokenType::Bearer, Credential::token_type);
        let asked = &self.tokens.target().scope;
        let own = kept.map_or_else(|| self.profile.scope.clone(), |kept| kept.scope);
        let scope = if asked.is_empty() { own } else { asked.clone() };
        Granted { token, token_type, expires_at, scope }
    }

    /// The same, where nobody could send a proof with it.
    ///
    /// # Errors
    /// As [`Session::token`]; and when the token is bound to a key.
    pub(crate) async fn bearer_token(&self) -> Result<Granted> {
        let granted = self.token().await?;
        if granted.token_type == TokenType::Dpop {
            bail!("the tokens of profile {} are bound to a key (DPoP), and of no use without its proofs", self.name);
        }
        Ok(granted)
    }

    /// A token after an API has refused this one, or the last one.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub(crate) async fn token_after_refusal(&self, refused: Option<&AccessToken>) -> Result<Granted> {
        self.check_authentication()?;
        let current = self.tokens.access_token().await.map_err(|error| self.told(error))?;
        self.tokens.invalidate(refused.unwrap_or(&current));
        self.token().await
    }

    /// The error with the command that helps.
    fn told(&self, error: TokenError) -> anyhow::Error {
        if let TokenError::LogIn(reason) = &error
            && *reason != LogInReason::NoCredential
        {
            return Problem::LogIn { name: self.name.clone(), reason: reason.clone() }.into();
        }
        error.into()
    }
}
