use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use crate::error_page::too_long;
use crate::site::Site;

/// The longest path and query that are read and written, in bytes.
pub(crate) const LINK_BYTES_MAX: usize = 8 * 1024;

/// The query of a link, not taken apart yet.
pub(crate) struct Link(pub(crate) Vec<u8>);

impl FromRequestParts<Site> for Link {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let query = parts.uri.query().unwrap_or_default();
        if parts.uri.path().len() + 1 + query.len() > LINK_BYTES_MAX {
            return Err(site.error(too_long(LINK_BYTES_MAX), parts.extensions.get()));
        }
        Ok(Self(query.as_bytes().to_vec()))
    }
}
