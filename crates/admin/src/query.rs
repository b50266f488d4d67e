use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::AdminError;
use crate::{LISTED_DEFAULT, LISTED_MAX};

/// The query of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AdminError> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        let axum::extract::Query(query) =
            read.map_err(|rejection| AdminError::Malformed { message: rejection.body_text(), field: None })?;
        Ok(Self(query))
    }
}

/// How many are to be listed.
pub(crate) fn count_max(limit: Option<u32>) -> Result<u32, AdminError> {
    match limit.unwrap_or(LISTED_DEFAULT) {
        limit @ 1..=LISTED_MAX => Ok(limit),
        limit => Err(AdminError::Malformed {
            message: format!("limit is {limit}; it must be 1 to {LISTED_MAX}"),
            field: Some("limit".to_owned()),
        }),
    }
}
