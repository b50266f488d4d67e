use anyhow::{Result, ensure};
use regrant_client::{Credential, Storage as _, Swap};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::error_text::error_text;
use crate::output::JSON_VERSION;
use crate::problem::Problem;
use crate::profile_name::ProfileName;
use crate::session_end::SessionEnd;
use crate::storage::{LOCK_WAIT, ProfileStorage};

/// What has come of a logout.
#[derive(Serialize)]
struct LoggedOut<'a> {
    version: u8,
    profile: &'a ProfileName,
    session: &'static str,
}

/// Removes tokens and profile, and ends the session at the server. A profile that cannot be read, or is not there, does not keep
/// the tokens from being removed.
///
/// # Errors
/// When there is neither, or the tokens cannot be removed.
pub(crate) async fn logout(common: &CommonOptions) -> Result<()> {
    let (output, directory, name) = (common.output(), Directory::find()?, common.profile()?);
    let is_there = || directory.has_profile(&name) || !ProfileStorage::kinds_kept(&directory, &name).is_empty();
    ensure!(is_there(), Problem::NoProfile(name.clone()));
    let turn = directory.lock(&name).await?;
    // Somebody else may have logged out meanwhile.
    ensure!(is_there(), Problem::NoProfile(name.clone()));
    let profile = directory.profile(&name).unwrap_or_else(|error| {
        output.note(&format!("profile {name} is removed unread: {}", error_text(&error)));
        None
    });
    let mut removed = Vec::new();
    for kind in ProfileStorage::kinds_kept(&directory, &name) {
        removed.extend(remove(&ProfileStorage::open(&directory, &name, kind)).await?);
    }
    directory.remove_profile(&name)?;
    drop(turn);

    let mut end = SessionEnd::NothingToRevoke;
    for credential in &removed {
        end = end.max(SessionEnd::of(credential, profile.as_ref()).await);
    }
    let (word, told) = match end {
        SessionEnd::Revoked => ("revoked", "the server has ended the session".to_owned()),
        SessionEnd::NothingToRevoke => ("nothing_to_revoke", "there was no session to end at the server".to_owned()),
        SessionEnd::NotOffered => {
            ("not_offered", "the server offers no way to end the session: it lives there until it expires".to_owned())
        }
        SessionEnd::Unconfirmed(cause) => {
            ("unconfirmed", format!("the server did not confirm that the session has ended: {cause}"))
        }
    };
    let answer = LoggedOut { version: JSON_VERSION, profile: &name, session: word };
    output.done(&answer, &format!("the tokens of profile {name} are removed; {told}"))
}

/// Removes what is kept, once a refresh that is under way has ended.
async fn remove(storage: &ProfileStorage) -> Result<Option<Credential>> {
    let _turn = storage.lock(LOCK_WAIT).await?;
    let Some(kept) = storage.load().await? else { return Ok(None) };
    let swap = storage.compare_and_swap(Some(kept.version()), None).await?;
    ensure!(swap == Swap::Done, "somebody else writes to {} just now; try again", storage.place);
    Ok(Some(kept))
}
