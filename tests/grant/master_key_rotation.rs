//! Master keys: replaced while clients go on, retired in an emergency, and broken off at every write.

use std::sync::Arc;

use regrant_crypto::Algorithm;
use regrant_engine::{KeyView, MasterKeyState, MasterKeyView};
use regrant_grant::{REFRESH_PREFIX, TokenParts};
use regrant_protocol::Kid;
use regrant_store::{AccessTokenFormat, Store};
use regrant_tests::{Answer, Fault, TestClient, TestServer, at_once};
use tokio::task::yield_now;

const CALLBACK: &str = "https://app.example/cb";

fn kid(refresh_token: &str) -> u8 {
    TokenParts::parse(REFRESH_PREFIX, refresh_token).expect("it is one of ours").head.kid.0
}

async fn announced(server: &TestServer) -> Vec<u8> {
    server.store.announced_keys().await.expect("the store answers").iter().map(|key| key.kid.0).collect()
}

/// Those in force, and which of them is the newest.
async fn master_keys(server: &TestServer) -> Vec<(u8, bool)> {
    let only = |key: &KeyView| match key {
        KeyView::Master(MasterKeyView { kid, state }) => {
            (*state != MasterKeyState::Prepared).then_some((kid.0, *state == MasterKeyState::Newest))
        }
        KeyView::Signing(_) => None,
    };
    server.engine.keys().await.expect("the store answers").iter().filter_map(only).collect()
}

/// A client with a generated secret and opaque access tokens, so that everything it has is made of master keys.
async fn client<'a>(server: &'a TestServer) -> TestClient<'a> {
    let builder = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]);
    builder.format(AccessTokenFormat::Opaque).register().await
}

#[tokio::test]
async fn whatever_is_under_way_goes_on_under_a_new_key() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let tokens = app.log_in().await;
    let itself = app.token("client_credentials").send().await.access_token();
    let used = app.log_in().await.refresh_token();
    app.refresh(&used).send().await.assert_ok();
    let mut browser = server.user_agent();
    let code = browser.obtain_code(&app.authorization().with("scope", "read")).await;
    let mut newcomer = server.user_agent();
    let login = newcomer.authorize(&app.authorization().with("scope", "read")).await.assert_login_page();
    let page = browser.reach_consent(&app.authorization().with("scope", "write")).await.assert_consent_page();

    assert_eq!(server.engine.rotate_master_key(&*server.key_file, false).await.unwrap(), Kid(2));
    assert_eq!((server.key_file.kids(), announced(&server).await), (vec![1, 2], vec![1, 2]));
    assert_eq!(master_keys(&server).await, [(1, false), (2, true)]);

    let restarted = server.restart().await;
    let [first, second] = [&server, &restarted].map(|server| app.at(server));
    for app in [&first, &second] {
        app.introspect(&tokens.access_token()).send().await.assert_active();
        app.introspect(&itself).send().await.assert_active();
    }
    // A code, pages in flight, and a login session.
    let allowed = browser.allow(&page).await.redirect();
    let resume = newcomer.log_in(&login).await;
    let newcomers = newcomer.follow(&resume).await.redirect();
    for code in [code, allowed.code(), newcomers.code()] {
        let redeemed = first.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
        assert_eq!(kid(&redeemed.refresh_token()), 2);
    }
    browser.authorize(&app.authorization().with("scope", "read").with("prompt", "none")).await.redirect().code();
    // A refresh token, its retry, and its reuse.
    let successor = first.refresh(&tokens.refresh_token()).send().await.refresh_token();
    assert_eq!((kid(&tokens.refresh_token()), kid(&successor)), (1, 2));
    second.refresh(&tokens.refresh_token()).send().await.assert_refresh_token(&successor);
    let last = second.refresh(&successor).send().await.refresh_token();
    first.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
    first.refresh(&last).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_prepared_key_makes_nothing_until_a_rotation_puts_it_in_force() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    for _ in 0..2 {
        assert_eq!(server.engine.prepare_master_key(&*server.key_file).await.unwrap(), Kid(2), "there is one already");
    }
    assert_eq!((server.key_file.kids(), announced(&server).await), (vec![1, 2], vec![1]));
    let restarted = server.restart().await;
    for server in [&server, &restarted] {
        assert_eq!(master_keys(server).await, [(1, true)]);
        assert_eq!(kid(&app.at(server).log_in().await.refresh_token()), 1);
    }
    // Whoever reads the file has the prepared key too.
    let token = app.log_in().await.refresh_token();
    assert_eq!(restarted.engine.rotate_master_key(&*restarted.key_file, true).await.unwrap(), Kid(3));
    app.at(&restarted).refresh(&token).send().await.assert_error(400, "invalid_grant");
    assert_eq!((restarted.key_file.kids(), announced(&restarted).await), (vec![3], vec![3]));
    assert_eq!(restarted.engine.prepare_master_key(&*restarted.key_file).await.unwrap(), Kid(4));
    assert_eq!(restarted.engine.rotate_master_key(&*restarted.key_file, false).await.unwrap(), Kid(4));
    assert_eq!(master_keys(&restarted).await, [(3, false), (4, true)]);
}

