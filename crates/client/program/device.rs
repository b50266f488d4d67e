use anyhow::Result;
use regrant_client::{Credential, OAuthClient, TokioTimer};
use regrant_protocol::Scope;

/// A login of a person with a browser on another device (RFC 8628).
///
/// # Errors
/// When nobody finishes it, or the server gives no tokens.
pub(crate) async fn log_in(client: &OAuthClient, scope: &Scope) -> Result<Credential> {
    let login = client.device_authorization(scope).await?;
    eprintln!("open {} on any device, and enter the code {}", login.verification_uri(), login.user_code());
    if let Some(complete) = login.verification_uri_complete() {
        eprintln!("or open {complete}");
    }
    Ok(login.finish(&TokioTimer).await?)
}
