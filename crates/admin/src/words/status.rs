use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeysView, Time};

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusView {
    /// The version of the program.
    pub version: String,
    /// The issuer.
    pub issuer: String,
    /// What keeps everything, and where.
    pub store: String,
    /// When the server started; `null` when a command opened the store by itself.
    pub started_at: Option<Time>,
    /// What the sweeper does; `null` when there is none.
    pub sweep: Option<SweepView>,
    /// The keys.
    pub keys: KeysView,
}

/// What the sweeper does, which removes what ended long ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweepView {
    /// Whether it works, or waits for the next pass. Where it does not, the clock cannot be believed: set it right and start the
    /// server again, or say that it is right.
    pub is_working: bool,
    /// When it last came to the end of all rows; `null` for not yet.
    pub last_pass_at: Option<Time>,
    /// How many grants it has removed since the server started.
    pub grants_removed: u64,
}
