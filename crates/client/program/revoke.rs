use anyhow::{Context, Result, bail};
use regrant_client::{LogInReason, Storage as _, Swap, TokenError};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::output::JSON_VERSION;
use crate::profile_name::ProfileName;
use crate::session::Session;
use crate::session_end;
use crate::state::State;
use crate::storage::LOCK_WAIT;

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
    // A first look: nothing is locked under a name that was never used.
    Session::open(common)?;
    let turn = Directory::find()?.lock(&common.profile()?).await?;
    let session = Session::open(common)?;
    session.check_authentication()?;
    // Nobody may get a new token while this one is being revoked.
    let lock = session.storage.lock(LOCK_WAIT).await?;
    let Some(kept) = session.storage.load().await? else {
        return Err(TokenError::LogIn(LogInReason::NoCredential).into());
    };
    State::of(&session.profile, Some(&kept))?;
    let answered = session_end::revoke(&session.client, &kept).await;
    match answered.context("the session was not revoked, and the tokens are kept")? {
        Some(true) => {}
        Some(false) => bail!(
            "{} offers no way to revoke a session; the tokens are kept. regrant-token logout removes them",
            kept.issuer
        ),
        None => bail!("there is nothing to revoke; regrant-token logout removes what is kept"),
    }
    if session.storage.compare_and_swap(Some(kept.version()), None).await? == Swap::Changed {
        common.output().note("somebody has logged in anew meanwhile: those tokens are kept");
    }
    drop((lock, turn));
    let answer = Revoked { version: JSON_VERSION, profile: &session.name };
    common
        .output()
        .done(&answer, &format!("the server has ended the session of profile {}; its tokens are removed", session.name))
}
