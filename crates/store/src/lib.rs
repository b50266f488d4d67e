//! What is kept, and the steps on it.
//!
//! A [`Store`] offers protocol steps, never tables. [`Store::step`] reads a grant with everything that decides about it,
//! lets a rule decide, and writes what the rule asks for, as one: two steps on one grant behave as if one came first, and
//! nobody hears of a step before it is durable. [`decide_in`] is the typed way to call it.
//!
//! The feature `suite` brings the tests that every store must pass.

mod client;
mod client_defaults;
mod client_settings;
mod consent;
mod credential;
mod ending;
mod error;
mod foreign_subject;
mod grant_filter;
mod import;
mod key;
mod moved;
mod outside;
mod renewal;
mod rolled_back;
mod session;
mod shared;
mod slice;
mod standing;
mod step;
mod store;
mod sweep;
mod user;

pub mod stored;

#[cfg(feature = "suite")]
pub mod suite;

pub use client::{Client, ClientChange, ClientHandle};
pub use client_defaults::ClientDefaults;
pub use client_settings::{AccessTokenFormat, ClientSettings, ConsentMode, IdTokenAlgorithm, OutlivesSession};
pub use consent::Consent;
pub use credential::Credential;
pub use ending::Ending;
pub use error::{ChangeError, StoreError};
pub use foreign_subject::{SubjectError, client_names_of, subject_of};
pub use grant_filter::{GrantFilter, ListedGrant};
pub use import::{FoundToken, ImportError, Imported, ImportedAccessToken, ImportedGrant};
pub use key::{AnnouncedKey, Epoch, Identity, NewKeys, SealedSigningKey, SigningKeyChange, sealed_under_retired};
pub use moved::{MovedRow, MovedTable, MovedValue, RowsDigest, TableDigest};
pub use outside::{
    HighWater, JOURNAL_RECORDS_READ_MAX, Journal, JournalMisfit, JournalSpan, Mark, Outside, OutsideError, Reached,
    Record,
};
pub use renewal::Renewal;
pub use rolled_back::{Place, RolledBack};
pub use session::{LIVE_SESSIONS_MAX, Session};
pub use shared::{Changes, NODE_REMEMBERED_SECONDS, Node, NodeId, SeenNode, SharedStore};
pub use slice::{Page, SLICE_ROWS_MAX};
pub use standing::Standing;
pub use step::{Rule, Scene, Step, Target, decide_in};
pub use store::{GRANTS_LISTED_MAX, Store};
pub use sweep::{Removed, Sweep, SweepError, SweepPosition, Swept};
pub use user::{User, UserChange, UserStatus};
