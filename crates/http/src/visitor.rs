use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use regrant_engine::Browser;

use crate::caller::Caller;
use crate::site::Site;

/// A person's browser: where the request comes from, with which cookies of ours.
pub(crate) struct Visitor(pub(crate) Browser);

impl FromRequestParts<Site> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        let Caller(context) = Caller::from_request_parts(parts, site).await?;
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Browser {
            context,
            cookies: site.jar().read(&parts.headers),
            user_agent: user_agent.map(str::to_owned),
        }))
    }
}
