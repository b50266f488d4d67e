//! The crate openidconnect logs a user in, as a confidential client. Usage: openidconnect-client ISSUER

mod browser;

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use openidconnect::core::{CoreAuthPrompt, CoreClient, CoreResponseType, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse,
};
use url::Url;

use crate::browser::{Browser, agent};

const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
const USER: &[(&str, &str)] =
    &[("username", "bshaffer"), ("password", "brent123"), ("action", "login"), ("decision", "allow")];

fn main() -> Result<()> {
    let issuer = std::env::args().nth(1).context("usage: openidconnect-client ISSUER")?;
    let agent = agent();
    let http = |request: HttpRequest| -> Result<HttpResponse, ureq::Error> {
        let (head, mut body) = agent.run(request)?.into_parts();
        Ok(HttpResponse::from_parts(head, body.read_to_vec()?))
    };

    let server = ProviderMetadataWithLogout::discover(&IssuerUrl::new(issuer.clone())?, &http)?;
    println!("discovery: the issuer is the one that was asked for");

    let end_session = server.additional_metadata().end_session_endpoint.clone().context("no end_session_endpoint")?;
    let secret = ClientSecret::new("TestSecret".to_owned());
    let client = CoreClient::from_provider_metadata(server, ClientId::new("TestClient".to_owned()), Some(secret))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned())?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (authorization, state, nonce) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .add_prompt(CoreAuthPrompt::Consent) // OpenID Connect Core §11, for offline_access
        .set_pkce_challenge(challenge)
        .url();
    let mut browser = Browser::new();
    let callback = query(&browser.visit(authorization.clone(), REDIRECT_URI, USER)?);
    ensure!(callback.get("state") == Some(state.secret()), "another state came back: {callback:?}");
    ensure!(callback.get("iss") == Some(&issuer), "another issuer answered: {callback:?}");
    let code = AuthorizationCode::new(callback.get("code").context("no code")?.clone());
    println!("log in: the browser came back with a code");

    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http)?;
    let id_token = tokens.id_token().context("no ID token")?;
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce)?;
    let hash =
        AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, id_token.signing_key(&verifier)?)?;
    ensure!(claims.access_token_hash() == Some(&hash), "at_hash is not that of the access token");
    println!("redeem: the ID token has the right signature, issuer, audience, nonce and at_hash");

    let subject = claims.subject().clone();
    let userinfo: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), Some(subject))?.request(&http)?;
    ensure!(userinfo.email_verified() == Some(true), "userinfo has no verified e-mail address");
    println!("userinfo: the same user");

    let first = tokens.refresh_token().context("no refresh token")?;
    let rotated = client.exchange_refresh_token(first)?.request(&http)?;
    let second = rotated.refresh_token().context("no refresh token in the answer to a refresh")?;
    ensure!(second.secret() != first.secret(), "the refresh token was not rotated");
    println!("refresh: a new pair");

    let retried = client.exchange_refresh_token(first)?.request(&http)?;
    ensure!(retried.refresh_token().map(|token| token.secret()) == Some(second.secret()), "another successor");
    println!("retry: the same refresh token again has the same successor");

    let log_out = LogoutRequest::from(end_session)
        .set_id_token_hint(id_token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(REDIRECT_URI.to_owned())?)
        .set_state(CsrfToken::new("logged-out".to_owned()));
    let logged_out = browser.visit(log_out.http_get_url(), REDIRECT_URI, &[("decision", "log-out")])?;
    ensure!(query(&logged_out).get("state").is_some_and(|state| state == "logged-out"), "no state in {logged_out}");
    let silent = Url::parse(&authorization.as_str().replace("prompt=consent", "prompt=none"))?;
    let refused = query(&browser.visit(silent, REDIRECT_URI, &[])?);
    ensure!(refused.get("error").is_some_and(|error| error == "login_required"), "still logged in: {refused:?}");
    println!("log out: the browser came back, and nobody is logged in");
    Ok(())
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}
