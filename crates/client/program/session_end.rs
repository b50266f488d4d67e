//! How a session ends at its server.

use std::sync::Arc;

use anyhow::Result;
use regrant_client::{Credential, Failure, OAuthClient, Provider, ReqwestTransport};

use crate::error_text::error_text;
use crate::profile::Profile;

/// What became of a session at its server, the better first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionEnd {
    /// There was nothing to end.
    NothingToRevoke,
    /// The server has ended it.
    Revoked,
    /// The server has no way to: the session lives there until it expires.
    NotOffered,
    /// The server did not confirm it, for this reason.
    Unconfirmed(String),
}

impl SessionEnd {
    /// Ends the session of tokens that are kept no more, whatever is still known of their client.
    ///
    /// Without a profile of theirs the server is asked for its metadata, and told the client's name alone.
    pub(crate) async fn of(removed: &Credential, profile: Option<&Profile>) -> Self {
        let client = match profile.filter(|profile| profile.owns(removed)) {
            Some(profile) => {
                profile.client().and_then(|client| Ok(client.authenticated_by(profile.authentication.read()?)))
            }
            None => found_client(removed).await,
        };
        match client {
            Ok(client) => Self::at(&client, removed).await,
            Err(_) if !has_tokens(removed) => Self::NothingToRevoke,
            Err(error) => Self::Unconfirmed(error_text(&error)),
        }
    }

    /// Ends the session of `credential` as that client.
    pub(crate) async fn at(client: &OAuthClient, credential: &Credential) -> Self {
        match revoke(client, credential).await {
            Ok(None) => Self::NothingToRevoke,
            Ok(Some(true)) => Self::Revoked,
            Ok(Some(false)) => Self::NotOffered,
            Err(failure) => Self::Unconfirmed(failure.to_string()),
        }
    }
}

/// Revokes the refresh token, or else the access tokens; `None` where there are none, `Some(false)` where the server offers no way.
///
/// # Errors
/// When the server did not confirm it.
pub(crate) async fn revoke(client: &OAuthClient, credential: &Credential) -> Result<Option<bool>, Failure> {
    if let Some(token) = &credential.refresh_token {
        return client.revoke(token).await.map(Some);
    }
    let narrowed = credential.narrowed.iter().map(|own| &own.access);
    let mut is_revoked = None;
    for access in credential.access.iter().chain(narrowed) {
        is_revoked = Some(client.revoke_access_token(&access.token).await?);
    }
    Ok(is_revoked)
}

const fn has_tokens(credential: &Credential) -> bool {
    credential.refresh_token.is_some() || credential.access.is_some() || !credential.narrowed.is_empty()
}

async fn found_client(removed: &Credential) -> Result<OAuthClient> {
    let transport = Arc::new(ReqwestTransport::new()?);
    let provider = Provider::discover(&removed.issuer, &*transport).await?;
    Ok(OAuthClient::new(provider, removed.client_id.clone(), transport))
}
