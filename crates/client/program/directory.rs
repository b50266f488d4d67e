use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use regrant_client::{FileStorage, Storage as _, StorageLock};
use tempfile::NamedTempFile;

use crate::owned_file;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::profile_name::ProfileName;
use crate::storage::LOCK_WAIT;

/// Where the program keeps profiles and tokens: `profiles/NAME.json` and `tokens/NAME.…`, for their owner's eyes alone.
#[derive(Clone, Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// The directory of this user, whether it is there or not.
    ///
    /// # Errors
    /// When nothing says where it could be, or others may put files into it.
    pub(crate) fn find() -> Result<Self> {
        let given = env::var_os(DIRECTORY_VARIABLE).filter(|given| !given.is_empty()).map(PathBuf::from);
        let state = || {
            let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
            state.or_else(|| absolute("LOCALAPPDATA")).map(|state| state.join("regrant-token"))
        };
        match given.or_else(state) {
            Some(path) => {
                for own in [PROFILES, TOKENS] {
                    owned_file::check_directory(&path.join(own))?;
                }
                Ok(Self(path))
            }
            None => bail!("nothing says where tokens are kept: set HOME, or {DIRECTORY_VARIABLE} to a directory"),
        }
    }

    /// What is known of a profile; `None` where nothing is.
    ///
    /// # Errors
    /// When it cannot be read, or others may read or write it.
    pub(crate) fn profile(&self, name: &ProfileName) -> Result<Option<Profile>> {
        let path = self.profile_path(name);
        let Some(bytes) = owned_file::read(&path, PROFILE_BYTES_MAX)? else { return Ok(None) };
        Profile::from_json(&bytes).map(Some).with_context(|| format!("{path:?} was left as it is"))
    }

    /// Whether there is anything under the name of a profile, whatever it is.
    pub(crate) fn has_profile(&self, name: &ProfileName) -> bool {
        fs::symlink_metadata(self.profile_path(name)).is_ok()
    }

    /// Keeps other logins, logouts and revocations of a profile waiting, so that profile and tokens are changed as one.
    ///
    /// Who needs the turn of the tokens too takes it afterwards.
    ///
    /// # Errors
    /// When somebody else has it for longer than one waits, or nothing can be written here.
    pub(crate) async fn lock(&self, name: &ProfileName) -> Result<StorageLock> {
        Ok(FileStorage::new(self.profile_path(name)).lock(LOCK_WAIT).await?)
    }

    /// Finds out whether profile and tokens could be written: as much as they take is written, synced and removed.
    ///
    /// # Errors
    /// Why they could not.
    pub(crate) fn try_writing(&self) -> Result<()> {
        for directory in [self.0.join(PROFILES), self.0.join(TOKENS)] {
            let tried = create_private(&directory).and_then(|()| {
                let mut file = NamedTempFile::new_in(&directory)?;
                file.write_all(&[b' '; TRIAL_BYTES])?;
                file.as_file().sync_all()
            });
            tried.with_context(|| format!("{directory:?} cannot be written"))?;
        }
        Ok(())
    }

    /// What is known of a profile that there must be.
    ///
    /// # Errors
    /// [`Problem::NoProfile`] when nobody has ever logged in under this name.
    pub(crate) fn required_profile(&self, name: &ProfileName) -> Result<Profile> {
        self.profile(name)?.ok_or_else(|| Problem::NoProfile(name.clone()).into())
    }

    /// The names of all profiles, in order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<ProfileName>> {
        names_in(&self.0.join(PROFILES), &[".json"])
    }

    /// The names under which there is anything, a profile or tokens, in order.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub(crate) fn all_names(&self) -> Result<Vec<ProfileName>> {
        let mut names = self.names()?;
        names.extend(names_in(&self.0.join(TOKENS), &[".json", ".sealed"])?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Writes a profile, in one step.
    ///
    /// # Errors
    /// When it cannot be written; then what was there is there still.
    pub(crate) fn write_profile(&self, name: &ProfileName, profile: &Profile) -> Result<()> {
        let (directory, path) = (self.0.join(PROFILES), self.profile_path(name));
        let written = create_private(&directory).and_then(|()| replace(&directory, &path, &profile.to_json()));
        written.with_context(|| format!("{path:?} cannot be written"))
    }

    /// Removes a profile that may not be there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove_profile(&self, name: &ProfileName) -> Result<()> {
        let path = self.profile_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{path:?} cannot be removed"))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Where the tokens of a profile are, in a file with this ending.
    pub(crate) fn tokens_path(&self, name: &ProfileName, ending: &str) -> PathBuf {
        self.0.join(TOKENS).join(format!("{name}.{ending}"))
    }

    fn profile_path(&self, name: &ProfileName) -> PathBuf {
        self.0.join(PROFILES).join(format!("{name}.json"))
    }
}

/// A directory that a variable names; XDG has relative ones ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn names_in(path: &Path, endings: &[&str]) -> Result<Vec<ProfileName>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>).with_context(|| format!("{path:?}"))?,
    };
    let name = |entry: &fs::DirEntry| {
        let file = entry.file_name();
        let file = file.to_str()?;
        endings.iter().find_map(|ending| file.strip_suffix(ending))?.parse().ok()
    };
    let mut names: Vec<ProfileName> = entries.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// The variable that says where profiles and tokens are kept.
const DIRECTORY_VARIABLE: &str = "REGRANT_TOKEN_DIRECTORY";
const PROFILES: &str = "profiles";
const TOKENS: &str = "tokens";
/// The longest profile that is read, in bytes.
const PROFILE_BYTES_MAX: usize = 256 * 1024;
/// What a login tries to write before anybody is troubled: more than a profile, or the tokens of a login, take.
const TRIAL_BYTES: usize = 16 * 1024;
