use std::sync::Arc;

use axum::Router;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get};
use regrant_engine::{AuthorizationServer, Refusal};
use regrant_http::{refusal, router_with_brand};
use regrant_pages::Brand;
use regrant_protocol::{ErrorCode, ErrorResponse, Issuer, Metadata};

/// Everything that is answered to clients and users, and a hint at every other path.
pub(crate) fn site(server: Arc<AuthorizationServer>, brand: Brand) -> Router {
    let account = see_account(server.issuer());
    router_with_brand(server, brand).route("/", account).fallback(no_such_endpoint)
}

/// What people find who open the address alone: their account, which asks who they are.
fn see_account(issuer: &Issuer) -> MethodRouter {
    let account = issuer.endpoint(Metadata::ACCOUNT_PATH);
    get(|| async move { Redirect::to(&account) })
}

async fn no_such_endpoint() -> Response {
    let hint = "no such endpoint; GET /.well-known/oauth-authorization-server lists those that there are";
    let response = ErrorResponse::new(ErrorCode::InvalidRequest, hint);
    refusal(&Refusal { status: 404, retry_after_seconds: None, response })
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
