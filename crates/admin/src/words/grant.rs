use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// One authorization of one client by one user, with all tokens that came from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantView {
    /// Its name, as logs show it.
    pub id: String,
    /// The `sub` of the user.
    pub user: String,
    /// The `client_id` of the client.
    pub client: String,
    /// What was granted.
    pub scope: String,
    /// For which resource servers; empty for the client's default audience.
    pub resources: Vec<String>,
    /// Whether it lives, and if not why.
    pub state: GrantState,
    /// When it was made.
    pub created_at: Time,
    /// When the user logged in.
    pub authenticated_at: Time,
    /// When it last gave tokens.
    pub used_at: Time,
    /// When its refresh token ends unless it is used before; `null` for never.
    pub expires_at: Option<Time>,
    /// When it ends whatever happens; `null` for never.
    pub absolute_expires_at: Option<Time>,
    /// When it was revoked; `null` when it was not.
    pub revoked_at: Option<Time>,
    /// How often its refresh token was replaced.
    pub generation: u32,
    /// Whether it ends with the login session in which it was approved.
    pub ends_with_session: bool,
    /// The network address of the browser in which it was approved; `null` when nobody was asked.
    pub approved_from: Option<String>,
}

/// Whether a grant lives, and if not why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// It lives.
    Active,
    /// It reached its end.
    Expired,
    /// It was revoked, or a cutoff ended it.
    Revoked,
    /// It waits: the user is disabled, locked or removed.
    UserDisabled,
    /// It waits: the client is disabled or removed.
    ClientDisabled,
    /// It is of before a restore, or of before an emergency of the master key.
    DeadEpoch,
    /// The database is older than its tokens.
    RolledBack,
}

/// Which grants are meant: of each family its root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantsQuery {
    /// Those of the user with this `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Those to the client with this `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether those whose state is `revoked` are listed too.
    #[serde(default)]
    pub revoked: bool,
    /// Those whose ids follow this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// Which grants are to end: those of a user, those to a client, or those made before a time; at least one of them is given, and
/// all that are given have to be met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndGrants {
    /// Those of the user with this `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Those to the client with this `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Those made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_before: Option<Time>,
}

/// How grants ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantsEnded {
    /// By what.
    pub by: EndedBy,
    /// How many ended; `null` for a cutoff, which counts nothing.
    pub count: Option<u64>,
}

/// By what grants ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// All at once, by one write at the client or user.
    Cutoff,
    /// One after the other.
    OneByOne,
}
