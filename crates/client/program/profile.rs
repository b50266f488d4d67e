use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use regrant_client::{Credential, Dpop, IssuerIdentifier, OAuthClient, Provider, Renewal, ReqwestTransport};
use regrant_protocol::{ClientId, Resources, Scope};
use serde::{Deserialize, Serialize};

use crate::client_authentication::ClientAuthentication;

/// What a login has settled for all later commands. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    format: String,
    version: u64,
    /// The server, as it names itself.
    pub(crate) issuer: String,
    pub(crate) client_id: ClientId,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) grant: Grant,
    pub(crate) storage: StorageKind,
    /// Whether tokens are bound to a key.
    #[serde(default)]
    pub(crate) dpop: bool,
    /// The hosts that git and Docker are given the token for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<String>,
    /// The user that git and Docker are told with the token.
    pub(crate) username: String,
    /// What the server's metadata said at the login: a token is had without asking for them again.
    pub(crate) endpoints: Endpoints,
}

/// How tokens are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    /// A person has logged in.
    LogIn,
    /// The client has tokens of its own (RFC 6749 §4.4).
    ClientCredentials,
}

/// Where tokens are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StorageKind {
    /// In a file that only the keyring of the system opens.
    Keyring,
    /// In a file that only its owner may read.
    File,
}

/// Where a server is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<String>,
    /// The algorithms of proofs that it knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dpop_algorithms: Vec<String>,
}

/// What the member `format` holds.
const FORMAT: &str = "regrant-token-profile";
/// The version that is written, and the only one there is.
const VERSION: u64 = 1;

/// What is read before anything else.
#[derive(Deserialize)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
}

impl Profile {
    /// The profile of a login at `provider`.
    pub(crate) fn new(provider: &Provider, settings: Settings) -> Self {
        let Settings { client_id, scope, resources, authentication, grant, storage, dpop, hosts, username } = settings;
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            issuer: provider.issuer.as_str().to_owned(),
            client_id,
            scope,
            resources,
            authentication,
            grant,
            storage,
            dpop,
            hosts,
            username,
            endpoints: Endpoints {
                token: provider.token_endpoint.clone(),
                revocation: provider.revocation_endpoint.clone(),
                dpop_algorithms: provider.dpop_algorithms.clone(),
            },
        }
    }

    /// The server, as far as it is needed once somebody has logged in.
    ///
    /// # Errors
    /// When somebody has changed the file so that a token would be sent in the clear.
    pub(crate) fn provider(&self) -> Result<Provider> {
        let mut provider = Provider::new(IssuerIdentifier::parse(&self.issuer)?, &self.endpoints.token)?;
        if let Some(revocation) = &self.endpoints.revocation {
            // The same check as for the token endpoint.
            Provider::new(provider.issuer.clone(), revocation)?;
        }
        provider.revocation_endpoint.clone_from(&self.endpoints.revocation);
        provider.dpop_algorithms.clone_from(&self.endpoints.dpop_algorithms);
        Ok(provider)
    }

    /// The client at its server, without the proof of who it is.
    ///
    /// # Errors
    /// As [`Profile::provider`].
    pub(crate) fn client(&self) -> Result<OAuthClient> {
        let client = OAuthClient::new(self.provider()?, self.client_id.clone(), Arc::new(ReqwestTransport::new()?));
        Ok(client.for_resources(self.resources.clone()).with_dpop(self.dpop()))
    }

    /// Whether these tokens are of this client at this server.
    pub(crate) fn owns(&self, kept: &Credential) -> bool {
        kept.issuer.as_str() == self.issuer && kept.client_id == self.client_id
    }

    /// How a token is had where there is no refresh token.
    pub(crate) const fn renewal(&self) -> Renewal {
        match self.grant {
            Grant::LogIn => Renewal::LogIn,
            Grant::ClientCredentials => Renewal::ClientCredentials,
        }
    }

    /// Whether tokens are bound to a key.
    pub(crate) const fn dpop(&self) -> Dpop {
        if self.dpop { Dpop::Required } else { Dpop::Off }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("texts and lists always serialize")
    }

    /// # Errors
    /// When it is damaged, not ours, or of a newer version.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self> {
        let head: Head =
            serde_json::from_slice(bytes).context("it is not whole JSON: it may be truncated or damaged")?;
        ensure!(head.format.as_deref() == Some(FORMAT), "it is not a profile: its \"format\" is not {FORMAT:?}");
        match head.version {
            Some(VERSION) => serde_json::from_slice(bytes).context("it is damaged"),
            Some(newer) if newer > VERSION => {
                bail!("it is a profile of version {newer}; this program reads version {VERSION}: update it")
            }
            _ => bail!("its member \"version\" is missing or cannot be read"),
        }
    }
}

/// What is settled at a login, apart from the server.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) client_id: ClientId,
    pub(crate) scope: Scope,
    pub(crate) resources: Resources,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) grant: Grant,
    pub(crate) storage: StorageKind,
    pub(crate) dpop: bool,
    pub(crate) hosts: Vec<String>,
    pub(crate) username: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let issuer = IssuerIdentifier::parse("https://id.example").unwrap();
        let mut provider = Provider::new(issuer, "https://id.example/token").unwrap();
        provider.revocation_endpoint = Some("https://id.example/revoke".to_owned());
        let settings = Settings {
            client_id: ClientId::parse("reports").unwrap(),
            scope: Scope::parse("read").unwrap(),
            resources: Resources::none(),
            authentication: ClientAuthentication::None,
            grant: Grant::LogIn,
            storage: StorageKind::File,
            dpop: true,
            hosts: vec!["git.example".to_owned()],
            username: "oauth2".to_owned(),
        };
        Profile::new(&provider, settings)
    }

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let read = Profile::from_json(&profile().to_json()).unwrap();
        assert_eq!(read, profile());
        assert_eq!(read.provider().unwrap().revocation_endpoint.unwrap(), "https://id.example/revoke");
    }

    #[test]
    fn what_is_no_profile_is_told_by_kind() {
        let text = String::from_utf8(profile().to_json()).unwrap();
        for (text, expected) in [
            ("", "not whole JSON"),
            (&text[..100], "not whole JSON"),
            ("{\"issuer\":\"https://id.example\"}", "not a profile"),
            (&text.replace("\"version\": 1", "\"version\": 2"), "version 2; this program reads version 1"),
            (&text.replace("\"scope\": \"read\"", "\"scope\": 7"), "damaged"),
        ] {
            let error = format!("{:#}", Profile::from_json(text.as_bytes()).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_endpoint_that_would_send_tokens_in_the_clear_is_refused() {
        for (from, to) in
            [("https://id.example/token", "http://id.example/token"), ("https://id.example/revoke", "http://x/r")]
        {
            let text = String::from_utf8(profile().to_json()).unwrap().replace(from, to);
            assert!(Profile::from_json(text.as_bytes()).unwrap().provider().is_err(), "{to}");
        }
    }
}
