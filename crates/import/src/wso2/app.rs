use std::collections::BTreeMap;

use regrant_protocol::{ClientId, Lifetime, RedirectUri, Secret};
use zeroize::Zeroizing;

use super::hash::{Kept, kept};
use crate::reader::Item;
use crate::record::{ForeignClient, ForeignLifetimes, ForeignRotation, ForeignSecret, GrantTypes, Kind, Record};
use crate::redirect_uris::redirect_uris;
use crate::table::{ColumnFault, Row, TableSpec};
use crate::{Reason, shortened};

pub(super) static APPS: TableSpec = TableSpec {
    names: &["IDN_OAUTH_CONSUMER_APPS"],
    key: "ID",
    key_is_unique: true,
    key_is_token: false,
    required: &["CONSUMER_KEY", "CONSUMER_SECRET", "CALLBACK_URL", "GRANT_TYPES"],
    optional: &[
        "APP_NAME",
        "OAUTH_VERSION",
        "APP_STATE",
        "USER_ACCESS_TOKEN_EXPIRE_TIME",
        "APP_ACCESS_TOKEN_EXPIRE_TIME",
        "REFRESH_TOKEN_EXPIRE_TIME",
        "ID_TOKEN_EXPIRE_TIME",
    ],
    looked_up_by: &[],
};

pub(super) static SECRETS: TableSpec = TableSpec {
    names: &["IDN_OAUTH_CONSUMER_SECRETS"],
    key: "SECRET_ID",
    key_is_unique: true,
    key_is_token: false,
    required: &["CONSUMER_KEY_ID", "SECRET_VALUE"],
    optional: &["CREATED_TIME", "EXPIRY_TIME"],
    looked_up_by: &["CONSUMER_KEY_ID"],
};

pub(super) static PROPERTIES: TableSpec = TableSpec {
    names: &["IDN_OIDC_PROPERTY"],
    key: "CONSUMER_KEY",
    key_is_unique: false,
    key_is_token: false,
    required: &["PROPERTY_KEY", "PROPERTY_VALUE"],
    optional: &[],
    looked_up_by: &[],
};

/// What an application set for itself, by name.
pub(super) type Properties = BTreeMap<String, String>;

/// An application.
pub(super) fn app(
    row: &Row<'_>,
    properties: &BTreeMap<String, Properties>,
    secrets: &BTreeMap<String, Vec<Zeroizing<String>>>,
) -> Item {
    match read(row, properties, secrets) {
        Ok(Some(client)) => Item::Record(Record::Client(Box::new(client))),
        Ok(None) => Item::left_out(Kind::Client, &row.origin, Reason::OtherProtocol),
        Err(fault) => Item::Problem(fault.in_row(Kind::Client, row.origin.clone())),
    }
}

fn read(
    row: &Row<'_>,
    properties: &BTreeMap<String, Properties>,
    secrets: &BTreeMap<String, Vec<Zeroizing<String>>>,
) -> Result<Option<ForeignClient>, ColumnFault> {
    if row.text("OAUTH_VERSION")?.is_some_and(|version| !version.contains("2.0")) {
        return Ok(None);
    }
    let id = row.required("CONSUMER_KEY")?;
    let properties = properties.get(id);
    let property = |name: &str| properties.and_then(|properties| properties.get(name)).map(String::as_str);
    let switch = |name: &str| property(name).map(|value| value.eq_ignore_ascii_case("true"));
    let id = ClientId::parse(id)
        .map_err(|error| ColumnFault::new("CONSUMER_KEY", error.to_string(), "give the application another key"))?;
    let newer = row.text("ID")?.and_then(|number| secrets.get(number)).map_or(&[][..], Vec::as_slice);
    let (secret, other_secret) = match newer {
        [] => (secret(row.text("CONSUMER_SECRET")?.unwrap_or_default())?, ForeignSecret::None),
        [only] => (secret(only)?, ForeignSecret::None),
        [first, second, ..] => (secret(first)?, secret(second)?),
    };
    let (redirect_uris, refused_redirect_uris) = callback(row.text("CALLBACK_URL")?.unwrap_or_default());
    let mut remarks = Vec::new();
    let lifetimes = lifetimes(row, &mut remarks)?;
    Ok(Some(ForeignClient {
        origin: row.origin.clone(),
        id,
        is_public: switch("bypassClientCredentials").unwrap_or(false),
        secret,
        other_secret,
        auth_method: property("tokenEndpointAuthMethod").filter(|method| !method.is_empty()).map(ToOwned::to_owned),
        is_disabled: row.text("APP_STATE")?.is_some_and(|state| state != "ACTIVE"),
        name: row.text("APP_NAME")?.filter(|name| !name.is_empty()).map(ToOwned::to_owned),
        redirect_uris,
        refused_redirect_uris,
        grant_types: GrantTypes::Listed(
            row.text("GRANT_TYPES")?.unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect(),
        ),
        scope: None,
        lifetimes,
        rotation: ForeignRotation {
            renews: switch("renewRefreshToken"),
            extends: switch("extendRenewedRefreshTokenExpiryTime"),
        },
        remarks,
    }))
}

