use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// A header that may be given only once was given more often.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header {0} is given more than once")]
pub(crate) struct GivenTwice(HeaderName);

/// The header of this name.
///
/// # Errors
/// When it is given more than once: which of them counts would depend on who reads.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, GivenTwice> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(GivenTwice(name.clone())) } else { Ok(first) }
}
