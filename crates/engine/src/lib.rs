//! The rules: who gets which token, and why not.
//!
//! An [`AuthorizationServer`] is built from a store, a key ring, a clock and a source of randomness, and answers one
//! method per endpoint: [`AuthorizationServer::token`], [`AuthorizationServer::revoke`],
//! [`AuthorizationServer::introspect`], [`AuthorizationServer::userinfo`], [`AuthorizationServer::metadata`] and
//! [`AuthorizationServer::jwks`]. What a person does with a browser begins with [`AuthorizationServer::authorize`],
//! [`AuthorizationServer::account`] or [`AuthorizationServer::end_session`], and goes from [`Step`] to [`Step`].
//!
//! A program around the server may add [`Hooks`], and log in users of its own with [`AuthorizationServer::log_in_as`].
//!
//! It opens no socket and no file, reads no environment, and has no clock of its own. What it refuses it refuses with a
//! [`Refusal`]: precise in the log, quiet to a stranger.

mod access_token;
mod access_token_draft;
mod act;
mod administration;
mod admission;
mod allowed_origins;
mod browser;
mod call;
mod claims;
mod claims_hook;
mod client_authentication;
mod client_credentials;
mod client_of_call;
mod clients;
mod code;
mod configured_client;
mod context;
mod derived_keys;
mod describe;
mod endpoint;
mod error;
mod event_log;
mod explain;
mod failures;
mod follow;
mod freshness;
mod halt;
mod happening;
mod hashing;
mod hooks;
mod id_token;
mod imported;
mod imported_access_token;
mod introspect;
mod issue_step;
mod key_file;
mod key_rotation;
mod key_rotation_error;
mod key_view;
mod keys;
mod master_key_rotation;
mod observer;
mod old_server;
mod overloaded;
mod password;
mod presented;
mod recent_refusals;
mod refresh;
mod refusal;
mod registration;
mod replaced;
mod revoke;
mod revoked_tokens;
mod server;
mod shown_text;
mod signing;
mod slow_signatures;
mod store_time;
mod sweep;
mod take_over;
mod token;
mod token_memory;
mod turns;
mod user_authentication;
mod userinfo;
#[cfg(test)]
mod world;

pub use act::{Act, Door};
pub use administration::GrantEnd;
pub use admission::{Admitted, CALLS_ELSEWHERE_MAX, CALLS_MAX};
pub use browser::{
    AccessEnd, AccountGrant, AccountNotice, AccountView, BROWSER_COOKIE_SECONDS, Browser, BrowserCookies, BrowserError,
    ClientPresentation, ConsentPrompt, ConsentScope, Cookie, CookieChange, ErrorPage, KnownUser, LogOutPrompt,
    LoginProblem, LoginPrompt, NEW_PASSWORD_CHARACTERS_MIN, Next, PasswordProblem, PostLogoutProblem, SESSION_SECONDS,
    Step,
};
pub use call::{AboutToken, BeforeClient, ClaimedClient, OrderOfChecks, TokenCall};
pub use claims::{CLAIMS_SECONDS_MAX, ClaimsProblem};
pub use claims_hook::{ClaimsHook, ClaimsRequest, ClaimsUnavailable};
pub use client_authentication::AuthenticatedClient;
pub use configured_client::Kept;
pub use context::{BEGIN_SECONDS_MAX, REQUEST_ID_BYTES_MAX, RequestContext, RequestId};
pub use endpoint::Endpoint;
pub use error::{ScopeLimit, TokenError, TooMuchScope, Unproven};
pub use explain::{ExplainedGrant, ExplainedVerdict, Explanation, TokenKind};
pub use failures::{
    ACCOUNT_FAILURE_BURST, ACCOUNT_FAILURE_INTERVAL_SECONDS, FAILURE_BURST, FAILURE_INTERVAL_SECONDS,
    SOURCE_FAILURE_BURST, SOURCE_FAILURE_INTERVAL_SECONDS,
};
pub use follow::{
    CATCH_UP_MILLISECONDS_MAX, FOLLOW_PAUSE_MILLISECONDS_MAX, FOLLOW_PAUSE_MILLISECONDS_MIN, Followed, Follower,
    NODE_NAME_CHARACTERS_MAX, NODE_NOTED_MILLISECONDS,
};
pub use freshness::KEYS_RELIED_ON_MILLISECONDS_MAX;
pub use happening::{
    ClientAuthenticationFailure, Happening, LogInOutcome, OperatorFailure, Reason, RevokedGrants, Revoker,
};
pub use hashing::HASHES_WAITING_MAX;
pub use hooks::Hooks;
pub use key_file::{KeyFile, KeyFileNotRead, KeyFileNotWritten};
pub use key_rotation::{PUBLISHED_KEYS_MAX, SIGNING_KEY_WAIT_SECONDS};
pub use key_rotation_error::KeyRotationError;
pub use key_view::{KeyView, MasterKeyState, MasterKeyView, SigningKeyState, SigningKeyView};
pub use master_key_rotation::{EMERGENCY_KIDS_FROM, NODE_AWAITED_MILLISECONDS};
pub use observer::{Event, Observer};
pub use old_server::{
    OLD_SERVER_ANSWER_BYTES_MAX, OLD_SERVER_SECONDS_MAX, OldServer, OldServerAnswer, OldServerQuestion,
    OldServerSettings, OldServerSilent, UnknownUsers, UserSource,
};
pub use overloaded::Overloaded;
pub use recent_refusals::{RECENT_REFUSALS_MAX, RecentRefusal, RecentRefusals};
pub use refusal::Refusal;
// The verdicts that a [`TokenError`] carries.
pub use registration::{
    AUDIENCE_CHARACTERS_MAX, CLIENT_NAME_CHARACTERS_MAX, PROFILE_CHARACTERS_MAX, RegistrationError, Secrecy,
    broken_rules, check_profile,
};
pub use regrant_grant::{RedeemVerdict, Verdict};
pub use server::{AuthorizationServer, OpenError, Parts};
pub use shown_text::turns_direction;
pub use signing::SigningKeysError;
pub use slow_signatures::SIGNATURES_WAITING_MAX;
pub use sweep::{
    FIRST_SWEEP_AFTER_SECONDS, SWEEP_DOUBT_PAUSE_SECONDS, SWEEP_FAILURE_PAUSE_SECONDS, SWEEP_PASS_PAUSE_SECONDS,
    SWEEP_ROWS_MAX, SWEEP_SLICE_PAUSE_MILLISECONDS, SweepOutcome, Sweeper,
};
pub use take_over::TakeOverOutcome;
pub use userinfo::UserInfoError;
