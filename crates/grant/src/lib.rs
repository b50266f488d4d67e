//! The life of a grant: one authorization of one client by one user, and all tokens that came from it.
//!
//! A [`Grant`] is one row, whatever the number of refreshes. Its [`Generation`] only moves forward: refresh token *n* is
//! generation *n*. Everything here is a pure function of that row, of facts, of policy and of the time:
//!
//! - [`decide`] says what becomes of a refresh: a [`Verdict`], and what is to be written,
//! - [`redeem`] says the same of the redemption of its code, with a [`RedeemVerdict`],
//! - [`revoke`] ends a grant on its client's request, [`end_by_user`] on its user's,
//! - [`judge_access`] says whether an access token is still good,
//! - [`access_period`] says from when to when the access token of this moment lives,
//! - [`TokenParts`] is the layout of a token, as bytes and as text.
//!
//! Every store, the simulator and the model checker call these functions; no part of them is written a second time.

mod access;
mod approved_from;
mod binding;
mod birth;
mod code;
mod decide;
mod facts;
mod grant;
mod identifier;
#[cfg(feature = "model")]
pub mod model;
mod policy;
mod redeem;
mod revoke;
mod standing;
mod token;
mod verdict;

pub use access::{AccessPeriod, AccessTokenId, AccessVerdict, access_period, judge_access};
pub use approved_from::ApprovedFrom;
pub use binding::Binding;
pub use birth::Birth;
pub use code::{CODE_LIFETIME_SECONDS, Code};
pub use decide::decide;
pub use facts::{AuthorityTag, ClientKind, Party, RedeemFacts, RefreshFacts, Surroundings};
pub use grant::{Grant, Write};
pub use identifier::{Generation, GrantId, GrantSecret, MalformedGrantId, Realm, SessionId};
pub use policy::{
    CODE_RETRY_SECONDS_MAX, OVERTAKEN_TRY_SECONDS_MAX, OnReuse, Policy, RETRY_WINDOW_BEARER_SECONDS,
    RETRY_WINDOW_CHALLENGE_SECONDS, RETRY_WINDOW_PROVEN_SECONDS, RotationMode,
};
pub use redeem::{RedeemVerdict, Redemption, redeem};
pub use revoke::{RevokeVerdict, end_by_user, revoke};
pub use token::{
    CODE_PREFIX, HEAD_BYTES, Head, MalformedToken, OPAQUE_ACCESS_PREFIX, REFRESH_PREFIX, TOKEN_CHARACTERS, TokenParts,
};
pub use verdict::{Decision, Verdict};
