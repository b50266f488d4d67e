use regrant_protocol::{Profile, Secret};

use crate::reader::Context;
use crate::record::{ForeignPassword, ForeignUser, Record};
use crate::table::{ColumnFault, Row, TableSpec};

pub(super) static USERS: TableSpec = TableSpec {
    names: &["oauth_users"],
    key: "username",
    key_is_unique: false,
    key_is_token: false,
    required: &["password"],
    optional: &["first_name", "last_name", "email", "email_verified"],
    looked_up_by: &[],
};

/// A user of bshaffer, whom tokens name by what they type to log in.
pub(super) fn user(row: &Row<'_>, _: &Context) -> Result<Record, ColumnFault> {
    let username = row.required("username")?.to_owned();
    let mut remarks = Vec::new();
    let mut text = |column| row.optional(column, &mut remarks);
    let [given_name, family_name, email] = ["first_name", "last_name", "email"].map(&mut text);
    let names: Vec<&str> = [&given_name, &family_name].into_iter().flatten().map(String::as_str).collect();
    let profile = Profile {
        name: (!names.is_empty()).then(|| names.join(" ")),
        preferred_username: Some(username.clone()),
        email_verified: email.is_some() && row.is_true("email_verified").unwrap_or(false),
        email,
        given_name,
        family_name,
        ..Profile::default()
    };
    Ok(Record::User(Box::new(ForeignUser {
        origin: row.origin.clone(),
        subject: username.clone(),
        username,
        password: row.text("password").and_then(password).unwrap_or_else(Into::into),
        profile,
        is_disabled: false,
        remarks,
    })))
}

/// SHA-1 in hexadecimal, as the library hashes; or the hash of an application that put its own in its place.
fn password(text: Option<&str>) -> Result<ForeignPassword, ColumnFault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(ForeignPassword::None) };
    if text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(ForeignPassword::Sha1Hex(Secret::new(text.to_owned())));
    }
    super::joomla_user::crypt(text).ok_or_else(|| {
        ColumnFault::new(
            "password",
            "it is neither SHA-1 nor bcrypt, phpass or Argon2",
            "let the user set a new password",
        )
    })
}
