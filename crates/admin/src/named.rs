use std::fmt::Display;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::error::AdminError;

/// The name in the path of a request.
pub(crate) struct Named(String);

impl Named {
    /// The thing that is meant; a name that nothing can have names nothing.
    pub(crate) fn parse<T, E>(&self, what: &'static str, parse: fn(&str) -> Result<T, E>) -> Result<T, AdminError> {
        parse(&self.0).map_err(|_| self.unknown(what))
    }

    /// There is nothing of this name.
    pub(crate) fn unknown(&self, what: &'static str) -> AdminError {
        AdminError::Unknown { what, name: self.0.clone() }
    }

    /// The name as it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            // Its percent-encoding is broken, or it is no UTF-8.
            Err(_) => Err(AdminError::NoSuchPath),
        }
    }
}

/// What a field of a query or body names, where it is given.
pub(crate) fn given<T, E: Display>(
    field: &'static str,
    text: Option<&str>,
    parse: fn(&str) -> Result<T, E>,
) -> Result<Option<T>, AdminError> {
    let wrong =
        |error: E| AdminError::Field { field, message: format!("{text:?}: {error}", text = text.unwrap_or_default()) };
    text.map(parse).transpose().map_err(wrong)
}
