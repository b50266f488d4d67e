use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get};
use regrant_protocol::Params;

use crate::dialect::resource;
use crate::site::Site;
use crate::{authorize, elsewhere};

/// The longest query that is searched for an option, in bytes.
const QUERY_BYTES_MAX: usize = 8 * 1024;

/// A page that is every endpoint, such as `/index.php?option=token&api=oauth2` of redCORE: `option` of the query says which,
/// also as `com_token`. `token` is the token endpoint.
pub(crate) fn by_option(token: MethodRouter<Site>) -> MethodRouter<Site> {
    any(move |State(site): State<Site>, request: Request| dispatch(token.clone(), site, request))
}

async fn dispatch(token: MethodRouter<Site>, site: Site, request: Request) -> Response {
    match option(request.uri().query().unwrap_or_default()).as_deref() {
        Some("token") => token.call(request, site).await,
        Some("resource") => any(resource).call(request, site).await,
        Some("authorize") => get(authorize::by_link).call(request, site).await,
        _ => elsewhere::nothing_here.call(request, site).await,
    }
}

/// The option of a query that asks for the API `oauth2`.
fn option(query: &str) -> Option<String> {
    if query.len() > QUERY_BYTES_MAX {
        return None;
    }
    let query = Params::parse_last_wins(query.as_bytes()).ok()?;
    query.get("api").filter(|api| api.eq_ignore_ascii_case("oauth2"))?;
    let option = query.get("option")?.to_ascii_lowercase();
    Some(option.strip_prefix("com_").map_or_else(|| option.clone(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_which_endpoint_it_is() {
        for (query, expected) in [
            ("option=token&api=oauth2", Some("token")),
            ("api=OAuth2&x=y&option=com_Token", Some("token")),
            ("option=authorize&api=oauth2&client_id=a", Some("authorize")),
            ("option=token&api=hal", None),
            ("option=token", None),
            ("api=oauth2", None),
            ("", None),
            ("option=%FF&api=oauth2", None),
        ] {
            assert_eq!(option(query).as_deref(), expected, "{query}");
        }
    }
}
