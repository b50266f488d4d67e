//! The words of OAuth: identifiers, requests, responses and errors, as types.
//!
//! This crate knows no server, no database and no cryptography. It parses what arrives under the rules of the
//! specifications, and it names what the other crates talk about:
//!
//! - who: [`ClientId`], [`Subject`], [`Username`], [`Profile`], [`Issuer`], [`ClientAuthentication`], [`BearerToken`]
//! - from where and to where: [`RedirectUri`], [`WebOrigin`]
//! - what is asked for: [`Params`], [`AuthorizationTarget`], [`AuthorizationRequest`], [`TokenRequest`],
//!   [`RevocationRequest`], [`IntrospectionRequest`], [`EndSessionRequest`]
//! - what is granted: [`Scope`], [`Resources`], [`GrantType`], [`Lifetime`]
//! - what is wrong with its form: [`RequestFault`]
//! - what is answered: [`AuthorizationResponse`], [`TokenResponse`], [`IdTokenClaims`], [`IntrospectionResponse`],
//!   [`Metadata`], [`ErrorResponse`]
//! - when: [`Timestamp`] and [`Clock`], the only source of time for everybody else

mod access_token;
mod authority;
mod authorization_request;
mod authorization_response;
mod authorization_target;
mod bearer;
mod client_authentication;
mod clock;
mod end_session;
mod error_response;
mod grant_type;
mod id_token;
mod identifier;
mod introspection;
mod issuer;
mod key_number;
mod lifetime;
mod metadata;
mod nonce;
mod params;
mod pkce;
mod profile;
mod prompt;
mod query;
mod redirect_uri;
mod request_fault;
mod resource;
mod response_mode;
mod retry;
mod revocation;
mod scope;
mod secret;
mod text;
mod timestamp;
mod token_request;
mod token_response;
mod web_origin;

pub use access_token::AccessTokenClaims;
pub use authorization_request::AuthorizationRequest;
pub use authorization_response::AuthorizationResponse;
pub use authorization_target::{AuthorizationReply, AuthorizationTarget, STATE_BYTES_MAX};
pub use bearer::{BearerError, BearerToken};
pub use client_authentication::{BasicError, ClientAuthentication, TokenEndpointAuthMethod};
pub use clock::{Clock, ManualClock, SystemClock};
pub use end_session::EndSessionRequest;
pub use error_response::{ErrorCode, ErrorResponse};
pub use grant_type::GrantType;
pub use id_token::IdTokenClaims;
pub use identifier::{ClientId, IdentifierError, Subject, Username};
pub use introspection::{ActiveToken, IntrospectionRequest, IntrospectionResponse};
pub use issuer::{Issuer, IssuerError};
pub use key_number::{EpochNumber, Kid};
pub use lifetime::Lifetime;
pub use metadata::Metadata;
pub use nonce::{NONCE_BYTES_MAX, Nonce, NonceError};
pub use params::{
    FORM_BYTES_MAX, PARAMETER_COUNT_MAX, PARAMETER_NAME_BYTES_MAX, PARAMETER_VALUE_BYTES_MAX, Params, ParamsError,
};
pub use pkce::{CodeChallenge, CodeVerifier, PkceError};
pub use profile::Profile;
pub use prompt::{Prompt, PromptError, Prompts};
pub use query::with_query;
pub use redirect_uri::{REDIRECT_URI_BYTES_MAX, RedirectUri, RedirectUriError, RedirectUriFault};
pub use request_fault::RequestFault;
pub use resource::{Resource, ResourceError, Resources};
pub use response_mode::ResponseMode;
pub use retry::{RetryChallenge, RetryError, RetryVerifier};
pub use revocation::RevocationRequest;
pub use scope::{SCOPE_TOKENS_MAX, Scope, ScopeError};
pub use secret::Secret;
pub use timestamp::Timestamp;
pub use token_request::{CodeRequest, PasswordRequest, RefreshRequest, TokenRequest};
pub use token_response::TokenResponse;
pub use web_origin::{WEB_ORIGIN_BYTES_MAX, WebOrigin, WebOriginError, WebOriginFault};
