//! How a login that has just happened takes the place of the one before.

use anyhow::{Result, bail, ensure};
use regrant_client::{Credential, OAuthClient, Storage as _, Swap};

use crate::directory::Directory;
use crate::output::Output;
use crate::profile::{Profile, Settings};
use crate::profile_name::ProfileName;
use crate::session_end::SessionEnd;
use crate::storage::{LOCK_WAIT, ProfileStorage};

/// Keeps profile and tokens as one. What cannot be kept is revoked: nobody else has it.
///
/// The session that they replace is left alone: there are servers that end every session of user and client when a token of one
/// is revoked (RFC 7009 §2.1 lets them), and the new one would end with it.
///
/// # Errors
/// When they cannot be kept, or another login has come between; then what was there is there still.
pub(crate) async fn keep(
    output: Output,
    directory: &Directory,
    name: &ProfileName,
    client: &OAuthClient,
    settings: Settings,
    credential: &Credential,
) -> Result<()> {
    let storage = ProfileStorage::open(directory, name, settings.storage);
    let profile = Profile::new(client.provider(), settings);
    match replace(directory, name, &storage, &profile, credential).await {
        Ok(before) => {
            if before.is_some_and(|before| has_other_session(&before, credential)) {
                output.note(
                    "the earlier session lives at the server until it expires; a logout before the login ends it",
                );
            }
            Ok(())
        }
        Err(error) => {
            let told = match SessionEnd::at(client, credential).await {
                SessionEnd::Revoked => "the server has ended their session again".to_owned(),
                SessionEnd::NothingToRevoke | SessionEnd::NotOffered => {
                    "their session lives at the server until it expires".to_owned()
                }
                SessionEnd::Unconfirmed(cause) => {
                    format!("the server did not confirm that their session has ended ({cause})")
                }
            };
            Err(error.context(format!("the new tokens could not be kept, and {told}")))
        }
    }
}

/// Fails where the tokens of somebody else, or of another place, would be forgotten.
///
/// # Errors
/// Whose they are, and what to do.
pub(crate) async fn check_place(
    directory: &Directory,
    name: &ProfileName,
    storage: &ProfileStorage,
    profile: impl Fn(&Credential) -> bool,
) -> Result<Option<Credential>> {
    if ProfileStorage::kinds_kept(directory, name).iter().any(|kind| *kind != storage.kind) {
        bail!("the tokens of profile {name} lie elsewhere: log out there first, or choose another name with --name");
    }
    let kept = storage.load().await?;
    if let Some(other) = kept.as_ref().filter(|kept| !profile(kept)) {
        bail!(
            "profile {name} is logged in at {} as {}: log out there first, or choose another name with --name",
            other.issuer,
            other.client_id.as_str()
        );
    }
    Ok(kept)
}

/// Writes both, and gives the tokens that were there.
async fn replace(
    directory: &Directory,
    name: &ProfileName,
    storage: &ProfileStorage,
    profile: &Profile,
    credential: &Credential,
) -> Result<Option<Credential>> {
    let _profile_turn = directory.lock(name).await?;
    let _tokens_turn = storage.lock(LOCK_WAIT).await?;
    let before = directory.profile(name)?;
    let kept = check_place(directory, name, storage, |kept| profile.owns(kept)).await?;
    // A crash between the two writes leaves a profile that needs a login, and never tokens that nothing names.
    directory.write_profile(name, profile)?;
    let swap = storage.compare_and_swap(kept.as_ref().map(Credential::version), Some(credential)).await;
    if !matches!(swap, Ok(Swap::Done)) {
        match &before {
            Some(before) => directory.write_profile(name, before)?,
            None => directory.remove_profile(name)?,
        }
    }
    ensure!(swap? == Swap::Done, "somebody else writes to {} just now; try again", storage.place);
    Ok(kept)
}

/// Whether `before` has a session that does not go on in `now`. An access token alone ends by itself, and others may be using it.
fn has_other_session(before: &Credential, now: &Credential) -> bool {
    before.refresh_token.is_some() && before.refresh_token != now.refresh_token
}
