//! The crate oauth2 logs a user in, as a public client. Usage: oauth2-client ISSUER

mod browser;

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicRequestTokenError};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, HttpRequest, HttpResponse, PkceCodeChallenge, RedirectUrl,
    RevocationUrl, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};

use crate::browser::{Browser, agent};

const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
const USER: &[(&str, &str)] =
    &[("username", "bshaffer"), ("password", "brent123"), ("action", "login"), ("decision", "allow")];

fn main() -> Result<()> {
    let issuer = std::env::args().nth(1).context("usage: oauth2-client ISSUER")?;
    let agent = agent();
    let http = |mut request: HttpRequest| -> Result<HttpResponse, ureq::Error> {
        let plain = request.uri().to_string().replacen("https://", "http://", 1);
        *request.uri_mut() = plain.parse().expect("a URL with another scheme is a URL");
        let (head, mut body) = agent.run(request)?.into_parts();
        Ok(HttpResponse::from_parts(head, body.read_to_vec()?))
    };

    // It knows no metadata: whoever uses it writes the endpoints down. It revokes over https alone, on loopback too; what
    // carries its requests makes that plain HTTP.
    let revocation = format!("{issuer}/revoke").replacen("http://", "https://", 1);
    let client = BasicClient::new(ClientId::new("TestApp".to_owned()))
        .set_auth_uri(AuthUrl::new(format!("{issuer}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{issuer}/token"))?)
        .set_revocation_url(RevocationUrl::new(revocation)?)
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned())?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (authorization, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let callback = Browser::new().visit(authorization, REDIRECT_URI, USER)?;
    let callback: HashMap<String, String> = callback.query_pairs().into_owned().collect();
    ensure!(callback.get("state") == Some(state.secret()), "another state came back: {callback:?}");
    let code = AuthorizationCode::new(callback.get("code").context("no code")?.clone());
    println!("log in: the browser came back with a code");

    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request(&http)?;
    let first = tokens.refresh_token().context("no refresh token")?;
    println!("redeem: a pair");

    let rotated = client.exchange_refresh_token(first).request(&http)?;
    let second = rotated.refresh_token().context("no refresh token in the answer to a refresh")?;
    ensure!(second.secret() != first.secret(), "the refresh token was not rotated");
    println!("refresh: a new pair");

    let retried = client.exchange_refresh_token(first).request(&http)?;
    ensure!(retried.refresh_token().map(|token| token.secret()) == Some(second.secret()), "another successor");
    println!("retry: the same refresh token again has the same successor");

    client.revoke_token(StandardRevocableToken::from(second.clone()))?.request(&http)?;
    match client.exchange_refresh_token(second).request(&http) {
        Err(BasicRequestTokenError::ServerResponse(error)) => {
            ensure!(*error.error() == BasicErrorResponseType::InvalidGrant, "another error: {error}");
        }
        Err(error) => return Err(error.into()),
        Ok(_) => bail!("a refresh token that was revoked was accepted"),
    }
    println!("revoke: the session has ended");
    Ok(())
}
