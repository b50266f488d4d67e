//! How the endpoints for clients read requests and word answers, so that the clients of another system notice nothing.
//!
//! A [`Dialect`] is plain data. `read` and `client` turn a request into what the engine is asked, `success` and `render`
//! turn its answer into bytes, and each system has a file with its choices and its words. What is decided is the engine's, in every dialect:
//! where an original is unsafe, the dialect keeps its words and not its fault, and says so where it does.

mod bshaffer;
mod choice;
mod choices;
mod client;
mod dialects;
mod dotauth;
mod fault;
mod jiko;
mod json;
mod json_body;
mod members;
mod multipart;
mod paths;
mod read;
mod redcore;
mod render;
mod resource;
mod routes;
mod standard;
mod success;
mod tenant;
mod time_zone;
mod values;
mod wso2;

pub use choice::{AllowedValue, Choice, DialectChoiceError};
pub use choices::Dialect;
pub use dialects::Dialects;
pub(crate) use fault::Fault;
pub use members::{Member, Members};
pub use paths::Paths;
pub(crate) use resource::resource;
pub use routes::DialectPathError;
pub(crate) use routes::Routes;
pub use tenant::Tenant;
pub use time_zone::TimeZone;
pub use values::{
    BasicBesideBody, BasicEncoding, CacheControl, Challenge, ClientFailureStatus, ErrorCaching, ErrorMembers,
    ExpiresIn, JsonStyle, KeptRefreshToken, MalformedBasic, NeverExpires, OptionsMethod, OtherBody, OtherMethods,
    RepeatedParameter, RevocationBody, ScopeMember, SecretsInQuery, TokenType, TokenTypeHint, Words,
};
