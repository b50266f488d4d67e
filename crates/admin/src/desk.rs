use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use regrant_engine::{Act, AuthorizationServer, Door, Event, Happening, RequestId};

use crate::Administration;

/// Where operators are served: all of them came through one door.
pub(crate) struct Desk {
    pub(crate) administration: Arc<Administration>,
    pub(crate) door: Door,
}

/// Who asks, as far as the connection tells.
pub(crate) struct Operator {
    /// From where; `None` for one on the same machine.
    pub(crate) source: Option<IpAddr>,
    /// In which request; `None` where it has no name.
    pub(crate) request: Option<RequestId>,
}

impl Desk {
    pub(crate) fn server(&self) -> &AuthorizationServer {
        &self.administration.server
    }

    /// Tells of what an operator has done to `object`.
    pub(crate) fn tell(&self, operator: &Operator, act: Act, object: &str) {
        self.server().observe(&Event {
            at: self.server().clock().now(),
            request: operator.request.as_ref(),
            source: operator.source,
            happening: Happening::Administered { act, object, door: self.door },
        });
    }
}

impl Operator {
    pub(crate) fn of(parts: &Parts) -> Self {
        Self {
            source: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0.ip()),
            request: parts.extensions.get::<RequestId>().cloned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
