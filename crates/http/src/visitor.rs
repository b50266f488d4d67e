use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use regrant_engine::{AuthorizationServer, Browser};

use crate::caller::Caller;
use crate::cookies::CookieJar;

/// A person's browser: where the request comes from, with which cookies of ours.
pub struct Visitor(pub Browser);

impl<S: Sync> FromRequestParts<S> for Visitor
where
    Arc<AuthorizationServer>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Caller(context) = Caller::from_request_parts(parts, state).await?;
        let server = Arc::<AuthorizationServer>::from_ref(state);
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Browser {
            context,
            cookies: CookieJar::of(server.issuer()).read(&parts.headers),
            user_agent: user_agent.map(str::to_owned),
        }))
    }
}
