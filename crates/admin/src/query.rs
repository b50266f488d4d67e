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
        let axum::extract::Query(query) = read.map_err(|rejection| malformed(&rejection.body_text()))?;
        Ok(Self(query))
    }
}

/// What axum says about a query, without its own words before it; the name of a parameter is said first.
fn malformed(told: &str) -> AdminError {
    let told = told.rsplit_once("query string: ").map_or(told, |(_, told)| told);
    match told
        .split_once(": ")
        .filter(|(name, _)| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'))
    {
        Some((name, told)) => AdminError::Malformed { message: told.to_owned(), field: Some(name.to_owned()) },
        None => AdminError::Malformed { message: told.to_owned(), field: None },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GrantsQuery;

    #[test]
    fn a_query_is_refused_with_the_parameter_that_is_wrong() {
        for (query, field, told) in [
            ("limit=many", Some("limit"), "invalid digit"),
            ("revoked=maybe", Some("revoked"), "true"),
            ("usr=alice", Some("usr"), "unknown field `usr`, expected one of `user`"),
        ] {
            let uri = format!("/grants?{query}").parse().unwrap();
            let read = axum::extract::Query::<GrantsQuery>::try_from_uri(&uri);
            let AdminError::Malformed { message, field: named } = malformed(&read.unwrap_err().body_text()) else {
                panic!("{query}");
            };
            assert_eq!(named.as_deref(), field, "{query}: {message}");
            assert!(message.contains(told) && !message.contains("Failed"), "{message}");
        }
    }
}
