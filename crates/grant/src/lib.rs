//! The life of a grant: one authorization of one client by one user, and all tokens that came from it.
//!
//! A [`Grant`] is one row, whatever the number of refreshes. Its [`Generation`] only moves forward: refresh token *n* is
//! generation *n*. Everything here is a pure function of that row, of facts, of policy and of the time:
//!
//! - [`decide`] says what becomes of a refresh: a [`Verdict`], and what is to be written,
//! - [`redeem`] says the same of the redemption of its code, with a [`RedeemVerdict`],
//! - [`revoke`] ends a grant on its client's request, [`end_by_user`] on its user's,
//! - [`end_by_operator`] and [`end_made_before`] end it on the operator's,
//! - [`judge_access`] says whether an access token is still good,
//! - [`access_period`] says from when to when the access token of this moment lives,
//! - [`Cap`] says which grant ends when a user gives a client more than there may be,
//! - [`record_end`] writes into its row what ended it from outside, and [`may_be_swept`] says when the row may be removed,
//! - [`TokenParts`] is the layout of a token, as bytes and as text.
//!
//! Every store, the simulator and the model checker call these functions; no part of them is written a second time.

mod access;
mod approved_from;
mod binding;
mod birth;
mod cap;
mod code;
mod decide;
mod facts;
mod grant;
mod identifier;
mod imported;
mod live;
#[cfg(feature = "model")]
pub mod model;
mod operator;
mod policy;
mod recovery;
mod redeem;
mod revoke;
mod standing;
mod sweep;
mod token;
mod verdict;

pub use access::{AccessPeriod, AccessTokenId, AccessVerdict, access_period, judge_access};
pub use approved_from::ApprovedFrom;
pub use binding::Binding;
pub use birth::Birth;
pub use cap::{Cap, LIVE_GRANTS_MAX, OPEN_CODES_MAX};
pub use code::{CODE_LIFETIME_SECONDS, Code};
pub use decide::decide;
pub use facts::{AuthorityTag, ClientKind, Party, RedeemFacts, RefreshFacts, Surroundings};
pub use grant::{Grant, Write};
pub use identifier::{Generation, GrantId, GrantSecret, ImportedToken, MalformedGrantId, Realm, SessionId};
pub use imported::{ENDLESS_TOKEN_REMEMBERED_SECONDS, ImportedBirth};
pub use live::Family;
pub use operator::{end_by_operator, end_made_before};
pub use policy::{
    CODE_RETRY_SECONDS_MAX, OVERTAKEN_TRY_SECONDS_MAX, OldAccessTokens, OnReuse, Policy, RETRY_WINDOW_BEARER_SECONDS,
    RETRY_WINDOW_CHALLENGE_SECONDS, RETRY_WINDOW_PROVEN_SECONDS, RotationMode, ScopeNarrowing,
};
pub use recovery::{RecoverPublic, Recovery};
pub use redeem::{RedeemVerdict, Redemption, redeem};
pub use revoke::{RevokeVerdict, end_by_user, revoke};
pub use sweep::{
    CLOCK_AHEAD_SECONDS_MAX, KEPT_AFTER_END_SECONDS, Kin, REVOKED_KEPT_SECONDS_MAX, UNSWEPT_SECONDS_MAX,
    ended_long_ago, latest_credible, latest_credible_at_start, may_be_swept, record_end,
};
pub use token::{
    CODE_PREFIX, HEAD_BYTES, Head, MalformedToken, OPAQUE_ACCESS_PREFIX, REFRESH_PREFIX, TOKEN_CHARACTERS, TokenParts,
};
pub use verdict::{Decision, Verdict};
