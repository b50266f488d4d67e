//! The life of a grant: one authorization of one client by one user, and all tokens that came from it.
//!
//! A [`Grant`] is one row, whatever the number of refreshes. Its [`Generation`] only moves forward: refresh token *n* is
//! generation *n*. Everything here is a pure function of that row, of facts, of policy and of the time:
//!
//! - [`decide`] says what becomes of a refresh: a [`Verdict`], and what is to be written,
//! - [`revoke`] ends a grant on its owner's request,
//! - [`judge_access`] says whether an access token is still good,
//! - [`access_period`] says from when to when the access token of this moment lives,
//! - [`TokenParts`] is the layout of a token, as bytes and as text.
//!
//! Every store, the simulator and the model checker call these functions; no part of them is written a second time.

mod access;
mod decide;
mod facts;
mod grant;
mod identifier;
#[cfg(feature = "model")]
pub mod model;
mod policy;
mod revoke;
mod token;
mod verdict;

pub use access::{AccessPeriod, AccessTokenId, AccessVerdict, access_period, judge_access};
pub use decide::decide;
pub use facts::{AuthorityTag, ClientKind, Party, RefreshFacts, Surroundings};
pub use grant::{Binding, Birth, Grant, Write};
pub use identifier::{Generation, GrantId, GrantSecret, MalformedGrantId, Realm};
pub use policy::{
    OVERTAKEN_TRY_SECONDS_MAX, OnReuse, Policy, RETRY_WINDOW_BEARER_SECONDS, RETRY_WINDOW_CHALLENGE_SECONDS,
    RETRY_WINDOW_PROVEN_SECONDS, RotationMode,
};
pub use revoke::{RevokeVerdict, revoke};
pub use token::{
    CODE_PREFIX, HEAD_BYTES, Head, MalformedToken, OPAQUE_ACCESS_PREFIX, REFRESH_PREFIX, TOKEN_CHARACTERS, TokenParts,
};
pub use verdict::{Decision, Verdict};
