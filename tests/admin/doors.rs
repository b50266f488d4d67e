use regrant_admin::{AdminToken, router_with_token};
use regrant_tests::TestServer;

use crate::office::{Office, administration};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn listener(server: &TestServer) -> Office {
    Office::behind(router_with_token(administration(server), AdminToken::parse(TOKEN).expect("it is long enough")))
}

#[tokio::test]
async fn the_listener_lets_in_only_who_has_the_token() {
    let server = TestServer::start().await;
    let office = listener(&server);
    let right = format!("Bearer {TOKEN}");
    for (header, is_right) in [
        (Some(right.clone()), true),
        (Some(right.replace("Bearer", "bearer")), true),
        (Some(format!("{right}0")), false),
        (Some(right[..right.len() - 1].to_owned()), false),
        (Some(right.to_uppercase()), false),
        (Some(right.replace("Bearer", "Basic")), false),
        (Some(TOKEN.to_owned()), false),
        (None, false),
    ] {
        let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
        for path in ["/status", "/clients", "/openapi.json", "/nothing"] {
            let reply = office.send("GET", path, &headers, "").await;
            if is_right {
                assert_ne!(reply.status, 401, "{header:?} {path}");
            } else if reply.status != 429 {
                assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"regrant admin\"");
                reply.assert_refused(401, "unauthorized", None);
            }
            server.clock.advance_seconds(3);
        }
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = TestServer::start().await;
    let office = listener(&server);
    let send =
        async |token: &str| office.send("GET", "/keys", &[("authorization", &*format!("Bearer {token}"))], "").await;
    for guess in 0..10 {
        send(&format!("{TOKEN}{guess}")).await.assert_refused(401, "unauthorized", None);
    }
    for token in ["another", TOKEN] {
        let reply = send(token).await;
        assert_eq!(reply.headers["retry-after"], "3", "{token}");
        reply.assert_refused(429, "too_many_failures", None);
    }
    assert_eq!(office.get("/keys").await.status, 401, "who sends none guesses nothing");
    server.clock.advance_seconds(3);
    send(TOKEN).await.assert(200);
    send(TOKEN).await.assert(200);
}
