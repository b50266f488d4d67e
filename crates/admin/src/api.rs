use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::on;
use serde_json::Value;

use crate::desk::Desk;
use crate::openapi::Document;
use crate::operation::Operation;

/// Router and OpenAPI document, made of one list of operations.
pub(crate) struct Api {
    router: Router<Arc<Desk>>,
    document: Document,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), document: Document::new() }
    }

    /// Adds an operation, and what does it.
    pub(crate) fn serves<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        self.router = self.router.route(operation.path, on(operation.method.filter(), handler));
        self.document.describe(&operation);
        self
    }

    pub(crate) fn into_parts(self) -> (Router<Arc<Desk>>, Value) {
        (self.router, self.document.finish())
    }
}
