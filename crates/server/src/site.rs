use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{MethodRouter, get};
use regrant_engine::AuthorizationServer;
use regrant_http::{Dialects, Site, SiteOptions};
use regrant_pages::Brand;
use regrant_protocol::{Issuer, Metadata};

/// Everything that is answered to clients and users, and a hint at every other path.
pub(crate) fn site(server: Arc<AuthorizationServer>, brand: Brand, dialects: Dialects) -> Router {
    let account = see_account(server.issuer());
    Site::new(server, SiteOptions { brand, dialects, ..SiteOptions::default() }).router_with_hint().route("/", account)
}

/// What people find who open the address alone: their account, which asks who they are.
fn see_account(issuer: &Issuer) -> MethodRouter {
    let account = issuer.endpoint(Metadata::ACCOUNT_PATH);
    get(|| async move { Redirect::to(&account) })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http::header::LOCATION;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn who_opens_the_address_comes_to_the_account() {
        let issuer = Issuer::parse("http://127.0.0.1:8080").unwrap();
        let router = Router::new().route("/", see_account(&issuer));
        let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()[LOCATION], "http://127.0.0.1:8080/account");
    }
}
