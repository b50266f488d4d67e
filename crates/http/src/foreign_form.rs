use axum::extract::{FromRequest, Request};
use axum::response::Response;
use regrant_engine::RequestId;

use crate::form::{FormFault, read_form};
use crate::link::LINK_BYTES_MAX;
use crate::page::see_other;
use crate::same_origin::is_cross_site;
use crate::site::Site;

/// A form that a client's page may post (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2), not taken apart yet.
///
/// A browser leaves our cookies out of a form that another site posts, and brings them along when a link is followed. So
/// such a form is turned into the link that says the same. One that fits into no link is refused: without cookies nobody is
/// logged in, and an answer would give the browser cookies of somebody new.
pub(crate) struct ForeignForm(pub(crate) Vec<u8>);

impl FromRequest<Site> for ForeignForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let is_cross_site = is_cross_site(request.headers(), site.server.issuer());
        let id: Option<RequestId> = request.extensions().get().cloned();
        let form = read_form(request).await.map_err(|fault| site.unreadable(&fault, id.as_ref()))?;
        match as_link(&path, &form) {
            _ if !is_cross_site => Ok(Self(form)),
            Some(link) => Err(see_other(&link)),
            None => Err(site.unreadable(&FormFault::NoLink, id.as_ref())),
        }
    }
}

/// The link with the form as its query, which is written in the same way.
fn as_link(path: &str, form: &[u8]) -> Option<String> {
    // What browsers write into a form (URL Standard, "application/x-www-form-urlencoded").
    let may_be_in_a_query = |&byte: &u8| byte.is_ascii_alphanumeric() || b"*-._~+%=&".contains(&byte);
    let fits = path.len() + 1 + form.len() <= LINK_BYTES_MAX;
    let query = str::from_utf8(form).ok().filter(|_| fits && form.iter().all(may_be_in_a_query))?;
    Some(format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_link_where_it_fits_into_one() {
        let long = format!("state={}", "x".repeat(LINK_BYTES_MAX));
        for (form, expected) in [
            ("client_id=a&state=%C3%A9+b", Some("/authorize?client_id=a&state=%C3%A9+b")),
            ("", Some("/authorize?")),
            ("state=a b", None),
            ("state=a#b", None),
            ("state=a\r\nb", None),
            ("state=é", None),
            (&long, None),
        ] {
            let link = as_link("/authorize", form.as_bytes());
            assert_eq!(link.as_deref(), expected, "{form:?}");
        }
    }
}
