use axum::extract::{FromRequest, Request};
use axum::response::Response;
use regrant_engine::RequestId;
use regrant_protocol::Params;

use crate::error_page::from_elsewhere;
use crate::form::{FormFault, read_form};
use crate::same_origin::is_same_origin;
use crate::site::Site;

/// A form that only a page of ours may post: one that another site sent is refused before it is read (RFC 6749 §10.12).
pub(crate) struct OwnForm(pub(crate) Params);

impl FromRequest<Site> for OwnForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Response> {
        let id: Option<RequestId> = request.extensions().get().cloned();
        if !is_same_origin(request.headers(), site.server.issuer()) {
            return Err(site.error(from_elsewhere(), id.as_ref()));
        }
        let read = async { Ok(Self(Params::parse(&read_form(request).await?)?)) };
        read.await.map_err(|fault: FormFault| site.unreadable(&fault, id.as_ref()))
    }
}
