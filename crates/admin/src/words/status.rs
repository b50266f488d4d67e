use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeysView, NodeView, Time};

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
    /// The nodes that were seen in the last hour, by name; none where one process has the store for itself.
    pub nodes: Vec<NodeView>,
}

/// What the sweeper does, which removes what ended long ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweepView {
    /// Whether it sweeps, and if not why.
    pub state: SweepState,
    /// When it last came to the end of all rows; `null` for not yet.
    pub last_pass_at: Option<Time>,
    /// How many grants it has removed since the server started.
    pub grants_removed: u64,
}

/// Whether what ended long ago is swept. Where it is not, the clock cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SweepState {
    /// It is, or will be soon.
    Working,
    /// By the clock the last sweep is more than 30 days ago. It goes on when the clock is set right, or said to be right.
    ClockDoubted,
    /// The clock jumped, or the machine slept. It goes on when the clock is said to be right.
    ClockJumped,
}
