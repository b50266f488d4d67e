use anyhow::Result;
use regrant_client::{Credential, LogInReason, Storage as _, TokenError};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::output::JSON_VERSION;
use crate::problem::Problem;
use crate::profile::{Profile, StorageKind};
use crate::profile_name::ProfileName;
use crate::state::State;
use crate::storage::ProfileStorage;
use crate::table::fields;

/// How a profile is.
#[derive(Serialize)]
struct Status<'a> {
    version: u8,
    profile: &'a ProfileName,
    issuer: &'a str,
    client_id: &'a str,
    scope: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    has_refresh_token: bool,
    storage: StorageKind,
    place: &'a str,
}

/// Says how the tokens of a profile are, and sends nothing.
///
/// # Errors
/// When a person has to log in, after the status is printed; when what is kept cannot be read.
pub(crate) async fn status(common: &CommonOptions) -> Result<()> {
    let (directory, name) = (Directory::find()?, common.profile()?);
    let profile = directory.required_profile(&name)?;
    let storage = ProfileStorage::open(&directory, &name, profile.storage);
    let kept = storage.load().await?;
    let state = State::of(&profile, kept.as_ref())?;
    let answer = Status {
        version: JSON_VERSION,
        profile: &name,
        issuer: &profile.issuer,
        client_id: profile.client_id.as_str(),
        scope: kept.as_ref().map_or(&profile.scope, |kept| &kept.scope).as_str(),
        state: state.word(),
        expires_at: expires_at(kept.as_ref()),
        has_refresh_token: kept.as_ref().is_some_and(|kept| kept.refresh_token.is_some()),
        storage: profile.storage,
        place: &storage.place,
    };
    common.output().answer(&answer, |answer| shown(answer, &profile))?;
    match state {
        State::Valid | State::Refresh => Ok(()),
        State::LogIn(reason @ LogInReason::NoCredential) => Err(TokenError::LogIn(reason).into()),
        State::LogIn(reason) => Err(Problem::LogIn { name, reason }.into()),
    }
}

/// When the access token ends; nothing where there is none, or the server did not say.
pub(crate) fn expires_at(kept: Option<&Credential>) -> Option<String> {
    Some(kept?.access.as_ref()?.expires_at?.to_rfc3339())
}

fn shown(status: &Status<'_>, profile: &Profile) -> String {
    let text = |text: &str| text.to_owned();
    let mut rows = vec![
        ("profile", text(status.profile.as_str())),
        ("issuer", text(status.issuer)),
        ("client", text(status.client_id)),
        ("scope", text(status.scope)),
        ("state", text(status.state)),
    ];
    rows.extend(status.expires_at.clone().map(|end| ("expires", end)));
    rows.push(("refresh token", text(if status.has_refresh_token { "yes" } else { "no" })));
    rows.push(("kept in", text(status.place)));
    if !profile.hosts.is_empty() {
        rows.push(("for hosts", profile.hosts.join(" ")));
    }
    fields(&rows)
}
