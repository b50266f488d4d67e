use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClientFields, ClientPatch, WireSecret};

/// A client that is to be registered. Every setting that is left out has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct NewClient {
    /// The `client_id`: 1 to 255 visible ASCII characters. It is never given to another client.
    #[schemars(length(min = 1, max = 255), regex(pattern = "^[ -~]+$"))]
    pub id: String,
    /// Whether it is an app that cannot keep a secret.
    #[serde(default)]
    pub public: bool,
    /// The secret, where somebody has chosen one; without it the server makes one for a client that is not public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<WireSecret>,
    /// The settings.
    #[serde(flatten)]
    pub settings: ClientPatch,
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientView {
    /// The `client_id`.
    pub id: String,
    /// Whether it is an app that cannot keep a secret.
    pub public: bool,
    /// Whether it may have tokens.
    pub enabled: bool,
    /// The settings.
    #[serde(flatten)]
    pub settings: ClientFields,
}

/// A client whose settings were to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedClient {
    /// The client, as it is now.
    #[serde(flatten)]
    pub client: ClientView,
    /// Why it does not stay so, in a sentence: it is in the configuration too; left out when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A client that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemovedClient {
    /// What has to be done too, in a sentence: it is in the configuration; left out for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A client that has just been registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredClient {
    /// The client.
    pub client: ClientView,
    /// The secret that the server made, which nobody can ask for again; `null` when it made none.
    pub secret: Option<WireSecret>,
}

/// A new secret for a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// The secret, where somebody has chosen one; without it the server makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<WireSecret>,
}

/// The secret that a client has from now on; the one before is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotatedSecret {
    /// The secret that the server made, which nobody can ask for again; `null` when it was chosen.
    pub secret: Option<WireSecret>,
    /// Why it does not stay so, in a sentence: the configuration has a secret for the client too; left out when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