#[tokio::test]
async fn in_an_emergency_whatever_was_made_under_the_old_keys_is_dead() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let jwt = server.confidential("Jwt").register().await.log_in().await.access_token();
    server.engine.rotate_master_key(&*server.key_file, false).await.unwrap();
    let tokens = app.log_in().await;
    let itself = app.token("client_credentials").send().await.access_token();
    for access_token in [&tokens.access_token(), &itself, &jwt] {
        assert!(server.is_good(access_token).await);
    }
    let mut browser = server.user_agent();
    let code = browser.obtain_code(&app.authorization().with("scope", "read")).await;
    let page = browser.reach_consent(&app.authorization().with("scope", "write")).await.assert_consent_page();

    assert_eq!(server.engine.rotate_master_key(&*server.key_file, true).await.unwrap(), Kid(3));
    assert_eq!((server.key_file.kids(), announced(&server).await), (vec![3], vec![3]));
    let restarted = server.restart().await;
    for server in [&server, &restarted] {
        let app = app.at(server);
        assert_eq!(master_keys(server).await, [(3, true)]);
        for access_token in [&tokens.access_token(), &itself, &jwt] {
            assert!(!server.is_good(access_token).await);
        }
        let refused = app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
        assert!(refused.member("error_description").unwrap().contains("under a key or an epoch that has ended"));
        let redeemed = app.redeem(&code).with("redirect_uri", CALLBACK).send().await;
        redeemed.assert_error(400, "invalid_grant");
        // RFC 7009 §2.2: a token that is dead already is no error.
        app.revoke(&tokens.refresh_token()).send().await.assert_ok();
        // The secret of the client is good, and whoever logs in anew goes on.
        let anew = app.log_in().await;
        assert_eq!(kid(&anew.refresh_token()), 3);
        app.refresh(&anew.refresh_token()).send().await.assert_ok();
        app.introspect(&anew.access_token()).send().await.assert_active();
    }
    let refused = browser.allow(&page).await.assert_page(403);
    assert!(refused.text_of_body().contains("This page is not valid any more"), "it was sealed under a dead key");
    let silent = app.authorization().with("scope", "read").with("prompt", "none");
    browser.authorize(&silent).await.redirect().code();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_refreshes_notices_a_rotation() {
    const GRANTS: usize = 8;
    let server = Arc::new(TestServer::start().await);
    let app = server.confidential("TestClient").register().await;
    let mut tokens = Vec::new();
    for _ in 0..GRANTS {
        tokens.push(app.log_in().await.refresh_token());
    }
    let rotating = tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            for _ in 0..20 {
                server.engine.rotate_master_key(&*server.key_file, false).await.unwrap();
                server.engine.rotate_signing_key(Algorithm::Es256, false).await.ok();
            }
        }
    });
    let mut rounds = 0;
    while !rotating.is_finished() || rounds < 5 {
        // Two tabs each, so that one of them meets the row that the other has moved to a newer key.
        let twice = tokens.iter().flat_map(|token| [token, token]);
        let answers = at_once(twice.map(|token| app.refresh(token))).await;
        tokens = answers
            .chunks(2)
            .map(|pair| {
                let successors = [&pair[0], &pair[1]].map(Answer::refresh_token);
                assert_eq!(successors[0], successors[1], "one successor, whatever key it is made under");
                successors[0].clone()
            })
            .collect();
        rounds += 1;
    }
    rotating.await.unwrap();
    app.refresh(&tokens[0]).send().await.assert_ok();
    assert_eq!(master_keys(&server).await.len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_refreshes_while_an_emergency_runs_does_not_stay_in() {
    const GRANTS: usize = 20;
    let server = Arc::new(TestServer::start().await);
    let app = server.confidential("TestClient").register().await;
    let mut lines = Vec::new();
    for _ in 0..GRANTS {
        lines.push(vec![app.log_in().await.refresh_token()]);
    }
    let key_writes = server.store.hold_key_writes();
    let rotating = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.engine.rotate_master_key(&*server.key_file, true).await }
    });
    let mut rounds = 0;
    while !rotating.is_finished() {
        // Everybody comes between any two writes of the rotation.
        let answers = at_once(lines.iter().map(|line| app.refresh(line.last().unwrap()).may_be_unavailable())).await;
        for (line, answer) in lines.iter_mut().zip(answers) {
            if answer.status == 200 {
                line.push(answer.refresh_token());
            }
        }
        rounds += 1;
        key_writes.add_permits(1);
        yield_now().await;
    }
    assert_eq!(rotating.await.unwrap().unwrap(), Kid(2));
    assert!(rounds >= 1, "before the one write of the store");
    assert!(lines.iter().all(|line| line.len() > 1), "they were let in meanwhile");
    for server in [&*server, &server.restart().await] {
        let app = app.at(server);
        // The newest first: an older one would end a grant that lives.
        for token in lines.iter().flat_map(|line| line.iter().rev()) {
            app.refresh(token).send().await.assert_error(400, "invalid_grant");
        }
        let anew = app.log_in().await.refresh_token();
        assert_eq!(kid(&app.refresh(&anew).send().await.refresh_token()), 2);
    }
}

