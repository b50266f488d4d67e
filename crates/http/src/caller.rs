use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use regrant_engine::{AuthorizationServer, RequestContext, RequestId};

use crate::FirstByte;

/// Where a request comes from and when it began, as the accept loop knows it.
///
/// Without an accept loop that tells, all requests come from one address and begin when they are handled.
pub struct Caller(pub RequestContext);

impl<S: Sync> FromRequestParts<S> for Caller
where
    Arc<AuthorizationServer>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let server = Arc::<AuthorizationServer>::from_ref(state);
        let source = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0.ip());
        let first_byte = parts.extensions.get::<FirstByte>().map(|first_byte| first_byte.0);
        Ok(Self(RequestContext {
            source: source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            first_byte: first_byte.unwrap_or_else(|| server.clock().monotonic()),
            id: parts.extensions.get::<RequestId>().cloned(),
        }))
    }
}
