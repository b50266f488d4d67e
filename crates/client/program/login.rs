use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use regrant_client::{Credential, Dpop, OAuthClient, Provider, ReqwestTransport};
use serde::Serialize;

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::keeping::{check_place, keep};
use crate::login_options::LoginOptions;
use crate::output::{JSON_VERSION, Output};
use crate::profile::{Grant, StorageKind};
use crate::profile_name::ProfileName;
use crate::storage::{ProfileStorage, best_kind};

/// What has come of a login.
#[derive(Serialize)]
struct LoggedIn<'a> {
    version: u8,
    profile: &'a ProfileName,
    issuer: &'a str,
    client_id: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    has_refresh_token: bool,
    storage: StorageKind,
}

/// Logs in, and keeps the tokens.
///
/// # Errors
/// Why nobody is logged in; what was kept before is kept still.
pub(crate) async fn login(common: &CommonOptions, options: LoginOptions) -> Result<()> {
    let (output, name, directory) = (common.output(), common.profile()?, Directory::find()?);
    let before = directory.profile(&name)?;
    let issuer = options.issuer(&name, before.as_ref())?;
    if options.grant(before.as_ref()) == Grant::LogIn {
        options.person.check(common)?;
    }
    let (kind, no_keyring) = match (options.storage, &before) {
        (Some(kind), Some(before)) if kind != before.storage => {
            bail!("the tokens of profile {name} lie elsewhere: log out there first, or choose another name with --name")
        }
        (Some(kind), _) => (kind, None),
        (None, Some(before)) => (before.storage, None),
        (None, None) => best_kind(&directory, &name).await,
    };
    let settings = options.settings(before.as_ref(), kind)?;
    let storage = ProfileStorage::open(&directory, &name, kind);
    // All that can be found out is found out before anybody is troubled.
    let is_ours = |kept: &Credential| kept.issuer == issuer && kept.client_id == settings.client_id;
    check_place(&directory, &name, &storage, is_ours).await?;
    directory.try_writing()?;

    let transport = Arc::new(ReqwestTransport::new()?);
    let provider = Provider::discover(&issuer, &*transport).await?;
    ensure!(
        !settings.dpop || !provider.dpop_algorithms.is_empty(),
        "the metadata of {issuer} name no algorithm for DPoP (dpop_signing_alg_values_supported), so that it cannot bind tokens \
         to a key: log in without --dpop, under another name if this profile had it"
    );
    let client = OAuthClient::new(provider, settings.client_id.clone(), transport)
        .authenticated_by(settings.authentication.read()?)
        .for_resources(settings.resources.clone())
        .with_dpop(if settings.dpop { Dpop::Required } else { Dpop::Off });
    if let Some(cause) = no_keyring {
        output.warn(&format!(
            "there is no keyring here ({cause}): the tokens will lie in a plain file that only you may read, {}",
            storage.place
        ));
    }
    let credential = match settings.grant {
        Grant::LogIn => options.person.log_in(common, &client, &settings.scope).await?,
        Grant::ClientCredentials => client.client_credentials(&settings.scope).await?,
    };

    keep(output, &directory, &name, &client, settings, &credential).await?;
    tell(output, &name, &credential, kind)
}

fn tell(output: Output, name: &ProfileName, credential: &Credential, storage: StorageKind) -> Result<()> {
    let expires_at = credential.access.as_ref().and_then(|access| access.expires_at).map(|end| end.to_rfc3339());
    let has_refresh_token = credential.refresh_token.is_some();
    let ends = expires_at.as_ref().map(|end| format!("; the token ends at {end}")).unwrap_or_default();
    let answer = LoggedIn {
        version: JSON_VERSION,
        profile: name,
        issuer: credential.issuer.as_str(),
        client_id: credential.client_id.as_str(),
        scope: credential.scope.as_str(),
        expires_at,
        has_refresh_token,
        storage,
    };
    let lasts = if has_refresh_token { "" } else { &format!(", without a refresh token{ends}") };
    output.done(&answer, &format!("logged in at {} as profile {name}{lasts}", credential.issuer))
}
