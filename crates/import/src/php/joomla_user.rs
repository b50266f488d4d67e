use regrant_protocol::{Profile, Secret};

use crate::reader::Context;
use crate::record::{ForeignPassword, ForeignUser, Record};
use crate::table::{ColumnFault, Row, TableSpec};

pub(super) static USERS: TableSpec = TableSpec {
    names: &["users"],
    key: "id",
    key_is_unique: true,
    key_is_token: false,
    required: &["username", "password"],
    optional: &["name", "email", "block"],
    looked_up_by: &[],
};

/// A user of Joomla, whom redCORE's tokens name by their number.
pub(super) fn user(row: &Row<'_>, _: &Context) -> Result<Record, ColumnFault> {
    let subject = row.required("id")?.to_owned();
    let mut remarks = Vec::new();
    let username = row.optional("username", &mut remarks);
    if username.is_none() {
        remarks.push("they have no login name: they log in by their number".to_owned());
    }
    let is_disabled = row.is_true("block").unwrap_or_else(|_| {
        remarks.push("it cannot be read whether they are blocked: they are disabled here".to_owned());
        true
    });
    let profile = Profile {
        name: row.optional("name", &mut remarks),
        preferred_username: username.clone(),
        email: row.optional("email", &mut remarks),
        ..Profile::default()
    };
    Ok(Record::User(Box::new(ForeignUser {
        origin: row.origin.clone(),
        username: username.unwrap_or_else(|| subject.clone()),
        subject,
        password: row.text("password").and_then(password).unwrap_or_else(Into::into),
        profile,
        is_disabled,
        remarks,
    })))
}

fn password(text: Option<&str>) -> Result<ForeignPassword, ColumnFault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(ForeignPassword::None) };
    let (hash, salt) = text.split_once(':').unwrap_or((text, ""));
    if hash.len() == 32 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let [hash, salt] = [hash, salt].map(|part| Secret::new(part.to_owned()));
        return Ok(ForeignPassword::JoomlaMd5 { hash, salt });
    }
    crypt(text).ok_or_else(|| {
        ColumnFault::new(
            "password",
            "it is neither bcrypt, phpass, Argon2 nor md5:salt",
            "let the user set a new password",
        )
    })
}

/// A hash that says by its beginning what it is.
pub(super) fn crypt(text: &str) -> Option<ForeignPassword> {
    let starts = |marks: &[&str]| marks.iter().any(|mark| text.starts_with(mark));
    let hash = || Secret::new(text.to_owned());
    if starts(&["$2y$", "$2b$", "$2a$", "$2x$"]) && text.len() == 60 {
        Some(ForeignPassword::Bcrypt(hash()))
    } else if starts(&["$P$", "$H$"]) && text.len() == 34 {
        Some(ForeignPassword::Phpass(hash()))
    } else if starts(&["$argon2"]) {
        Some(ForeignPassword::Argon2(hash()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_apart_by_their_form() {
        let bcrypt = format!("$2y$10${}", "a".repeat(53));
        let phpass = format!("$P$D{}", "a".repeat(30));
        let secret = |text: &str| Secret::new(text.to_owned());
        let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
        let cases = [
            (bcrypt.clone(), ForeignPassword::Bcrypt(secret(&bcrypt))),
            (phpass.clone(), ForeignPassword::Phpass(secret(&phpass))),
            (format!("{md5}:salt"), ForeignPassword::JoomlaMd5 { hash: secret(md5), salt: secret("salt") }),
            (md5.to_owned(), ForeignPassword::JoomlaMd5 { hash: secret(md5), salt: secret("") }),
            (String::new(), ForeignPassword::None),
        ];
        for (text, expected) in cases {
            assert_eq!(password(Some(&text)).unwrap(), expected, "{text}");
        }
        let fault = password(Some("hunter2")).unwrap_err();
        assert!(!fault.fault.contains("hunter2"));
    }
}
