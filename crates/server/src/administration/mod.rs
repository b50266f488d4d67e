//! The commands by which operators administer a server: clients, users, grants and keys, and how it is.
//!
//! Each speaks to the running server through its socket ([`admin_socket`](crate::admin_socket)); where none runs it takes the
//! directory's lock, opens the store, and asks the same router in this process. Answers go to standard output, words about them
//! to standard error. Secrets never come from the command line.

mod api;
mod backup;
mod client;
mod client_settings;
mod confirm;
mod doctor;
mod explain;
mod grant;
mod import;
mod in_process;
mod key;
mod listing;
mod migrate_store;
mod named_user;
mod output;
mod path;
mod place;
mod profile;
mod progress;
mod restore;
mod secret_input;
mod store;
pub(crate) mod table;
mod terminal;
mod trust_clock;
mod underscored;
mod user;

pub use backup::{BackupOptions, backup};
pub use client::{ClientOptions, client};
pub(crate) use doctor::certificate_problems;
pub use doctor::{DoctorOptions, doctor};
pub use explain::{ExplainOptions, explain};
pub use grant::{GrantOptions, grant};
pub(crate) use import::unfinished;
pub use import::{ImportOptions, import};
pub use key::{KeyOptions, key};
pub use migrate_store::{MigrateStoreOptions, migrate_store};
pub use restore::{RestoreOptions, restore};
pub use store::{StoreOptions, store};
pub use trust_clock::{TrustClockOptions, trust_clock};
pub use user::{UserOptions, user};
