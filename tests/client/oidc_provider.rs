//! What our own server does not offer, against oidc-provider: a login on another device, bound tokens with nonces, a key
//! instead of a secret, several resource servers for one login. `cargo xtask test` installs it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::http::{HeaderMap, Method, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regrant_client::{
    ApiRequest, AssertionAudience, Authentication, DeviceAuthorizationError, Dpop, Failure, IssuerIdentifier, LogOut,
    MemoryStorage, OAuthClient, PrivateKeyJwt, Provider, RequestBody, ReqwestTransport, Storage as _, Swap, Timer,
    TokenManager, Transport as _,
};
use regrant_crypto::{Algorithm, SigningKey, SystemEntropy};
use regrant_protocol::{ClientId, Clock, Resource, Resources, Scope, SystemClock, Timestamp};
use serde_json::{Value, json};

/// The running server, which ends with the test.
pub(crate) struct OidcProvider {
    issuer: String,
    process: Child,
}

impl OidcProvider {
    pub(crate) fn start(options: &[&str]) -> Self {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers/node/scripts");
        assert!(installed.exists(), "oidc-provider is not installed; `cargo xtask test` installs it");
        let mut process = Command::new("node")
            .args(["--preserve-symlinks", "--preserve-symlinks-main"])
            .arg(installed.join("oidc_provider.mjs"))
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
        Self { issuer: issuer.expect("it says where it listens"), process }
    }

    pub(crate) async fn client(&self, id: &str) -> OAuthClient {
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        let issuer = IssuerIdentifier::parse(&self.issuer).unwrap();
        let provider = Provider::discover(&issuer, &*transport).await.unwrap();
        OAuthClient::new(provider, ClientId::parse(id).unwrap(), transport)
    }

