use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// The keys of the server; never the keys themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeysView {
    /// The master keys, oldest first.
    pub master: Vec<MasterKeyView>,
    /// The signing keys, oldest first.
    pub signing: Vec<SigningKeyView>,
}

/// A master key: of such are refresh tokens, codes and opaque access tokens made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MasterKeyView {
    /// Its number.
    pub kid: u8,
    /// What it does at the node that answers.
    pub state: MasterKeyState,
}

/// What a master key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeyState {
    /// What was made under it is good; new tokens are made under a newer one.
    Good,
    /// New tokens are made under it.
    Newest,
    /// It lies in the key file, and the next rotation puts it in force.
    Prepared,
    /// It is in force, and the key file of this node does not have it: whatever is made under it is answered 503 here.
    Missing,
}

/// The master key that was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreparedKey {
    /// Its number.
    pub kid: u8,
}

/// A process that uses the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// The number of the newest master key that it has loaded, in force or not.
    pub newest_kid: u8,
    /// How long ago it was seen, in milliseconds. One that goes on is seen each second.
    pub seen_milliseconds_ago: u64,
}

/// A signing key: what signs JWTs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SigningKeyView {
    /// Its `kid` in the key set.
    pub key_id: String,
    /// The JWS algorithm that it signs with.
    pub algorithm: String,
    /// What it does.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: Time,
    /// From when on it signs, unless a newer one does.
    pub signs_from: Time,
    /// When it was withdrawn; `null` when it was not.
    pub withdrawn_at: Option<Time>,
}

/// What a signing key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SigningKeyState {
    /// It is in the key set, and signs later.
    Waiting,
    /// It signs.
    Signing,
    /// Another signs in its place. It stays in the key set for the tokens that it signed.
    Verifying,
    /// It is not in the key set, and what it signed is refused.
    Withdrawn,
}

/// Which key is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyChoice {
    /// The one that signs ES256.
    Es256,
    /// The one that signs EdDSA.
    Eddsa,
    /// The one that signs RS256.
    Rs256,
    /// All three that sign.
    Signing,
    /// The master key.
    Master,
}

/// Which key gets a successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKeys {
    /// The key.
    pub key: KeyChoice,
    /// Whether the key was stolen: then what was made with it ends now.
    #[serde(default)]
    pub emergency: bool,
}

/// What the rotation made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotatedKeys {
    /// The names of the new keys: the `kid` of a signing key, the number of a master key.
    pub made: Vec<String>,
    /// When the new signing keys sign; `null` for a master key, which is in force at once.
    pub signs_from: Option<Time>,
}
