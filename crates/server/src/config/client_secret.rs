use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_engine::Secrecy;

use crate::config::key::{Form, Key, Kind};
use crate::config::problem::Fault;
use crate::config::secret_or_file::SecretOrFile;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

/// A shorter secret is pointed out. Its length says nothing of how it was made, but what was made by chance is longer.
pub(crate) const GOOD_SECRET_CHARACTERS_MIN: usize = 16;

pub(super) const SECRET_FILE: Key = Key::new(
    "secret_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file with the secret of the client and nothing else; a line end behind it does not count.",
);

pub(super) const SECRET: Key = Key::new(
    "secret",
    Kind::Secret,
    Preset::Absent,
    "The secret itself. Better name a file in `secret_file`, or set the environment variable.",
)
.also(&["client_secret"]);

pub(super) const PUBLIC: Key = Key::new(
    "public",
    Kind::Switch,
    Preset::Switch(false),
    "Whether it is an app that cannot keep a secret, such as a page of scripts or an app on a device. A client is public or has a secret.",
);

/// No secret for a public client, else that of the strongest layer that gives one, by either key.
pub(super) fn read(table: &mut TableReader<'_>, is_public: bool) -> Result<Secrecy, Reported> {
    let keys = SecretOrFile {
        secret: &SECRET,
        file: &SECRET_FILE,
        owner: "the client",
        power: "act as the client",
        shape: format!("secret of 1 to {PASSWORD_BYTES_MAX} bytes"),
        bytes_max: PASSWORD_BYTES_MAX,
        is_usable: |text| !text.is_empty(),
        // The client reads it too, often as another user.
        is_for_its_owner: false,
    };
    match keys.read(table)? {
        None if is_public => Ok(Secrecy::Public),
        None => {
            let told =
                "name a file with the secret of the client, or say public = true for an app that cannot keep one";
            Err(table.refuse(table.origin(SECRET_FILE.name), SECRET_FILE.name, Fault::Missing(told.to_owned())))
        }
        Some((key, _)) if is_public => {
            let told = "a client with public = true has no secret; leave out one of the two";
            Err(table.refuse(table.origin(key.name), key.name, Fault::Contradiction(told.to_owned())))
        }
        Some((key, secret)) => {
            if secret.expose().chars().count() < GOOD_SECRET_CHARACTERS_MIN {
                let told = format!(
                    "the secret has fewer than {GOOD_SECRET_CHARACTERS_MIN} characters and may be guessed; make one with: openssl rand -hex 32"
                );
                table.warn(key, Fault::Value(told));
            }
            Ok(Secrecy::Chosen(secret))
        }
    }
}
