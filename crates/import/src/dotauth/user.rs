use regrant_protocol::{Profile, Secret};

use super::claims::claims;
use super::document::Document;
use crate::record::{ForeignPassword, ForeignUser, Record};
use crate::table::{ColumnFault, Row};

/// A resource owner, who logs in by the subject.
pub(super) fn user(row: &Row<'_>, document: &Document) -> Result<Record, ColumnFault> {
    let mut claims = claims(document);
    let subject = document
        .text("subject")
        .map(ToOwned::to_owned)
        .or_else(|| claims.get("sub").cloned())
        .unwrap_or_else(|| row.origin.key.clone());
    let password = match document.text("password") {
        None => ForeignPassword::None,
        Some(hash) if hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            ForeignPassword::DotauthSha256Hex(Secret::new(hash.to_owned()))
        }
        Some(_) => {
            return Err(ColumnFault::new(
                "data",
                "the password is no SHA-256 in hexadecimal",
                "let the user set a new password",
            ));
        }
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
    })))
}
