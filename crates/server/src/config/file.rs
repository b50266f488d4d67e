use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::origin::Origin;
use crate::config::problem::{ConfigErrors, Fault, Problem};

/// The file that is read where no other is named, if there is one.
pub const CONFIG_FILE: &str = "regrant.toml";

/// The largest configuration file: thousands of clients.
pub const CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The text of the configuration file. It may hold secrets: it is wiped when dropped, and does not print itself.
pub(super) struct ConfigFile {
    /// The name, as it was given.
    pub(super) name: Arc<str>,
    /// What relative paths in it are relative to.
    pub(super) directory: PathBuf,
    pub(super) text: Zeroizing<String>,
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigErrors> {
        let text = read_text(path)?;
        let name: Arc<str> = path.display().to_string().into();
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { name, directory, text })
    }

    /// The place of the byte at `offset`.
    pub(super) fn at(&self, offset: usize) -> Origin {
        Origin::File { file: Arc::clone(&self.name), line: Some(line_at(self.text.as_bytes(), offset)) }
    }

    /// The file as a whole.
    pub(super) fn whole(&self) -> Origin {
        Origin::File { file: Arc::clone(&self.name), line: None }
    }
}

/// The text of a file that a person wrote, which is wiped when dropped.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, ConfigErrors> {
    let name: Arc<str> = path.display().to_string().into();
    let problem = |line, fault| {
        let origin = Origin::File { file: Arc::clone(&name), line };
        ConfigErrors(vec![Problem { origin, key: String::new(), fault }])
    };
    let bytes = read_bounded(path, CONFIG_BYTES_MAX)
        .map_err(|error| problem(None, Fault::Value(format!("the file cannot be read: {}", reason(&error)))))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => {
            let line = line_at(&bytes, error.valid_up_to());
            Err(problem(Some(line), Fault::Syntax("this line is not UTF-8; save the file as UTF-8")))
        }
    }
}

/// The number of the line of `offset`, from 1.
pub(super) fn line_at(text: &[u8], offset: usize) -> usize {
    1 + text.iter().take(offset).filter(|&&byte| byte == b'\n').count()
}

/// All of a file that is not larger than `bytes_max`.
pub(crate) fn read_bounded(path: &Path, bytes_max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // Room for all of it, so that no copy is left behind where a secret was.
    let capacity = usize::try_from(metadata.len().min(bytes_max) + 1).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it is larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// Why a file cannot be read, for a person.
pub(super) fn reason(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::NotFound, "there is no such file"),
        (io::ErrorKind::PermissionDenied, "this user may not read it"),
        (io::ErrorKind::IsADirectory, "it is a directory"),
    ];
    let ours = known.into_iter().find(|(kind, _)| *kind == error.kind());
    ours.map_or_else(|| error.to_string(), |(_, ours)| ours.to_owned())
}
