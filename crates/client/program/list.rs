use anyhow::Result;
use regrant_client::Storage as _;
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
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

/// Lists the profiles, those that cannot be read too.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) async fn list(common: &CommonOptions) -> Result<()> {
    let directory = Directory::find()?;
    let mut profiles = Vec::new();
    for name in directory.names()? {
        let listed = listed(&directory, &name).await;
        profiles.push(listed.unwrap_or_else(|error| {
            common.output().note(&format!("profile {name}: {error:#}"));
            let (issuer, client_id) = (String::new(), String::new());
            Listed { name, issuer, client_id, state: "unreadable", expires_at: None }
        }));
    }
    common.output().answer(&Profiles { version: JSON_VERSION, profiles }, |answer| shown(&answer.profiles))
}

async fn listed(directory: &Directory, name: &ProfileName) -> Result<Listed> {
    let profile = directory.required_profile(name)?;
    let kept = ProfileStorage::open(directory, name, profile.storage).load().await?;
    let state = State::of(&profile, kept.as_ref())?.word();
    let (client_id, expires_at) = (profile.client_id.as_str().to_owned(), expires_at(kept.as_ref()));
    Ok(Listed { name: name.clone(), issuer: profile.issuer, client_id, state, expires_at })
}

fn shown(profiles: &[Listed]) -> String {
    let row = |listed: &Listed| {
        let ends = listed.expires_at.clone().unwrap_or_default();
        [listed.name.to_string(), listed.issuer.clone(), listed.client_id.clone(), listed.state.to_owned(), ends]
    };
    table(["PROFILE", "ISSUER", "CLIENT", "STATE", "EXPIRES"], &profiles.iter().map(row).collect::<Vec<_>>())
}
