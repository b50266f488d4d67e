use axum::http::StatusCode;

use crate::FORM;
use crate::server::{REQUEST, Server};

#[tokio::test]
async fn a_client_may_post_its_request_and_the_browser_brings_its_cookies_along() {
    let server = Server::start().await;
    for from in [("sec-fetch-site", "cross-site"), ("origin", "https://app.example"), ("origin", "null")] {
        let posted = server.send("POST", "/authorize", &[FORM, from], REQUEST).await;
        let location = format!("/t1/authorize?{REQUEST}");
        assert_eq!((posted.status, posted.header("location")), (StatusCode::SEE_OTHER, Some(&*location)), "{from:?}");
        assert_eq!(posted.header("referrer-policy"), Some("no-referrer"));
    }

    for headers in [&[FORM][..], &[FORM, ("sec-fetch-site", "same-site")]] {
        let shown = server.send("POST", "/authorize", headers, REQUEST).await;
        assert_eq!(shown.status, StatusCode::OK, "{headers:?}");
        assert!(shown.body.contains("name=\"password\""), "{headers:?}");
    }
    let long = format!("{REQUEST}&x={}", "y".repeat(8 * 1024 - 100));
    let refused = server.send("POST", "/authorize", &[FORM, ("sec-fetch-site", "cross-site")], &long).await;
    assert_eq!(
        (refused.status, refused.header("set-cookie")),
        (StatusCode::PAYLOAD_TOO_LARGE, None),
        "{}",
        refused.body
    );
}
