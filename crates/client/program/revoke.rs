use std::time::Duration;

use anyhow::{Context, Result, bail};
use regrant_client::{LogInReason, Storage as _, Swap, TokenError};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::output::JSON_VERSION;
use crate::profile_name::ProfileName;
use crate::session::Session;

/// What has come of a revocation.
#[derive(Serialize)]
struct Revoked<'a> {
    version: u8,
    profile: &'a ProfileName,
}

/// Ends the session at the server, and removes the tokens once the server has said so.
///
/// # Errors
/// When the server has not said so: then the tokens are kept.
pub(crate) async fn revoke(common: &CommonOptions) -> Result<()> {
    let session = Session::open(common)?;
    // Nobody may get a new token while this one is being revoked.
    let lock = session.storage.lock(LOCK_WAIT).await?;
    let Some(kept) = session.storage.load().await? else {
        return Err(TokenError::LogIn(LogInReason::NoCredential).into());
    };
    let answered = match (&kept.refresh_token, &kept.access) {
        (Some(token), _) => session.client.revoke(token).await,
        (None, Some(access)) => session.client.revoke_access_token(&access.token).await,
        (None, None) => bail!("there is nothing to revoke; regrant-token logout removes what is kept"),
    };
    let is_revoked = answered.context("the session was not revoked, and the tokens are kept")?;
    if !is_revoked {
        bail!(
            "{} offers no way to revoke a session; the tokens are kept. regrant-token logout removes them",
            kept.issuer
        );
    }
    if session.storage.compare_and_swap(Some(kept.version()), None).await? == Swap::Changed {
        common.output().note("somebody has logged in anew meanwhile: those tokens are kept");
    }
    drop(lock);
    let answer = Revoked { version: JSON_VERSION, profile: &session.name };
    common
        .output()
        .done(&answer, &format!("the server has ended the session of profile {}; its tokens are removed", session.name))
}

/// How long one waits for a refresh that is under way: longer than it can take.
const LOCK_WAIT: Duration = Duration::from_secs(90);
