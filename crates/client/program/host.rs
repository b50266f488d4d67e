use anyhow::{Result, bail};

use crate::common_options::CommonOptions;
use crate::directory::Directory;
use crate::profile::Profile;
use crate::profile_name::ProfileName;

/// The profile whose token `host` may be given; `None` where no login has named that host.
///
/// Git asks its helpers about every host that a repository names, and a token must not go to whoever writes such names.
///
/// # Errors
/// When a profile cannot be read, or two are for that host and nobody says which.
pub(crate) fn profile_for(
    directory: &Directory,
    common: &CommonOptions,
    host: &str,
) -> Result<Option<(ProfileName, Profile)>> {
    if let Some(name) = common.named_profile()? {
        let profile = directory.required_profile(&name)?;
        return Ok(profile.is_for(host).then_some((name, profile)));
    }
    let mut found = None;
    for name in directory.names()? {
        let Some(profile) = directory.profile(&name)?.filter(|profile| profile.is_for(host)) else { continue };
        if let Some((other, _)) = found.replace((name.clone(), profile)) {
            bail!("profiles {other} and {name} are both for {host}; say which with --name, or REGRANT_TOKEN_PROFILE");
        }
    }
    Ok(found)
}

impl Profile {
    fn is_for(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}
