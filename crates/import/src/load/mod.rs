//! What becomes of foreign records here: pure mappings from what was read to what a store keeps.
//!
//! Secrets and passwords are left to the caller, who has the pepper and the hashes; so is the randomness of grants. What
//! cannot be taken over as it was is put into words, in the remarks.

mod batch;
mod client;
mod grant_types;
mod known_scopes;
mod policy;
mod random_secret;
mod staged_tokens;
mod terms;
mod token;
mod user;

pub use batch::Batch;
pub use client::{LoadedClient, load_client};
pub use known_scopes::KnownScopes;
pub use random_secret::is_random;
pub use staged_tokens::{PAGE_TOKENS_MAX, StageError, StagedKind, StagedToken, StagedTokens};
pub use terms::{RefreshLifetime, TokenTerms};
pub use token::{GrantParts, access_grant, access_token, refresh_grant};
pub use user::{load_user, stand_in_user};
