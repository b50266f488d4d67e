use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use regrant_protocol::Secret;

use crate::config::file::{read_bounded, reason};
use crate::config::key::Key;
use crate::config::origin::Origin;
use crate::config::problem::Fault;
use crate::config::table_reader::{Reported, TableReader};

/// One secret that two keys can give: one holds it, the other names a file with it and nothing else.
pub(super) struct SecretOrFile {
    pub(super) secret: &'static Key,
    pub(super) file: &'static Key,
    /// Who has it, as in "the client".
    pub(super) owner: &'static str,
    /// What it lets its holder do, as in "act as the client".
    pub(super) power: &'static str,
    /// What it has to be, as in "secret of 1 to 9 bytes".
    pub(super) shape: String,
    pub(super) bytes_max: usize,
    pub(super) is_usable: fn(&str) -> bool,
    /// Whether it is pointed out that others may read the file.
    pub(super) is_for_its_owner: bool,
}

impl SecretOrFile {
    /// That of the strongest layer that gives one, and the key that gives it; `None` where nobody does.
    pub(super) fn read(&self, table: &mut TableReader<'_>) -> Result<Option<(&'static Key, Secret)>, Reported> {
        let given = table.secret(self.secret, |text| {
            self.usable(text).ok_or_else(|| Fault::Value(format!("it is no {}", self.shape)))
        });
        let named = table.path(self.file, |path| self.in_file(path));
        if let Ok(Some((path, _))) = &named {
            self.look_at_mode(table, path);
        }
        let found = match (given?, named?.map(|(_, secret)| secret)) {
            (None, None) => return Ok(None),
            (Some(secret), None) => (self.secret, secret),
            (None, Some(secret)) => (self.file, secret),
            (Some(given), Some(named)) => self.stronger(table, given, named)?,
        };
        if found.0.name == self.secret.name && matches!(table.origin(self.secret.name), Origin::File { .. }) {
            let told = format!(
                "whoever may read this file may {}; put the {} into a file of its own and name it in {}",
                self.power, self.secret.name, self.file.name
            );
            table.warn(self.secret, Fault::Value(told));
        }
        Ok(Some(found))
    }

    fn look_at_mode(&self, table: &mut TableReader<'_>, path: &Path) {
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777).unwrap_or_default();
        if self.is_for_its_owner && mode & 0o077 != 0 {
            let path = path.display();
            let told = format!(
                "{path} is open to other users (mode {mode:03o}), who may {}; run: chmod 600 {path}",
                self.power
            );
            table.warn(self.file, Fault::Value(told));
        }
    }

    fn stronger(
        &self,
        table: &mut TableReader<'_>,
        given: Secret,
        named: Secret,
    ) -> Result<(&'static Key, Secret), Reported> {
        let (secret, file) = (self.secret, self.file);
        let (origin_given, origin_named) = (table.origin(secret.name), table.origin(file.name));
        if origin_given.is_same_layer(&origin_named) {
            let told = format!("{} has a {} too; leave out one of the two", self.owner, file.name);
            return Err(table.refuse(origin_given, secret.name, Fault::Contradiction(told)));
        }
        let (winner, loser, secret) =
            if origin_given > origin_named { (secret, file, given) } else { (file, secret, named) };
        table.overrule(loser);
        Ok((winner, secret))
    }

    fn in_file(&self, path: &Path) -> Result<Secret, Fault> {
        let name = path.display().to_string();
        let bytes = read_bounded(path, self.bytes_max as u64 + LINE_END_BYTES_MAX).map_err(|error| {
            let reason = reason(&error);
            if path.exists() {
                return Fault::Unreadable { path: name.clone(), reason };
            }
            // Whoever mistook the key wrote the secret itself here.
            Fault::Value(format!("the file that it names cannot be read: {reason}"))
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Fault::Value(format!("{name:?} is not UTF-8")))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        self.usable(text).ok_or_else(|| Fault::Value(format!("{name:?} holds no {}", self.shape)))
    }

    fn usable(&self, text: &str) -> Option<Secret> {
        (text.len() <= self.bytes_max && (self.is_usable)(text)).then(|| Secret::new(text.to_owned()))
    }
}

const LINE_END_BYTES_MAX: u64 = 2;