fn secret(text: &str) -> Result<ForeignSecret, ColumnFault> {
    match kept(text) {
        Kept::Plain("") => Ok(ForeignSecret::None),
        Kept::Plain(secret) => Ok(ForeignSecret::Plain(Secret::new(secret.to_owned()))),
        Kept::Hash(digest) => Ok(ForeignSecret::Wso2Sha256(digest)),
        Kept::Encrypted => Ok(ForeignSecret::Encrypted),
        Kept::OtherHash(fault) => {
            Err(ColumnFault::new("CONSUMER_SECRET", fault, "make a new secret for the application"))
        }
    }
}

/// The URIs of `CALLBACK_URL`: one, or `regexp=(one|another)`. A pattern is taken for the URIs that it spells out, which
/// allows less than it did; one that spells out none is refused.
fn callback(text: &str) -> (Vec<RedirectUri>, Vec<String>) {
    let Some(pattern) = text.strip_prefix("regexp=") else { return redirect_uris(text) };
    let alternatives = pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(pattern);
    let literals = alternatives.replace(r"\.", ".");
    if literals.contains(|character: char| "*+()[]{}^$\\".contains(character)) {
        return (
            Vec::new(),
            vec![shortened(&format!("redirect URI pattern {pattern:?} spells out no URIs; register each"))],
        );
    }
    redirect_uris(&literals.replace('|', " "))
}

fn lifetimes(row: &Row<'_>, remarks: &mut Vec<String>) -> Result<ForeignLifetimes, ColumnFault> {
    const COLUMNS: [&str; 4] = [
        "USER_ACCESS_TOKEN_EXPIRE_TIME",
        "APP_ACCESS_TOKEN_EXPIRE_TIME",
        "REFRESH_TOKEN_EXPIRE_TIME",
        "ID_TOKEN_EXPIRE_TIME",
    ];
    let mut seconds = [None; 4];
    for (value, column) in seconds.iter_mut().zip(COLUMNS) {
        *value = row.number(column)?;
    }
    if seconds.iter().flatten().any(|value| DEFAULTS_MILLISECONDS.contains(value)) {
        seconds = seconds.map(|value| value.map(|milliseconds| milliseconds / 1000));
        remarks
            .push("its lifetimes are in milliseconds where WSO2 means seconds; they were divided by 1000".to_owned());
    }
    let [access_token, client_access_token, refresh_token, id_token] = seconds.map(|value| value.and_then(lifetime));
    Ok(ForeignLifetimes { access_token, client_access_token, refresh_token, id_token })
}

/// WSO2's default lifetimes, by whoever wrote them in milliseconds into columns of seconds.
const DEFAULTS_MILLISECONDS: [i64; 3] = [3_600_000, 84_600_000, 86_400_000];

/// 0 is the server's own, less is never, and so is more than we can count.
fn lifetime(seconds: i64) -> Option<Lifetime> {
    match seconds {
        0 => None,
        ..0 => Some(Lifetime::Never),
        _ => Some(u32::try_from(seconds).map_or(Lifetime::Never, Lifetime::from_seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_patterns_that_spell_out_their_uris_are_taken_over() {
        let cases: [(&str, &[&str], usize, &str); 5] = [
            ("https://a.example/cb", &["https://a.example/cb"], 0, "one URI"),
            (
                "regexp=(https://a.example/cb|https://b.example/cb)",
                &["https://a.example/cb", "https://b.example/cb"],
                0,
                "several",
            ),
            (r"regexp=https://a\.example/cb", &["https://a.example/cb"], 0, "an escaped dot"),
            ("regexp=https://.*\\.example/cb", &[], 1, "a pattern proper"),
            ("", &[], 0, "none, as for clients without a browser"),
        ];
        for (text, expected, refused_count, why) in cases {
            let (accepted, refused) = callback(text);
            assert_eq!(accepted.iter().map(RedirectUri::as_str).collect::<Vec<_>>(), expected, "{why}");
            assert_eq!(refused.len(), refused_count, "{why}: {refused:?}");
        }
    }

    #[test]
    fn lifetimes_are_seconds_and_zero_is_the_servers() {
        let cases = [
            (0, None),
            (3600, Some(Lifetime::from_seconds(3600))),
            (-1, Some(Lifetime::Never)),
            (i64::MAX, Some(Lifetime::Never)),
        ];
        for (seconds, expected) in cases {
            assert_eq!(lifetime(seconds), expected, "{seconds}");
        }
    }
}
