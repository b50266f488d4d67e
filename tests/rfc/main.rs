//! What the specifications demand, one test per rule, against the whole server without its sockets.
//!
//! A test is named for the section it checks; `C-…` in its comment is the row of the requirements that it is the test of.

mod cors;
mod form_post;
mod oauth21;
mod openid_core_authorization;
mod openid_core_consent;
mod openid_core_id_token;
mod openid_core_key_rotation;
mod openid_core_prompt;
mod openid_core_userinfo;
mod openid_discovery;
mod openid_rp_initiated_logout;
mod page_forgery;
mod page_injection;
mod page_security;
mod rfc6749_authorization_endpoint;
mod rfc6749_client_authentication;
mod rfc6749_code;
mod rfc6749_parameters;
mod rfc6749_refresh;
mod rfc6749_security;
mod rfc6749_token_response;
mod rfc6750;
mod rfc7009;
mod rfc7636;
mod rfc7662;
mod rfc8252;
mod rfc8414;
mod rfc8707;
mod rfc9068;
mod rfc9207;
mod rfc9700;
mod rfc9700_front_channel;
mod transport_rules;
