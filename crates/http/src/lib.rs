//! The endpoints as an axum router, to be merged into any axum application.
//!
//! A handler parses, acts and renders: every rule of OAuth is in the engine. The accept loop around the router may set two
//! request extensions: [`FirstByte`], and axum's `ConnectInfo<SocketAddr>`.

mod answer;
mod caller;
mod first_byte;
mod form;
mod introspect;
mod jwks;
mod metadata;
mod revoke;
mod router;
mod token;

pub use answer::{json, refusal, refused};
pub use caller::Caller;
pub use first_byte::FirstByte;
pub use router::{TOKEN_PATHS, router};
