//! What operators ask and are answered: the admin API as an axum router, its words as types, and its OpenAPI description.
//!
//! The words of every request and answer are serde types, which a program that asks uses too: [`NewClient`],
//! [`ClientView`], [`Patch`], [`Listing`], [`ErrorBody`] and the rest.

mod about;
mod admin_token;
mod administration;
mod api;
mod client_settings;
mod desk;
mod endpoints;
mod error;
mod gate;
mod json;
mod named;
mod openapi;
mod operation;
mod query;
mod router;
mod words;

pub use admin_token::{ADMIN_TOKEN_CHARACTERS_MAX, ADMIN_TOKEN_CHARACTERS_MIN, AdminToken, UnusableAdminToken};
pub use administration::{Administration, BackupError, Program, ProgramStatus};
pub use error::BODY_BYTES_MAX;
pub use router::{BASE_PATH, openapi, router, router_with_token};
pub use words::{
    AccessTokenFormat, BackupTarget, BackupView, ChangedClient, ClientFields, ClientPatch, ClientView, ConsentMode,
    EndGrants, EndedBy, ErrorBody, ErrorCode, Explanation, GrantState, GrantView, GrantsEnded, GrantsQuery,
    IdTokenAlgorithm, KeyChoice, KeysView, LISTED_DEFAULT, LISTED_MAX, Listing, MasterKeyState, MasterKeyView,
    NewClient, NewPassword, NewUser, NodeView, OldAccessTokens, OnReuse, OutlivesSession, PageQuery, Patch, PatchError,
    PreparedKey, ProfilePatch, Question, RegisteredClient, RemovedClient, RotateKeys, RotateSecret, RotatedKeys,
    RotatedSecret, RotationMode, ScopeNarrowing, SigningKeyState, SigningKeyView, StatusView, SweepState, SweepView,
    Time, TimeError, UserPatch, UserStatus, UserView, UsersQuery, WireSecret,
};
