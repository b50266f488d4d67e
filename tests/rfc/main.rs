//! What the specifications demand, one test per rule, against the whole server without its sockets.
//!
//! A test is named for the section it checks; `C-…` in its comment is the row of the requirements that it is the test of.

mod rfc6749_client_authentication;
mod rfc6749_parameters;
mod rfc6749_refresh;
mod rfc6749_token_response;
mod rfc7009;
mod rfc7662;
mod rfc8414;
mod rfc8707;
mod rfc9068;
mod rfc9700;
mod transport_rules;