    /// What a person does on the other device.
    async fn approve(&self, user_code: &str) {
        let form = format!("user_code={user_code}");
        let request = reqwest::Client::new()
            .post(format!("{}/approve", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        assert_eq!(request.send().await.unwrap().status(), 204);
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A timer that waits for nothing; at its second pause the person approves.
struct Approving<'a> {
    server: &'a OidcProvider,
    user_code: String,
    pauses: AtomicU32,
}

#[async_trait]
impl Timer for Approving<'_> {
    async fn sleep(&self, _: Duration) {
        if self.pauses.fetch_add(1, Ordering::SeqCst) == 1 {
            self.server.approve(&self.user_code).await;
        }
    }
}

pub(crate) async fn log_in_on_another_device(server: &OidcProvider, client: &OAuthClient) -> TokenManager {
    let scope = Scope::parse("openid offline_access").unwrap();
    let login = client.device_authorization(&scope).await.unwrap();
    assert!(login.verification_uri().starts_with(&server.issuer));
    assert!(login.verification_uri_complete().unwrap().contains(login.user_code()));
    let timer = Approving { server, user_code: login.user_code().to_owned(), pauses: AtomicU32::new(0) };
    let credential = login.finish(&timer).await.unwrap();
    assert_eq!(timer.pauses.load(Ordering::SeqCst), 2, "once too early, and once more");
    let manager = TokenManager::new(client.clone(), MemoryStorage::default());
    manager.log_in(credential).await.unwrap();
    manager
}

/// Asks for the claims of the user, as an API would be asked.
pub(crate) async fn userinfo(manager: &TokenManager, client: &OAuthClient) -> (u16, u32) {
    let uri: axum::http::Uri = client.provider().userinfo_endpoint.as_ref().unwrap().parse().unwrap();
    let mut own = ApiRequest::new(manager, Method::GET, uri.clone()).await.unwrap();
    let transport = ReqwestTransport::new().unwrap();
    for tries in 1.. {
        let mut headers = HeaderMap::new();
        own.authorize(&mut headers);
        let mut request = Request::get(&uri).body(RequestBody::default()).unwrap();
        request.headers_mut().extend(headers);
        let answer: Response<Vec<u8>> = transport.send(request).await.unwrap();
        if !own.is_to_be_repeated(answer.status(), answer.headers()).await {
            return (answer.status().as_u16(), tries);
        }
    }
    unreachable!("a request ends")
}

/// Lets every access token of a login be needed anew.
async fn forget_access_tokens(storage: &MemoryStorage) {
    let mut kept = storage.load().await.unwrap().unwrap();
    let seen = kept.version();
    (kept.access, kept.narrowed) = (None, Vec::new());
    assert_eq!(storage.compare_and_swap(Some(seen), Some(&kept)).await, Ok(Swap::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bound_login_on_another_device_is_refreshed_and_used_with_and_without_nonces() {
    for options in [&[][..], &["--nonce"]] {
        let server = OidcProvider::start(options);
        let client = server.client("TestApp").await.with_dpop(Dpop::WhereOffered);
        assert!(!client.provider().dpop_algorithms.is_empty());
        let manager = log_in_on_another_device(&server, &client).await;
        let credential = manager.credential().await.unwrap().unwrap();
        let key = credential.dpop_key.clone().unwrap();
        let (status, tries) = userinfo(&manager, &client).await;
        assert_eq!((status, tries), (200, if options.is_empty() { 1 } else { 2 }), "{options:?}");
        assert_eq!(userinfo(&manager, &client).await, (200, 1), "the nonce is remembered");

        let storage = MemoryStorage::default();
        let mut refresh_tokens = vec![credential.refresh_token.clone().unwrap()];
        let manager = TokenManager::new(server.client("TestApp").await, storage.clone());
        manager.log_in(credential).await.unwrap();
        for _ in 0..3 {
            forget_access_tokens(&storage).await;
            let other = TokenManager::new(server.client("TestApp").await, storage.clone());
            other.access_token().await.unwrap();
            assert_eq!(userinfo(&other, &client).await.0, 200, "{options:?}");
            let kept = storage.load().await.unwrap().unwrap();
            assert_eq!(kept.dpop_key.as_ref(), Some(&key));
            refresh_tokens.push(kept.refresh_token.unwrap());
        }
        assert!(refresh_tokens.windows(2).all(|pair| pair[0] != pair[1]), "it rotates");
        assert_eq!(manager.log_out().await, Ok(LogOut::Revoked));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_is_bound_is_nothing_to_who_has_not_the_key() {
    let server = OidcProvider::start(&[]);
    let client = server.client("TestApp").await.with_dpop(Dpop::Required);
    let manager = log_in_on_another_device(&server, &client).await;
    let mut stolen = manager.credential().await.unwrap().unwrap();
    (stolen.dpop_key, stolen.access) = (None, None);
    let thief = TokenManager::new(server.client("TestApp").await, MemoryStorage::default());
    thief.log_in(stolen).await.unwrap();
    assert!(thief.access_token().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_login_has_a_token_of_its_own_for_each_resource_server() {
    let server = OidcProvider::start(&[]);
    let resources = ["https://a.example", "https://b.example"];
    let client = server.client("TestApp").await.for_resources(Resources::parse(resources).unwrap());
    let login = client
        .authorization("http://127.0.0.1/callback", &Scope::parse("openid offline_access read").unwrap())
        .unwrap();
    let query = browse(login.url()).await;
    let storage = MemoryStorage::default();
    let manager = TokenManager::new(client.clone(), storage.clone());
    manager.log_in(login.finish(&query).await.unwrap()).await.unwrap();
    for _ in 0..2 {
        for resource in resources {
            let token = manager.for_resource(&Resource::parse(resource).unwrap()).access_token().await.unwrap();
            assert_eq!(payload(token.expose())["aud"], resource);
        }
        forget_access_tokens(&storage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_proves_who_the_client_is_to_both_audiences_and_with_a_wrong_clock() {
    let keys: Vec<SigningKey> = [Algorithm::Es256, Algorithm::EdDsa].map(SigningKey::generate).into();
    let jwks = json!({ "keys": keys.iter().map(SigningKey::public_jwk).collect::<Vec<_>>() }).to_string();
    let server = OidcProvider::start(&["--client-jwks", &jwks]);
    for key in &keys {
        let text = STANDARD.encode(&*key.to_pkcs8());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        let own = PrivateKeyJwt::from_pem(&pem).unwrap();
        for (own, wrong_seconds) in [
            (own.clone(), 0),
            (own.clone().with_key_id(key.key_id()), 0),
            (own.clone().for_audience(AssertionAudience::TokenEndpoint), 0),
            (own.clone(), -3600),
            (own, 3600),
        ] {
            let client = server
                .client("TestKeys")
                .await
                .authenticated_by(Authentication::PrivateKeyJwt(own.clone()))
                .with_clock_and_entropy(Arc::new(WrongClock(wrong_seconds)), Arc::new(SystemEntropy));
            let credential = client.client_credentials(&Scope::parse("read").unwrap()).await;
            assert!(credential.is_ok(), "{own:?} {wrong_seconds}: {credential:?}");
        }
    }
    let stranger = PrivateKeyJwt::from_pem(&format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(&*SigningKey::generate(Algorithm::Es256).to_pkcs8())
    ));
    let client = server.client("TestKeys").await.authenticated_by(Authentication::PrivateKeyJwt(stranger.unwrap()));
    let refused = client.client_credentials(&Scope::empty()).await;
    assert!(matches!(refused, Err(Failure::ReRegister(_))), "{refused:?}");
    let unknown = server.client("Nobody").await.device_authorization(&Scope::empty()).await.unwrap_err();
    assert!(matches!(unknown, DeviceAuthorizationError::Failed(Failure::ReRegister(_))), "{unknown}");
}

struct WrongClock(i64);

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(self.0)
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic()
    }
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Goes where a browser is sent, with cookies, until it comes back to the client; the query that it comes with.
async fn browse(url: &str) -> String {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    let mut url = reqwest::Url::parse(url).unwrap();
    for _ in 0..10 {
        let cookie = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = browser.get(url.clone()).header("cookie", cookie).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answer.headers().get("location").unwrap_or_else(|| panic!("{} at {url}", answer.status()));
        url = url.join(location.to_str().unwrap()).unwrap();
        if url.path() == "/callback" {
            return url.query().unwrap().to_owned();
        }
    }
    panic!("the browser is sent around")
}
