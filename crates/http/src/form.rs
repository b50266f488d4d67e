use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use regrant_protocol::{FORM_BYTES_MAX, Params};

use crate::answer::invalid_request;

/// A form and the `Authorization` header that came with it. The query string is never looked at (RFC 6749 §2.3.1).
pub(crate) struct Form {
    pub(crate) params: Params,
    authorization: Option<HeaderValue>,
}

impl Form {
    /// The `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<&[u8]> {
        self.authorization.as_ref().map(HeaderValue::as_bytes)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let bad = |description: &str| invalid_request(StatusCode::BAD_REQUEST, description);
        let content_type = single(request.headers(), &CONTENT_TYPE).map_err(|twice| bad(&twice))?;
        if !content_type.is_some_and(is_form) {
            return Err(invalid_request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/x-www-form-urlencoded, in UTF-8",
            ));
        }
        let authorization = single(request.headers(), &AUTHORIZATION).map_err(|twice| bad(&twice))?.cloned();
        let body = read(request.into_body()).await?;
        let params = Params::parse(&body).map_err(|error| bad(&error.to_string()))?;
        Ok(Self { params, authorization })
    }
}

/// The header of this name, which may not be given twice.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(format!("the header {name} is given more than once")) } else { Ok(first) }
}

/// `application/x-www-form-urlencoded`, with no other parameter than `charset=UTF-8`.
fn is_form(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let is_type = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    is_type
        && parts.all(|parameter| {
            let parameter = parameter.replace('"', "");
            parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8")
        })
}

/// Reads a body of at most [`FORM_BYTES_MAX`], without taking room for more.
async fn read(body: Body) -> Result<Vec<u8>, Response> {
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(invalid_request(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("the form body is larger than {FORM_BYTES_MAX} bytes"),
        )),
        Err(_) => Err(invalid_request(StatusCode::BAD_REQUEST, "the body ended before it was complete")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_urlencoded_form_in_utf8_is_a_form() {
        for (value, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true),
            ("application/x-www-form-urlencoded;charset=\"utf-8\"", true),
            ("application/x-www-form-urlencoded; charset=latin1", false),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_form(&HeaderValue::from_static(value)), expected, "{value:?}");
        }
    }
}
