//! What was seen of a server. Nothing here is a secret, and nothing is judged yet.

use serde::{Deserialize, Serialize};

use super::behaviour::Behaviour;

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Observations {
    pub(crate) issuer: String,
    pub(crate) documents: Vec<Document>,
    /// How far the server's clock is ahead of ours; `None` where no answer had a `Date`.
    pub(crate) clock_offset_seconds: Option<i64>,
    pub(crate) tls: Tls,
    pub(crate) keys: Keys,
    pub(crate) refresh: Refresh,
}

/// One of the places where metadata may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Document {
    pub(crate) url: String,
    pub(crate) status: u16,
    /// What was there; `None` for anything but metadata in JSON with status 200.
    pub(crate) metadata: Option<Metadata>,
}

/// The members of a server's metadata (RFC 8414 §2) that a client has something to expect from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) token_endpoint: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) code_challenge_methods_supported: Vec<String>,
    pub(crate) grant_types_supported: Option<Vec<String>>,
    pub(crate) scopes_supported: Option<Vec<String>>,
    pub(crate) id_token_signing_alg_values_supported: Vec<String>,
    pub(crate) dpop_signing_alg_values_supported: Vec<String>,
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// How connections are protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Tls {
    /// They are not, on this machine.
    None,
    /// By the newest of its versions that is offered, with a certificate that ends so many seconds after 1970.
    Some { version: &'static str, certificate_ends_at: Option<i64> },
    /// With a certificate that clients refuse: nobody should look any further.
    Untrusted { fault: CertificateFault, cause: String },
    /// No connection.
    Failed { cause: String },
}

/// Why a certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CertificateFault {
    Expired,
    NotYetValid,
    UnknownIssuer,
    OtherName,
    Other,
}

/// The keys that tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Keys {
    /// The metadata names no place.
    NotNamed,
    /// There is nothing to be read there.
    Unreadable { cause: String },
    /// These.
    Some { keys: Vec<Key> },
}

/// One key, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Key {
    pub(crate) kid: Option<String>,
    /// The curve, or the type of key where it has none.
    pub(crate) kind: String,
    pub(crate) algorithm: Option<String>,
    /// The length of an RSA modulus.
    pub(crate) bits: Option<usize>,
    /// Whether it can sign, which nobody but the server should be able to.
    pub(crate) is_private: bool,
}

/// How refresh tokens behave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Refresh {
    /// Nobody asked for it.
    NotTried,
    /// There was no login.
    NoLogin { cause: String },
    /// This client may not log in by a password, and nobody tried another way.
    NoPasswordGrant { cause: String },
    /// The login gave none.
    NoToken,
    /// As it says.
    Tried(Behaviour),
}

impl Observations {
    /// Of a server that nothing was asked, because of its certificate.
    pub(crate) fn of_certificate(issuer: String, tls: Tls) -> Self {
        Self {
            issuer,
            documents: Vec::new(),
            clock_offset_seconds: None,
            tls,
            keys: Keys::NotNamed,
            refresh: Refresh::NotTried,
        }
    }
}

impl Document {
    pub(crate) const fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}
