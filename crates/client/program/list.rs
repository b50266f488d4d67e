use anyhow::{Context, Result};
use regrant_client::Storage as _;
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::error_text::error_text;
use crate::output::JSON_VERSION;
use crate::profile_name::ProfileName;
use crate::state::State;
use crate::status::expires_at;
use crate::storage::ProfileStorage;
use crate::table::table;

/// All profiles.
#[derive(Serialize)]
struct Profiles {
    version: u8,
    profiles: Vec<Listed>,
}

/// One of them.
#[derive(Serialize)]
struct Listed {
    name: ProfileName,
    issuer: String,
    client_id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// Lists the profiles, those that cannot be read too, and tokens without a profile.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) async fn list(common: &CommonOptions) -> Result<()> {
    let directory = Directory::find()?;
    let mut profiles = Vec::new();
    for name in directory.all_names()? {
        let listed = listed(common, &directory, &name).await;
        profiles.push(listed.unwrap_or_else(|error| {
            common.output().note(&format!("profile {name}: {}", error_text(&error)));
            let (issuer, client_id) = (String::new(), String::new());
            Listed { name, issuer, client_id, state: "unreadable", expires_at: None }
        }));
    }
    common.output().answer(&Profiles { version: JSON_VERSION, profiles }, |answer| shown(&answer.profiles))
}

async fn listed(common: &CommonOptions, directory: &Directory, name: &ProfileName) -> Result<Listed> {
    let Some(profile) = directory.profile(name)? else { return without_profile(common, directory, name).await };
    let kept = ProfileStorage::open(directory, name, profile.storage).load().await?;
    let state = State::of(&profile, kept.as_ref())?.word();
    let (client_id, expires_at) = (profile.client_id.as_str().to_owned(), expires_at(kept.as_ref()));
    Ok(Listed { name: name.clone(), issuer: profile.issuer, client_id, state, expires_at })
}

/// Tokens that no profile names.
async fn without_profile(common: &CommonOptions, directory: &Directory, name: &ProfileName) -> Result<Listed> {
    common.output().note(&format!("{name} has tokens and no profile; regrant-token logout --name {name} removes them"));
    let kind = ProfileStorage::kinds_kept(directory, name).into_iter().next();
    let kept = match kind {
        Some(kind) => ProfileStorage::open(directory, name, kind).load().await?,
        None => None,
    };
    let kept = kept.context("its tokens have been removed meanwhile")?;
    let (issuer, client_id) = (kept.issuer.as_str().to_owned(), kept.client_id.as_str().to_owned());
    Ok(Listed { name: name.clone(), issuer, client_id, state: "no_profile", expires_at: expires_at(Some(&kept)) })
}

fn shown(profiles: &[Listed]) -> String {
    let row = |listed: &Listed| {
        let ends = listed.expires_at.clone().unwrap_or_default();
        [listed.name.to_string(), listed.issuer.clone(), listed.client_id.clone(), listed.state.to_owned(), ends]
    };
    table(["PROFILE", "ISSUER", "CLIENT", "STATE", "EXPIRES"], &profiles.iter().map(row).collect::<Vec<_>>())
}
