use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use regrant_protocol::{FORM_BYTES_MAX, Params, ParamsError};

use crate::answer::invalid_request;
use crate::link::LINK_BYTES_MAX;
use crate::single_header::{GivenTwice, single};

/// A form. The query string is never looked at (RFC 6749 §2.3.1).
pub(crate) struct Form {
    pub(crate) params: Params,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let read = async { Ok(Self { params: Params::parse(&read_form(request).await?)? }) };
        read.await.map_err(|fault: FormFault| invalid_request(fault.status(), &fault.to_string()))
    }
}

/// Where a form may be left out: then there is no body, or at least none that says what it is.
impl<S: Send + Sync> OptionalFromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Response> {
        if !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// Why a request brings no form that can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormFault {
    /// Another body than a form.
    #[error("the body must be application/x-www-form-urlencoded, in UTF-8")]
    MediaType,
    /// A header that has one meaning has two values.
    #[error(transparent)]
    Header(#[from] GivenTwice),
    /// More than [`FORM_BYTES_MAX`].
    #[error("the form body is larger than {FORM_BYTES_MAX} bytes")]
    TooLarge,
    /// Another site's form that is no link.
    #[error(
        "a form that another site posts has to be as short as a link ({LINK_BYTES_MAX} bytes), and written as browsers write forms"
    )]
    NoLink,
    /// The connection ended first.
    #[error("the body ended before it was complete")]
    Incomplete,
    /// It breaks a rule of forms.
    #[error(transparent)]
    Params(#[from] ParamsError),
}

impl FormFault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge | Self::NoLink => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Header(_) | Self::Incomplete | Self::Params(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the body of a form, which is not taken apart yet.
pub(crate) async fn read_form(request: Request) -> Result<Vec<u8>, FormFault> {
    if !single(request.headers(), &CONTENT_TYPE)?.is_some_and(is_form) {
        return Err(FormFault::MediaType);
    }
    read_body(request.into_body()).await
}

/// `application/x-www-form-urlencoded`, with no other parameter than `charset=UTF-8`.
pub(crate) fn is_form(value: &HeaderValue) -> bool {
    charset_of_form(value).is_some_and(|charset| charset.is_empty() || charset.eq_ignore_ascii_case("utf-8"))
}

/// The charset that a form names, empty where it names none; `None` of what is no form, or has another parameter.
pub(crate) fn charset_of_form(value: &HeaderValue) -> Option<String> {
    let mut parts = value.to_str().ok()?.split(';').map(str::trim);
    let is_type = parts.next()?.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let mut charset = String::new();
    for parameter in parts.filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        if !charset.is_empty() || !name.eq_ignore_ascii_case("charset") {
            return None;
        }
        charset = value.replace('"', "");
    }
    is_type.then_some(charset)
}

/// Reads a body of at most [`FORM_BYTES_MAX`], without taking room for more.
pub(crate) async fn read_body(body: Body) -> Result<Vec<u8>, FormFault> {
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(FormFault::TooLarge),
        Err(_) => Err(FormFault::Incomplete),
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
            ("application/x-www-form-urlencoded; charset=utf-8; charset=utf-8", false),
            ("application/x-www-form-urlencoded; version=1", false),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_form(&HeaderValue::from_static(value)), expected, "{value:?}");
        }
    }
}
