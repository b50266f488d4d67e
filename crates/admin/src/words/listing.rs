use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many are listed when nobody says how many.
pub const LISTED_DEFAULT: u32 = 100;
/// The most that are listed at once.
pub const LISTED_MAX: u32 = 500;

/// Some of many, and where the rest begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Listing<T> {
    /// These; perhaps fewer than were asked for, or none, though others follow.
    pub items: Vec<T>,
    /// What to give as `after` to go on; `null` when nothing follows.
    pub next: Option<String>,
}

/// Which part of a list is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// What follows this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}
