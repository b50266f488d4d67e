use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a copy of the database is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupTarget {
    /// The path of a file that there is not yet, on the machine of the server, from the root on.
    pub path: String,
}

/// A copy of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupView {
    /// Where it is.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
    /// What has to be kept with it, in a sentence.
    pub note: String,
}
