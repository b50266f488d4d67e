use anyhow::{Result, bail};

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::error_text::error_text;
use crate::host_name::HostName;
use crate::profile::Profile;
use crate::profile_name::ProfileName;

/// The profile whose token `host` may be given; `None` where no login has named that host.
///
/// Git asks its helpers about every host that a repository names, and a token must not go to whoever writes such names.
///
/// # Errors
/// When two are for that host and nobody says which; when none is, and one cannot be read.
pub(crate) fn profile_for(
    directory: &Directory,
    common: &CommonOptions,
    host: &HostName,
) -> Result<Option<(ProfileName, Profile)>> {
    if let Some(name) = common.named_profile()? {
        let profile = directory.required_profile(&name)?;
        return Ok(profile.is_for(host).then_some((name, profile)));
    }
    let (mut found, mut unread) = (None, Vec::new());
    for name in directory.names()? {
        let profile = match directory.profile(&name) {
            Ok(profile) => profile,
            Err(error) => {
                unread.push((name, error));
                continue;
            }
        };
        let Some(profile) = profile.filter(|profile| profile.is_for(host)) else { continue };
        if let Some((other, _)) = found.replace((name.clone(), profile)) {
            bail!("profiles {other} and {name} are both for {host}; say which with --name, or REGRANT_TOKEN_PROFILE");
        }
    }
    if found.is_none()
        && let Some((name, error)) = unread.pop()
    {
        // It may have been the one for this host.
        return Err(error.context(format!("no profile that can be read is for {host}; profile {name}")));
    }
    for (name, error) in unread {
        common.output().note(&format!("profile {name} is left out: {}", error_text(&error)));
    }
    Ok(found)
}

impl Profile {
    fn is_for(&self, host: &HostName) -> bool {
        self.hosts.iter().any(|own| own.parse::<HostName>().is_ok_and(|own| own == *host))
    }
}