#[tokio::test]
async fn a_refresh_that_is_decided_after_the_retirement_is_refused() {
    let server = Arc::new(TestServer::start().await);
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    let emergency = Arc::clone(&server);
    server.store.before_next_step(async move {
        emergency.engine.rotate_master_key(&*emergency.key_file, true).await.unwrap();
    });
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.key_file.kids(), [2]);
}

/// What a rotation that was broken off left behind.
struct Broken {
    server: TestServer,
    secret: Option<String>,
    refresh_token: String,
    access_token: String,
    is_finished: bool,
}

async fn broken_off(emergency: bool, writes_before: u32, fault: Fault) -> Broken {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let tokens = app.log_in().await;
    let (secret, refresh_token, access_token) = (app.secret.clone(), tokens.refresh_token(), tokens.access_token());
    server.store.crash_at_key_write(Some((writes_before, fault)));
    let rotated = server.engine.rotate_master_key(&*server.key_file, emergency).await;
    server.store.crash_at_key_write(None);
    server.store.fail(None);
    // Somebody refreshes before anybody has mended it.
    let refreshed = app.refresh(&refresh_token).send().await;
    let refresh_token = if refreshed.status == 200 { refreshed.refresh_token() } else { refresh_token };
    Broken { server, secret, refresh_token, access_token, is_finished: rotated.is_ok() }
}

