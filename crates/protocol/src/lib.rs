//! The words of OAuth: identifiers, requests, responses and errors, as types.
//!
//! This crate knows no server, no database and no cryptography. It parses what arrives under the rules of the
//! specifications, and it names what the other crates talk about:
//!
//! - who: [`ClientId`], [`Subject`], [`Username`], [`Issuer`], [`ClientAuthentication`]
//! - what is asked for: [`Params`], [`TokenRequest`], [`RevocationRequest`], [`IntrospectionRequest`]
//! - what is granted: [`Scope`], [`Resources`], [`GrantType`], [`Lifetime`]
//! - what is answered: [`TokenResponse`], [`IntrospectionResponse`], [`Metadata`], [`ErrorResponse`]
//! - when: [`Timestamp`] and [`Clock`], the only source of time for everybody else

mod access_token;
mod client_authentication;
mod clock;
mod error_response;
mod grant_type;
mod identifier;
mod introspection;
mod issuer;
mod key_number;
mod lifetime;
mod metadata;
mod params;
mod resource;
mod retry;
mod revocation;
mod scope;
mod secret;
mod timestamp;
mod token_request;
mod token_response;

pub use access_token::AccessTokenClaims;
pub use client_authentication::{BasicError, ClientAuthentication, TokenEndpointAuthMethod};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error_response::{ErrorCode, ErrorResponse};
pub use grant_type::GrantType;
pub use identifier::{ClientId, IdentifierError, Subject, Username};
pub use introspection::{ActiveToken, IntrospectionRequest, IntrospectionResponse};
pub use issuer::{Issuer, IssuerError};
pub use key_number::{EpochNumber, Kid};
pub use lifetime::Lifetime;
pub use metadata::Metadata;
pub use params::{
    FORM_BYTES_MAX, PARAMETER_COUNT_MAX, PARAMETER_NAME_BYTES_MAX, PARAMETER_VALUE_BYTES_MAX, Params, ParamsError,
};
pub use resource::{Resource, ResourceError, Resources};
pub use retry::{RetryChallenge, RetryError, RetryVerifier};
pub use revocation::RevocationRequest;
pub use scope::{SCOPE_TOKENS_MAX, Scope, ScopeError};
pub use secret::Secret;
pub use timestamp::Timestamp;
pub use token_request::{PasswordRequest, RefreshRequest, TokenRequest};
pub use token_response::TokenResponse;
