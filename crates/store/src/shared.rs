use async_trait::async_trait;

use crate::{AnnouncedKey, StoreError};

/// How long a node is remembered after it was seen last.
pub const NODE_REMEMBERED_SECONDS: u32 = 60 * 60;

/// What nodes that use one store together tell one another by it.
#[async_trait]
pub trait SharedStore: Send + Sync {
    /// How often what nodes keep in memory was changed: everything that was committed before the call is counted. It is told only where
    /// a commit is durable at that moment: a server that was cut off would tell for ever that nothing has changed.
    async fn changes(&self) -> Result<Changes, StoreError>;

    /// Waits until some node may have changed something, and returns how often this one has heard so; at once, where that is
    /// not `heard`. It begins with 0. One who waits may miss a change, and asks for [`changes`](Self::changes) from time to time
    /// all the same.
    async fn hear(&self, heard: u64) -> u64;

    /// Notes that a node is there, in place of what it told before, and forgets those that were not seen for
    /// [`NODE_REMEMBERED_SECONDS`], and those that were seen in the future, by a clock that was put back since. A crash may forget it.
    async fn note_node(&self, node: &Node) -> Result<(), StoreError>;

    /// The nodes that are remembered, by name.
    async fn nodes(&self) -> Result<Vec<SeenNode>, StoreError>;
}

/// How often what nodes keep in memory was changed. The numbers only grow, but for a fail-over that has lost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Clients.
    pub clients: u64,
    /// Master keys that were announced, and signing keys.
    pub keys: u64,
    /// How often it was another database server that answered than before: what the one after a fail-over says may be older, and
    /// the same numbers may be of other changes.
    pub server: u64,
    /// Whether a commit waits until a standby has it too; counted as no change.
    pub waits_for_standby: bool,
}

/// The name of a process that uses the store: 16 random bytes, others at each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(pub [u8; 16]);

/// What a node tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name among nodes.
    pub id: NodeId,
    /// Its name among people.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// The newest master key that it has loaded, in force or not.
    pub newest_key: AnnouncedKey,
}

/// A node that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenNode {
    /// What it told.
    pub node: Node,
    /// How long ago.
    pub seen_milliseconds_ago: u64,
}
