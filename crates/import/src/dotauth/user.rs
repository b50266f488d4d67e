use regrant_protocol::{Profile, Secret};

use super::claims::claims;
use super::document::Document;
use crate::record::{ForeignPassword, ForeignUser, Record};
use crate::table::{ColumnFault, Row};

/// A resource owner, who logs in by the subject. One of whom nothing can be read is still the user of their tokens.
pub(super) fn user(row: &Row<'_>, document: Result<Document, ColumnFault>) -> Result<Record, ColumnFault> {
    let key = row.key()?;
    let document = match document {
        Ok(document) => document,
        Err(fault) => {
            return Ok(Record::User(Box::new(ForeignUser {
                origin: row.origin.clone(),
                username: key.to_owned(),
                subject: key.to_owned(),
                password: fault.into(),
                profile: Profile::default(),
                is_disabled: false,
                remarks: Vec::new(),
            })));
        }
    };
    let mut claims = claims(&document);
    let subject = document.text("subject").or(claims.get("sub").map(String::as_str)).unwrap_or(key).to_owned();
    let password = match document.text("password") {
        None => ForeignPassword::None,
        Some(hash) if hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            ForeignPassword::DotauthSha256Hex(Secret::new(hash.to_owned()))
        }
        Some(_) => ForeignPassword::Unreadable {
            column: "data",
            fault: "the password is no SHA-256 in hexadecimal".to_owned(),
        },
    };
    let mut claim = |name: &str| claims.remove(name).filter(|value| !value.is_empty());
    let email = claim("email");
    let profile = Profile {
        name: claim("name"),
        given_name: claim("given_name"),
        family_name: claim("family_name"),
        middle_name: claim("middle_name"),
        nickname: claim("nickname"),
        preferred_username: claim("preferred_username"),
        profile: claim("profile"),
        picture: claim("picture"),
        website: claim("website"),
        gender: claim("gender"),
        birthdate: claim("birthdate"),
        zoneinfo: claim("zoneinfo"),
        locale: claim("locale"),
        updated_at: claim("updated_at").and_then(|seconds| seconds.parse().ok()),
        email_verified: email.is_some()
            && claim("email_verified").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        email,
    };
    Ok(Record::User(Box::new(ForeignUser {
        origin: row.origin.clone(),
        username: subject.clone(),
        subject,
        password,
        profile,
        is_disabled: false,
        remarks: Vec::new(),
    })))
}
