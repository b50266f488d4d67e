//! The words of requests and answers. Names of clients' fields are those of `[[client]]` in `regrant.toml`, those of users'
//! profiles the claims of OpenID Connect.

mod backup;
mod choices;
mod client;
mod client_fields;
mod error;
mod explain;
mod grant;
mod key;
mod listing;
mod patch;
mod status;
mod time;
mod user;
mod wire_secret;

pub use backup::{BackupTarget, BackupView};
pub use choices::{
    AccessTokenFormat, ConsentMode, IdTokenAlgorithm, OldAccessTokens, OnReuse, OutlivesSession, RotationMode,
    ScopeNarrowing, UserStatus,
};
pub use client::{ChangedClient, ClientView, NewClient, RegisteredClient, RemovedClient, RotateSecret, RotatedSecret};
pub use client_fields::{ClientFields, ClientPatch};
pub use error::{ErrorBody, ErrorCode};
pub use explain::{Explanation, Question};
pub use grant::{EndGrants, EndedBy, GrantState, GrantView, GrantsEnded, GrantsQuery};
pub use key::{
    KeyChoice, KeysView, MasterKeyState, MasterKeyView, NodeView, PreparedKey, RotateKeys, RotatedKeys,
    SigningKeyState, SigningKeyView,
};
pub use listing::{LISTED_DEFAULT, LISTED_MAX, Listing, PageQuery};
pub use patch::{Patch, PatchError};
pub use status::{StatusView, SweepState, SweepView};
pub use time::{Time, TimeError};
pub use user::{NewPassword, NewUser, ProfilePatch, UserPatch, UserView, UsersQuery};
pub use wire_secret::WireSecret;
