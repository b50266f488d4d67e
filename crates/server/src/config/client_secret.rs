use std::path::Path;

use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_engine::Secrecy;
use regrant_protocol::Secret;

use crate::config::file::{read_bounded, reason};
use crate::config::key::{Form, Key, Kind};
use crate::config::origin::Origin;
use crate::config::problem::Fault;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

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
    let given = table.secret(&SECRET, usable);
    let named = table.path(&SECRET_FILE, in_file);
    let (given, named) = (given?, named?.map(|(_, secret)| secret));
    let secret = match (given, named) {
        (None, None) if is_public => return Ok(Secrecy::Public),
        (None, None) => {
            let told =
                "name a file with the secret of the client, or say public = true for an app that cannot keep one";
            return Err(table.refuse(
                table.origin(SECRET_FILE.name),
                SECRET_FILE.name,
                Fault::Missing(told.to_owned()),
            ));
        }
        (Some(secret), None) => (&SECRET, secret),
        (None, Some(secret)) => (&SECRET_FILE, secret),
        (Some(given), Some(named)) => stronger(table, given, named)?,
    };
    let (key, secret) = secret;
    let origin = table.origin(key.name);
    if is_public {
        let told = "a client with public = true has no secret; leave out one of the two";
        return Err(table.refuse(origin, key.name, Fault::Contradiction(told.to_owned())));
    }
    if key.name == SECRET.name && matches!(origin, Origin::File { .. }) {
        let told = "whoever may read this file may act as the client; put the secret into a file of its own and name it in secret_file";
        table.warn(key, Fault::Value(told.to_owned()));
    }
    Ok(Secrecy::Chosen(secret))
}

fn stronger(table: &mut TableReader<'_>, given: Secret, named: Secret) -> Result<(&'static Key, Secret), Reported> {
    let (origin_given, origin_named) = (table.origin(SECRET.name), table.origin(SECRET_FILE.name));
    if origin_given.is_same_layer(&origin_named) {
        let told = "the client has a secret_file too; leave out one of the two";
        return Err(table.refuse(origin_given, SECRET.name, Fault::Contradiction(told.to_owned())));
    }
    let (winner, loser, secret) =
        if origin_given > origin_named { (&SECRET, &SECRET_FILE, given) } else { (&SECRET_FILE, &SECRET, named) };
    table.overrule(loser);
    Ok((winner, secret))
}

fn in_file(path: &Path) -> Result<Secret, Fault> {
    let name = path.display().to_string();
    let bytes = read_bounded(path, PASSWORD_BYTES_MAX as u64 + LINE_END_BYTES_MAX).map_err(|error| {
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
    usable(text).map_err(|_| Fault::Value(format!("{name:?} holds no secret of 1 to {PASSWORD_BYTES_MAX} bytes")))
}

fn usable(text: &str) -> Result<Secret, Fault> {
    if text.is_empty() || text.len() > PASSWORD_BYTES_MAX {
        return Err(Fault::Value(format!("it is empty or longer than {PASSWORD_BYTES_MAX} bytes")));
    }
    Ok(Secret::new(text.to_owned()))
}

const LINE_END_BYTES_MAX: u64 = 2;
