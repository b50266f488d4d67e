//! The endpoints for clients and the pages for people as an axum router, to be merged into any axum application.
//!
//! A program with a login page of its own names it in [`SiteOptions`], and ends its handler with [`Site::log_in_as`].
//!
//! [`Dialects`] lets the endpoints for clients answer as another system does.
//!
//! A handler parses, acts and renders: every rule of OAuth is in the engine. The accept loop around the router may set two
//! request extensions: [`FirstByte`], and axum's `ConnectInfo<SocketAddr>`.

mod account;
mod answer;
mod assets;
mod authorize;
mod bearer;
mod by_option;
mod caller;
mod client;
mod consent;
mod cookies;
mod cors;
pub mod dialect;
mod elsewhere;
mod error_page;
mod first_byte;
mod foreign_form;
mod form;
mod introspect;
mod jwks;
mod link;
mod login;
mod login_page;
mod logout;
mod metadata;
mod own_form;
mod page;
mod revoke;
mod router;
mod same_origin;
mod single_header;
mod site;
mod token;
mod userinfo;
mod visitor;

pub use answer::{json, refusal, refused};
pub use caller::Caller;
pub use dialect::{AllowedValue, Choice, Dialect, DialectChoiceError, Dialects};
pub use first_byte::FirstByte;
pub use login_page::{LoginPage, LoginPageError};
pub use router::{TOKEN_PATHS, router, router_with_brand};
pub use site::{Site, SiteOptions};
pub use visitor::Visitor;
