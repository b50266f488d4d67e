use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{AdminError, BODY_BYTES_MAX};

/// The body of a request or an answer.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).expect("texts, numbers and lists can be written as JSON");
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, _: &S) -> Result<Self, AdminError> {
        let content_types: Vec<_> = request.headers().get_all(CONTENT_TYPE).iter().collect();
        if !matches!(content_types.as_slice(), [one] if is_json(one)) {
            return Err(AdminError::MediaType);
        }
        let bytes = read(request.into_body()).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            // An object itself has the path `.`, and what JSON is broken before its name is read `?`.
            let field = Some(error.path().to_string()).filter(|path| path != "." && !path.contains('?'));
            AdminError::Malformed { message: error.into_inner().to_string(), field }
        })?;
        json.end().map_err(|error| AdminError::Malformed { message: error.to_string(), field: None })?;
        Ok(Self(read))
    }
}

/// Where a body may be left out: then nothing says what it is.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, AdminError> {
        if !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// `application/json`, with no other parameter than `charset=UTF-8`.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            let parameter = parameter.replace('"', "");
            parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8")
        })
}

/// Reads a body of at most [`BODY_BYTES_MAX`], without taking room for more.
async fn read(body: Body) -> Result<Vec<u8>, AdminError> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(AdminError::TooLarge),
        Err(_) => {
            let message = "the body ended before it was complete".to_owned();
            Err(AdminError::Malformed { message, field: None })
        }
    }
}
