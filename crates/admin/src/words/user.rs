use regrant_engine::PROFILE_CHARACTERS_MAX;
use regrant_protocol::{Profile, REDIRECT_URI_BYTES_MAX};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Patch, UserStatus, WireSecret};

/// Some claims of a user's profile.
pub type ProfilePatch = Patch<Profile>;

/// A user who is to be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name by which they log in: 1 to 255 bytes without control characters.
    #[schemars(length(min = 1, max = 255))]
    pub username: String,
    /// Their password: 8 characters at least.
    #[schemars(length(min = 8))]
    pub password: WireSecret,
    /// What clients may learn about them.
    #[serde(default, skip_serializing_if = "Patch::is_empty")]
    #[schemars(schema_with = "profile_patch")]
    pub profile: ProfilePatch,
}

/// A registered user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserView {
    /// The `sub` of their tokens, which never changes.
    pub subject: String,
    /// The name by which they log in.
    pub username: String,
    /// Whether they may log in and stay logged in.
    pub status: UserStatus,
    /// Whether they can log in with a password.
    pub has_password: bool,
    /// What clients may learn about them, by the claims of OpenID Connect Core §5.1.
    #[schemars(schema_with = "profile")]
    pub profile: Profile,
}

/// A change of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// What clients may learn about them.
    #[serde(default, skip_serializing_if = "Patch::is_empty")]
    #[schemars(schema_with = "profile_patch")]
    pub profile: ProfilePatch,
}

/// A new password for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password: 8 characters at least.
    #[schemars(length(min = 8))]
    pub password: WireSecret,
    /// Whether all grants and login sessions of the user end too.
    #[serde(default)]
    pub end_grants: bool,
}

/// Which users are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsersQuery {
    /// The one who logs in by this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Those whose login names follow this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

fn profile(_: &mut SchemaGenerator) -> Schema {
    profile_schema(|kind| json!(kind))
}

fn profile_patch(_: &mut SchemaGenerator) -> Schema {
    profile_schema(|kind| json!([kind, "null"]))
}

fn profile_schema(kind: impl Fn(&str) -> Value) -> Schema {
    let claims = Profile::PROFILE_CLAIMS.into_iter().chain(Profile::EMAIL_CLAIMS);
    let members = claims.map(|claim| {
        let member = match claim {
            "updated_at" => json!({ "type": kind("integer"), "minimum": i64::MIN, "maximum": i64::MAX }),
            "email_verified" => json!({ "type": kind("boolean") }),
            "profile" | "picture" | "website" => {
                json!({ "type": kind("string"), "maxLength": REDIRECT_URI_BYTES_MAX })
            }
            _ => json!({ "type": kind("string"), "maxLength": PROFILE_CHARACTERS_MAX }),
        };
        (claim.to_owned(), member)
    });
    let members: Map<String, Value> = members.collect();
    json_schema!({ "type": "object", "properties": members, "additionalProperties": false })
}
