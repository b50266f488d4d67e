use std::net::IpAddr;

use regrant_protocol::Timestamp;

use crate::{AuthorizationServer, Happening, RequestContext, RequestId};

/// Hears of everything that happens, for metrics, an audit trail or alarms.
///
/// It is called on the way of a request, so it returns at once, and never waits for anything.
pub trait Observer: Send + Sync + 'static {
    /// This has happened.
    fn happened(&self, event: &Event<'_>);
}

/// Something that has happened. No event holds a token, a code, a secret or a password.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// In which request; `None` where it was none, or has no name.
    pub request: Option<&'a RequestId>,
    /// From where the request came.
    pub source: Option<IpAddr>,
    /// What.
    pub happening: Happening<'a>,
}

impl AuthorizationServer {
    /// Tells of an event, once, where it is decided: it is logged, refusals are remembered for a while, and the observer of
    /// [`Hooks`](crate::Hooks) hears of it.
    pub fn observe(&self, event: &Event<'_>) {
        event.log();
        self.recent_refusals.remember(event);
        if let Some(observer) = &self.hooks.observer {
            observer.happened(event);
        }
    }

    /// Tells of what happened in a request.
    pub(crate) fn tell(&self, context: &RequestContext, happening: Happening<'_>) {
        let (request, source) = (context.id.as_ref(), Some(context.source));
        self.observe(&Event { at: self.clock.now(), request, source, happening });
    }
}
