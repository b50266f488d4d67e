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
    let text = |column| Ok::<_, ColumnFault>(row.text(column)?.filter(|text| !text.is_empty()).map(ToOwned::to_owned));
    let (given_name, family_name) = (text("first_name")?, text("last_name")?);
    let names: Vec<&str> = [&given_name, &family_name].into_iter().flatten().map(String::as_str).collect();
    let email = text("email")?;
    let profile = Profile {
        name: (!names.is_empty()).then(|| names.join(" ")),
        preferred_username: Some(username.clone()),
        email_verified: email.is_some() && row.is_true("email_verified")?,
        email,
        given_name,
        family_name,
        ..Profile::default()
    };
    Ok(Record::User(Box::new(ForeignUser {
        origin: row.origin.clone(),
        subject: username.clone(),
        username,
        password: password(row.text("password")?)?,
        profile,
        is_disabled: false,
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