impl Broken {
    /// Store and key file belong together, whichever keys they have, and the server they make does everything.
    async fn check(&self, server: &TestServer, must_be_dead: bool, case: &str) {
        let announced = announced(server).await;
        let in_force: Vec<_> = master_keys(server).await.iter().map(|(kid, _)| *kid).collect();
        assert_eq!(in_force, announced, "{case}");
        let in_file = server.key_file.kids();
        assert!(announced.iter().all(|kid| in_file.contains(kid)), "{case}: {announced:?} but {in_file:?}");
        let app = server.confidential("Another").register().await;
        let anew = app.log_in().await;
        let next = app.refresh(&anew.refresh_token()).send().await.assert_ok();
        assert_eq!(Some(kid(&next.refresh_token())), announced.last().copied(), "{case}");
        app.introspect(&next.access_token()).send().await.assert_active();

        let basic =
            |path| server.post(path).basic("TestClient", self.secret.as_ref().expect("the client has a secret"));
        let told = basic("/introspect").with("token", &self.access_token).send().await;
        let refresh = basic("/token").with("grant_type", "refresh_token").with("refresh_token", &self.refresh_token);
        let refreshed = refresh.send().await;
        let lives = announced.contains(&kid(&self.refresh_token));
        assert!(!(must_be_dead && lives), "{case}: an emergency that is finished leaves no old key");
        if lives {
            told.assert_active();
            refreshed.assert_ok();
        } else {
            told.assert_inactive();
            refreshed.assert_error(400, "invalid_grant");
        }
    }
}

/// A process may end between any two writes, or with one of them done and nobody told.
#[tokio::test]
async fn a_rotation_that_is_broken_off_anywhere_leaves_what_can_be_started_and_rotated_again() {
    for emergency in [false, true] {
        for fault in [Fault::Refuses, Fault::ForgetsToAnswer] {
            let mut breaks = 0;
            loop {
                let case = format!("emergency: {emergency}, {fault:?} at write {breaks}");
                let broken = broken_off(emergency, breaks, fault).await;
                if broken.is_finished {
                    break;
                }
                // An emergency has begun when the file says so.
                let has_begun = emergency && broken.server.key_file.kids().contains(&2);
                let restarted = broken.server.restart().await;
                broken.check(&restarted, has_begun, &format!("{case}, started again")).await;

                // The same in the process that saw it fail, and which then is started again.
                let broken = broken_off(emergency, breaks, fault).await;
                let again = broken.server.engine.rotate_master_key(&*broken.server.key_file, emergency).await;
                assert!(again.is_ok(), "{case}, asked again: {again:?}");
                let file = broken.server.key_file.kids();
                assert_eq!(file, announced(&broken.server).await, "{case}, asked again");
                broken
                    .check(&broken.server.restart().await, emergency, &format!("{case}, asked and started again"))
                    .await;
                breaks += 1;
            }
            // Key file and store; the signing keys of ES256 and EdDSA are sealed anew; in an emergency the store exchanges all
            // keys at once, and the old master key goes from the key file.
            assert_eq!(breaks, if emergency { 3 } else { 4 }, "emergency: {emergency}, {fault:?}");
        }
    }
}

/// Between store and key file a crash leaves a retired key in the file. It opens nothing, and goes with the next rotation.
#[tokio::test]
async fn a_retired_key_that_is_left_in_the_file_is_not_used() {
    let last_write = 2;
    let broken = broken_off(true, last_write, Fault::Refuses).await;
    assert_eq!((broken.server.key_file.kids(), announced(&broken.server).await), (vec![1, 2], vec![2]));
    let restarted = broken.server.restart().await;
    broken.check(&restarted, true, "started again").await;
    assert_eq!(restarted.key_file.kids(), [1, 2]);
    restarted.engine.rotate_master_key(&*restarted.key_file, false).await.unwrap();
    assert_eq!((restarted.key_file.kids(), announced(&restarted).await), (vec![2, 3], vec![2, 3]));
}
