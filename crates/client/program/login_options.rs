use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use regrant_client::IssuerIdentifier;
use regrant_protocol::{ClientId, Resources, Scope};

use crate::client_authentication::{Audience, ClientAuthentication, KeyPlace, SecretPlace};
use crate::host_name::HostName;
use crate::person::PersonOptions;
use crate::profile::{Grant, Profile, Settings, StorageKind};
use crate::profile_name::ProfileName;

/// What `login` can be told. What is left out stays as it was at the last login of the profile.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginOptions {
    /// The server, exactly as it names itself.
    #[arg(value_name = "ISSUER")]
    issuer: Option<String>,
    /// The client, as it is registered at the server.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// What the tokens shall be good for, such as `read offline_access`; without it what the server gives.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The API that the tokens are for (RFC 8707); may be given more than once.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// Read the client's secret from this file, now and whenever it is needed; without it from REGRANT_TOKEN_CLIENT_SECRET,
    /// if that is set.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Send the client's secret in the form, for servers that do not take it in the header.
    #[arg(long)]
    client_secret_post: bool,
    /// Prove who the client is with this private key, as PEM or JWK, now and whenever it is needed (private_key_jwt).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client_secret_file", "client_secret_post"])]
    private_key_file: Option<PathBuf>,
    /// What the server calls that key.
    #[arg(long, value_name = "ID", requires = "private_key_file")]
    key_id: Option<String>,
    /// Whom the signatures of that key are meant for.
    #[arg(long, value_name = "WHOM", default_value = "issuer", requires = "private_key_file")]
    audience: Audience,
    /// Bind the tokens to a key that is made for them, so that a thief of a token alone has nothing (DPoP, RFC 9449).
    #[arg(long)]
    dpop: bool,
    #[command(flatten)]
    pub(crate) person: PersonOptions,
    /// Nobody logs in: the client has tokens of its own.
    #[arg(long, conflicts_with = "PersonOptions")]
    client_credentials: bool,
    /// Where the tokens are kept; without it in the keyring, if there is one.
    #[arg(long, value_name = "KIND")]
    pub(crate) storage: Option<StorageKind>,
    /// A host that git and Docker may be given the token for; may be given more than once.
    #[arg(long = "for", value_name = "HOST")]
    hosts: Vec<HostName>,
    /// The user that git and Docker are told with the token; `oauth2` without it.
    #[arg(long, value_name = "USER")]
    username: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token login https://id.example --client-id reports --scope 'read offline_access'
  regrant-token login https://id.example --client-id reports --name work --for git.example
  regrant-token login https://id.example --client-id job --client-credentials --client-secret-file job.secret
  regrant-token login --name work

A login with a browser comes back to http://127.0.0.1/callback, on a port that the system chooses: register that address at
the server. Without a terminal nobody is asked, and the login fails at once.";

impl LoginOptions {
    /// Where to log in.
    ///
    /// # Errors
    /// When nothing says it.
    pub(crate) fn issuer(&self, name: &ProfileName, before: Option<&Profile>) -> Result<IssuerIdentifier> {
        match (&self.issuer, before) {
            (Some(issuer), _) => Ok(IssuerIdentifier::parse(issuer)?),
            (None, Some(before)) => Ok(IssuerIdentifier::parse(&before.issuer)?),
            (None, None) => bail!(
                "there is no profile {name} yet: say where to log in, as in regrant-token login https://id.example"
            ),
        }
    }

    /// How tokens are to be had.
    pub(crate) fn grant(&self, before: Option<&Profile>) -> Grant {
        match before {
            _ if self.client_credentials => Grant::ClientCredentials,
            Some(before) if !self.person.is_said() => before.grant,
            _ => Grant::LogIn,
        }
    }

    /// All that this login settles.
    ///
    /// # Errors
    /// When something is missing, or wrong.
    pub(crate) fn settings(&self, before: Option<&Profile>, storage: StorageKind) -> Result<Settings> {
        let client_id = match (&self.client_id, before) {
            (Some(id), _) => ClientId::parse(id).context("--client-id")?,
            (None, Some(before)) => before.client_id.clone(),
            (None, None) => bail!("say which client logs in, as it is registered at the server: --client-id ID"),
        };
        let scope = match (&self.scope, before) {
            (Some(scope), _) => Scope::parse(scope).context("--scope")?,
            (None, before) => before.map_or_else(Scope::empty, |before| before.scope.clone()),
        };
        let resources = match before {
            Some(before) if self.resource.is_empty() => before.resources.clone(),
            _ => Resources::parse(self.resource.iter().map(String::as_str)).context("--resource")?,
        };
        let hosts = match before {
            Some(before) if self.hosts.is_empty() => before.hosts.clone(),
            _ => self.hosts.iter().map(ToString::to_string).collect(),
        };
        let username = self.username.clone().or_else(|| before.map(|before| before.username.clone()));
        let username = username.unwrap_or_else(|| USERNAME.to_owned());
        ensure!(!username.chars().any(char::is_control), "--username has a character that cannot be printed");
        let (authentication, grant) = (self.authentication(before)?, self.grant(before));
        if grant == Grant::ClientCredentials && authentication == ClientAuthentication::None {
            // RFC 6749 §4.4: a client without a secret has no tokens of its own.
            return Err(ClientAuthentication::missing());
        }
        Ok(Settings {
            client_id,
            scope,
            resources,
            authentication,
            grant,
            storage,
            dpop: self.dpop || before.is_some_and(|before| before.dpop),
            hosts,
            username,
        })
    }

    fn authentication(&self, before: Option<&Profile>) -> Result<ClientAuthentication> {
        if let Some(file) = &self.private_key_file {
            let place = KeyPlace::find(file, self.key_id.as_deref(), self.audience)?;
            return Ok(ClientAuthentication::PrivateKeyJwt(place));
        }
        let before = before.map(|before| &before.authentication);
        let is_posted = self.client_secret_post || matches!(before, Some(ClientAuthentication::ClientSecretPost(_)));
        match (SecretPlace::find(self.client_secret_file.as_deref())?, before) {
            (Some(place), _) if is_posted => Ok(ClientAuthentication::ClientSecretPost(place)),
            (Some(place), _) => Ok(ClientAuthentication::ClientSecretBasic(place)),
            (None, _) if self.client_secret_post => Err(ClientAuthentication::missing()),
            (None, Some(before)) => Ok(before.clone()),
            (None, None) => Ok(ClientAuthentication::None),
        }
    }
}

/// The user that git and Docker are told, where nobody has chosen one.
const USERNAME: &str = "oauth2";
