//! Many at once: parallel tabs, processes and nodes of a client.

use std::collections::HashSet;

use regrant_tests::{Answer, TestServer, USERNAME, at_once};

const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn of_64_refreshes_at_once_one_rotates_and_all_get_its_successor() {
    let server = TestServer::start().await;
    for app in [server.confidential("TestClient").register().await, server.public("TestApp").register().await] {
        let first = app.log_in().await.refresh_token();
        let answers = at_once(std::iter::repeat_n(app.refresh(&first), AT_ONCE)).await;
        let successors: HashSet<_> = answers.iter().map(Answer::refresh_token).collect();
        let access_tokens: HashSet<_> = answers.iter().map(Answer::jti).collect();
        assert_eq!((successors.len(), access_tokens.len()), (1, 1));
        let second = answers[0].refresh_token();
        let row = server.grant(&second).await;
        assert_eq!((row.generation.0, row.version), (2, 2));
        app.refresh(&second).send().await.assert_ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_window_0_of_64_refreshes_at_once_one_succeeds_and_the_grant_ends() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").retry_window(0).register().await;
    let first = app.log_in().await.refresh_token();
    let answers = at_once(std::iter::repeat_n(app.refresh(&first), AT_ONCE)).await;
    let successes: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    assert_eq!(successes.len(), 1);
    app.refresh(&successes[0].refresh_token()).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_at_once_do_not_touch_each_other() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let mut tokens = Vec::new();
    for _ in 0..8 {
        tokens.push(app.log_in().await.refresh_token());
    }
    for generation in 2..=8 {
        let answers = at_once(tokens.iter().map(|token| app.refresh(token))).await;
        tokens = answers.iter().map(Answer::refresh_token).collect();
        for token in &tokens {
            assert_eq!(server.grant(token).await.generation.0, generation);
        }
    }
}

/// A refresh that began after a revocation was answered is never answered 200.
#[tokio::test(flavor = "multi_thread")]
async fn refreshes_at_once_with_a_revocation_leave_nothing_alive() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for _ in 0..8 {
        let first = app.log_in().await.refresh_token();
        let mut requests = vec![app.refresh(&first); 15];
        requests.insert(7, app.revoke(&first));
        let answers = at_once(requests).await;
        answers[7].clone().assert_ok();
        let refreshed = answers.iter().find_map(|answer| answer.member("refresh_token"));
        for token in refreshed.into_iter().chain([first.as_str()]) {
            app.refresh(token).send().await.assert_error(400, "invalid_grant");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_passwords_guessed_at_once_ten_are_tried() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let guess = app.token("password").with("username", USERNAME).with("password", "guess");
    let guesses = at_once(std::iter::repeat_n(guess, AT_ONCE)).await;
    assert_eq!(guesses.iter().filter(|answer| answer.status == 400).count(), 10);
    assert_eq!(guesses.iter().filter(|answer| answer.status == 429).count(), AT_ONCE - 10);

    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for answer in at_once(std::iter::repeat_n(app.password(), 30)).await {
        answer.assert_ok();
    }
}

/// Guesses at once cannot outrun the budget, and a start does not make the owner pay for the crowd of its own requests.
#[tokio::test(flavor = "multi_thread")]
async fn of_64_secrets_at_once_ten_wrong_ones_are_tried_and_every_right_one_is_believed() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").secret("TestSecret").register().await;
    let guess = server.post("/token").basic("TestClient", "guess").form("grant_type=client_credentials");
    let guesses = at_once(std::iter::repeat_n(guess.from_address("192.0.2.1"), AT_ONCE)).await;
    assert_eq!(guesses.iter().filter(|answer| answer.status == 401).count(), 10);
    assert_eq!(guesses.iter().filter(|answer| answer.status == 429).count(), AT_ONCE - 10);
    assert_eq!(server.engine.hash_calls(), 1 + 1 + 10, "the client's, the user's, and the guesses");

    let right = app.token("client_credentials").from_address("192.0.2.2");
    for answer in at_once(std::iter::repeat_n(right, AT_ONCE)).await {
        answer.assert_ok();
    }
    assert_eq!(server.engine.hash_calls(), 1 + 1 + 10 + 1, "one is enough to know the secret");
}
