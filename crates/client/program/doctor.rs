//! `doctor`: looks at a server from outside, and says what its clients have to expect.

mod advice;
mod behaviour;
mod certificate;
mod documents;
mod keys;
mod observations;
mod report;
mod tap;
mod tls;

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use regrant_client::{Credential, Failure, IssuerIdentifier, OAuthClient, OAuthError, Provider, ReqwestTransport};
use regrant_protocol::{ClientId, Clock as _, Scope, Secret, SystemClock};

use crate::client_authentication::{ClientAuthentication, PASSWORD_VARIABLE, SecretPlace};
use crate::common_options::CommonOptions;
use crate::error_text::error_text;
use crate::person::PersonOptions;
use crate::problem::Problem;

use advice::findings;
use behaviour::Behaviour;
use observations::{Observations, Refresh, Tls};
use tap::Tap;

/// What `doctor` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorOptions {
    /// The server, exactly as it names itself.
    #[arg(value_name = "ISSUER")]
    issuer: String,
    /// Log in as this client, and try with a session of its own how refresh tokens behave. The session ends with the look.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Log in with this user's password, which is in REGRANT_TOKEN_PASSWORD; without it with a browser.
    #[arg(long, value_name = "NAME", requires = "client_id")]
    username: Option<String>,
    /// What the session is to be good for, such as `offline_access`.
    #[arg(long, value_name = "SCOPE", default_value = "", requires = "client_id")]
    scope: String,
    /// Read the client's secret from this file; without it from REGRANT_TOKEN_CLIENT_SECRET, if that is set.
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Send the client's secret in the form, for servers that do not take it in the header.
    #[arg(long, requires = "client_id")]
    client_secret_post: bool,
    #[command(flatten)]
    person: PersonOptions,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token doctor https://id.example
  regrant-token doctor https://id.example --client-id reports --scope offline_access
  regrant-token doctor https://id.example --json | jq '.findings[] | select(.grade == \"bad\")'

With --client-id it logs in, refreshes, loses an answer on purpose, and shows a spent token: use a user and a client that
nobody else needs meanwhile. Exit codes: 0 nothing bad was found, 1 something was, 5 the server cannot be reached.";

/// Looks whether a server is fit for clients that must not lose a session.
///
/// # Errors
/// When the server cannot be reached, or something is bad.
pub(crate) async fn run(common: &CommonOptions, options: DoctorOptions) -> Result<()> {
    let issuer = IssuerIdentifier::parse(&options.issuer)?;
    let transport = Arc::new(ReqwestTransport::new()?);
    let write = |seen: &Observations| report::write(common.output(), seen, &findings(seen, SystemClock.now()));
    let (documents, clock_offset_seconds) = match documents::look(&issuer, &*transport).await {
        Ok(looked) => looked,
        Err(error) => match tls::look(&issuer).await {
            tls @ Tls::Untrusted { .. } => {
                return write(&Observations::of_certificate(issuer.as_str().to_owned(), tls));
            }
            Tls::None | Tls::Some { .. } | Tls::Failed { .. } => return Err(error),
        },
    };
    let metadata = documents.iter().find_map(|document| document.metadata());
    let jwks_uri = metadata.and_then(|metadata| metadata.jwks_uri.clone());
    let seen = Observations {
        keys: keys::look(jwks_uri.as_deref(), &*transport).await,
        tls: tls::look(&issuer).await,
        refresh: options.refresh(common, &issuer).await?,
        issuer: issuer.as_str().to_owned(),
        documents,
        clock_offset_seconds,
    };
    write(&seen)
}

impl DoctorOptions {
    /// How refresh tokens behave, tried with a session that is given up afterwards.
    async fn refresh(&self, common: &CommonOptions, issuer: &IssuerIdentifier) -> Result<Refresh> {
        let Some(client_id) = &self.client_id else { return Ok(Refresh::NotTried) };
        let tap = Arc::new(Tap::new(ReqwestTransport::new()?));
        let provider = match Provider::discover(issuer, &*tap).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Refresh::NoLogin { cause: error.to_string() }),
        };
        let client_id = ClientId::parse(client_id).context("--client-id")?;
        let client = OAuthClient::new(provider, client_id, Arc::clone(&tap) as _)
            .authenticated_by(self.authentication()?.read()?);
        let credential = match self.log_in(common, &client).await {
            Ok(credential) => credential,
            // Nobody to ask is a fault of the call, not of the server.
            Err(error) if error.is::<Problem>() => return Err(error),
            Err(error) if self.username.is_some() && is_without_grant(&error) => {
                return Ok(Refresh::NoPasswordGrant { cause: error_text(&error) });
            }
            Err(error) => return Ok(Refresh::NoLogin { cause: error_text(&error) }),
        };
        Ok(Behaviour::of(&client, &tap, &credential).await.map_or(Refresh::NoToken, Refresh::Tried))
    }

    async fn log_in(&self, common: &CommonOptions, client: &OAuthClient) -> Result<Credential> {
        let scope = Scope::parse(&self.scope).context("--scope")?;
        let Some(username) = &self.username else {
            return self.person.log_in(common, client, &scope).await;
        };
        let Ok(password) = env::var(PASSWORD_VARIABLE) else {
            bail!("the password of {username} is not there: set {PASSWORD_VARIABLE}");
        };
        Ok(client.password(username, &Secret::new(password), &scope).await?)
    }

    fn authentication(&self) -> Result<ClientAuthentication> {
        Ok(match SecretPlace::find(self.client_secret_file.as_deref())? {
            None => ClientAuthentication::None,
            Some(place) if self.client_secret_post => ClientAuthentication::ClientSecretPost(place),
            Some(place) => ClientAuthentication::ClientSecretBasic(place),
        })
    }
}

/// Whether the server has no such login for this client, which says nothing against the server.
fn is_without_grant(error: &anyhow::Error) -> bool {
    let is_code =
        |refused: &OAuthError| ["unauthorized_client", "unsupported_grant_type"].contains(&refused.error.as_str());
    match error.downcast_ref::<Failure>() {
        Some(Failure::Terminal(refused) | Failure::ReRegister(refused) | Failure::Configuration(refused)) => {
            is_code(refused)
        }
        Some(Failure::TokenType(_) | Failure::TooLong(_) | Failure::Temporary(_)) | None => false,
    }
}
