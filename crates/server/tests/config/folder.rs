use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use regrant_protocol::Secret;
use regrant_server::config::{Config, ConfigErrors, Sources};

/// What no message and no page may hold.
pub(crate) const SECRET: &str = "sesame-open-at-half-past-six";

/// What opens the admin API, and what no message and no page may hold either.
pub(crate) const ADMIN_TOKEN: &str = "open-sesame-open-sesame-open-sesame";

/// A directory with the files that a configuration names: `tls.crt`, `tls.key`, `photos.secret`, `admin.token`, `db.password`, `logo.SVG`;
/// and an empty one, `folder`.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self { directory: tempfile::tempdir().unwrap() };
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["id.example".to_owned()]).unwrap();
        folder.write("tls.crt", &cert.pem().lines().map(|line| format!("{line}\r\n")).collect::<String>());
        folder.write("tls.key", &signing_key.serialize_pem());
        folder.write("photos.secret", &format!("{SECRET}\n"));
        folder.write("admin.token", &format!("{ADMIN_TOKEN}\n"));
        let password = folder.write("db.password", &format!("{SECRET}\n"));
        fs::set_permissions(password, Permissions::from_mode(0o600)).unwrap();
        folder.write("logo.SVG", "<svg/>");
        fs::create_dir(folder.path().join("folder")).unwrap();
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The configuration of this file, without environment and flags.
    pub(crate) fn load(&self, text: &str) -> Result<Config, ConfigErrors> {
        self.load_over(text, &[], &[])
    }

    /// The configuration of these flags, these variables, and this file.
    pub(crate) fn load_over(
        &self,
        text: &str,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Config, ConfigErrors> {
        let secret = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new((*value).to_owned()));
        Config::load(&Sources {
            file: Some(self.write("regrant.toml", text)),
            flags: flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<BTreeMap<_, _>>(),
            environment: environment.iter().map(secret).collect(),
        })
    }

    /// All that is told about a configuration that is refused, without its first line, and with short paths.
    pub(crate) fn told(&self, loaded: Result<Config, ConfigErrors>) -> String {
        let told = self.short(&loaded.unwrap_err().to_string());
        let (_, problems) = told.split_once('\n').unwrap();
        problems.to_owned()
    }

    /// `text` without the path of this directory.
    pub(crate) fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.path().display()), "")
    }
}
