use std::collections::{BTreeMap, BTreeSet};

use regrant_protocol::{ClientId, Scope, Timestamp};

use super::hash::{Kept, kept};
use super::user::qualified;
use crate::known::Known;
use crate::moment::Wall;
use crate::reader::{Context, Item};
use crate::record::{
    Expiry, ForeignAccessToken, ForeignRefreshToken, Kind, Record, TokenDigest, TokenUser, UserStanding,
};
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row, TableSpec};
use crate::{ReadError, Reason};

pub(super) static PAIRS: TableSpec = TableSpec {
    names: &["IDN_OAUTH2_ACCESS_TOKEN"],
    key: "TOKEN_ID",
    key_is_unique: true,
    key_is_token: false,
    required: &[
        "ACCESS_TOKEN",
        "REFRESH_TOKEN",
        "CONSUMER_KEY_ID",
        "AUTHZ_USER",
        "TENANT_ID",
        "USER_DOMAIN",
        "TIME_CREATED",
        "REFRESH_TOKEN_TIME_CREATED",
        "VALIDITY_PERIOD",
        "REFRESH_TOKEN_VALIDITY_PERIOD",
        "TOKEN_STATE",
    ],
    optional: &["USER_TYPE", "GRANT_TYPE", "SUBJECT_IDENTIFIER", "ACCESS_TOKEN_HASH", "REFRESH_TOKEN_HASH"],
    looked_up_by: &[],
};

pub(super) static PAIR_SCOPES: TableSpec = TableSpec {
    names: &["IDN_OAUTH2_ACCESS_TOKEN_SCOPE"],
    key: "TOKEN_ID",
    key_is_unique: false,
    key_is_token: false,
    required: &["TOKEN_SCOPE"],
    optional: &[],
    looked_up_by: &[],
};

pub(super) static REFRESH_TOKENS: TableSpec = TableSpec {
    names: &["IDN_OAUTH2_REFRESH_TOKEN"],
    key: "REFRESH_TOKEN_ID",
    key_is_unique: true,
    key_is_token: false,
    required: &[
        "REFRESH_TOKEN",
        "CONSUMER_KEY_ID",
        "AUTHZ_USER",
        "TENANT_ID",
        "USER_DOMAIN",
        "REFRESH_TOKEN_TIME_CREATED",
        "REFRESH_TOKEN_VALIDITY_PERIOD",
        "TOKEN_STATE",
    ],
    optional: &["GRANT_TYPE", "SUBJECT_IDENTIFIER", "REFRESH_TOKEN_HASH"],
    looked_up_by: &[],
};

pub(super) static REFRESH_TOKEN_SCOPES: TableSpec = TableSpec {
    names: &["IDN_OAUTH2_REFRESH_TOKEN_SCOPE"],
    key: "REFRESH_TOKEN_ID",
    key_is_unique: false,
    key_is_token: false,
    required: &["TOKEN_SCOPE"],
    optional: &[],
    looked_up_by: &[],
};

/// What the tokens of a page belong to.
pub(super) struct Belongings<'a> {
    /// `client_id`s by the number of the application.
    pub(super) clients: BTreeMap<String, String>,
    /// Scopes by the number of the row.
    pub(super) scopes: BTreeMap<String, BTreeSet<String>>,
    /// Users of the primary store; `None` where the database has none.
    pub(super) users: Option<Known>,
    pub(super) tenants: &'a BTreeMap<String, String>,
}

/// The columns of one of the two tokens of a row.
struct Half {
    kind: Kind,
    token: &'static str,
    hash: &'static str,
    created: &'static str,
    validity: &'static str,
}

const REFRESH: Half = Half {
    kind: Kind::RefreshToken,
    token: "REFRESH_TOKEN",
    hash: "REFRESH_TOKEN_HASH",
    created: "REFRESH_TOKEN_TIME_CREATED",
    validity: "REFRESH_TOKEN_VALIDITY_PERIOD",
};

const ACCESS: Half = Half {
    kind: Kind::AccessToken,
    token: "ACCESS_TOKEN",
    hash: "ACCESS_TOKEN_HASH",
    created: "TIME_CREATED",
    validity: "VALIDITY_PERIOD",
};

/// The tokens of a row: a refresh token, an access token, or both.
pub(super) fn tokens(row: &Row<'_>, belongings: &Belongings<'_>, context: &Context) -> Result<Vec<Item>, ReadError> {
    let mut items = Vec::new();
    for half in [&REFRESH, &ACCESS] {
        match read(row, half, belongings, context) {
            Ok(Found::Nothing) => {}
            Ok(Found::Live(record)) => items.push(context.unless_duplicate(record)?),
            Ok(Found::Expired(end)) => items.push(Item::expired(half.kind, &row.origin, end)),
            Ok(Found::LeftOut(reason)) => items.push(Item::left_out(half.kind, &row.origin, reason)),
            Err(fault) => items.push(Item::Problem(fault.in_row(half.kind, row.origin.clone()))),
        }
    }
    Ok(items)
}

/// The refresh token of a row and when the row was made: of several rows, WSO2 takes the newest.
pub(super) fn claim(row: &Row<'_>, context: &Context) -> Option<(TokenDigest, Timestamp)> {
    let digest = digest(row, &REFRESH, context).ok()??;
    let created = ["TIME_CREATED", REFRESH.created].into_iter().find_map(|column| row.text(column).ok().flatten());
    let created = created.and_then(|created| moment("TIME_CREATED", created, row, context).ok());
    Some((digest, created.unwrap_or(Timestamp::from_seconds(0))))
}

/// What one half of a row says.
enum Found {
    Nothing,
    Live(Record),
    Expired(Option<Timestamp>),
    LeftOut(Reason),
}

fn read(row: &Row<'_>, half: &Half, belongings: &Belongings<'_>, context: &Context) -> Result<Found, ColumnFault> {
    let Some(digest) = digest(row, half, context)? else { return Ok(Found::Nothing) };
    // EXPIRED is said of the access token; the refresh token beside it is still good.
    match (row.required("TOKEN_STATE")?, half.kind) {
        ("ACTIVE", _) | ("EXPIRED", Kind::RefreshToken) => {}
        ("EXPIRED", _) => return Ok(Found::Expired(None)),
        (state, _) => return Ok(Found::LeftOut(Reason::DeadState(state.to_owned()))),
    }
    let (issued_at, expires_at) = lifetime(row, half, context)?;
    if let Expiry::At(end) = expires_at
        && end <= context.options.now
    {
        return Ok(Found::Expired(Some(end)));
    }
    let Some(client) = row.text("CONSUMER_KEY_ID")?.and_then(|number| belongings.clients.get(number)) else {
        return Ok(Found::LeftOut(Reason::ClientMissing));
    };
    let client = ClientId::parse(client).map_err(|error| {
        ColumnFault::new("CONSUMER_KEY_ID", error.to_string(), "the application cannot be taken over either")
    })?;
    let origin = row.origin.clone();
    let user = user(row, belongings)?;
    let scope = Some(scope(row, belongings)?);
    Ok(Found::Live(if half.kind == Kind::RefreshToken {
        Record::RefreshToken(Box::new(ForeignRefreshToken {
            origin,
            digest,
            client,
            user,
            scope,
            issued_at,
            expires_at,
        }))
    } else {
        let expires_at = match expires_at {
            Expiry::At(end) => Some(end),
            Expiry::Never => None,
        };
        Record::AccessToken(Box::new(ForeignAccessToken { origin, digest, client, user, scope, issued_at, expires_at }))
    }))
}

/// What the token is found by: the column of its hash, or where that is empty the token itself, hashed now.
fn digest(row: &Row<'_>, half: &Half, context: &Context) -> Result<Option<TokenDigest>, ColumnFault> {
    let token = row.text(half.token)?.filter(|token| !token.is_empty());
    let hash = row.text(half.hash)?.filter(|hash| !hash.is_empty());
    let (column, text) = match (hash, token) {
        (Some(hash), _) => (half.hash, hash),
        (None, Some(token)) => (half.token, token),
        (None, None) => return Ok(None),
    };
    match kept(text) {
        Kept::Hash(digest) => Ok(Some(digest)),
        Kept::Plain(token) if hash.is_none() => Ok(Some(TokenDigest::of(token, context.options.digest))),
        Kept::Plain(_) => Err(ColumnFault::new(
            column,
            "it is no {\"hash\":…,\"algorithm\":…}",
            "correct it, or let its user log in again",
        )),
        Kept::OtherHash(fault) => Err(ColumnFault::new(column, fault, "correct it, or let its user log in again")),
        Kept::Encrypted => Err(ColumnFault::new(
            column,
            "it is encrypted, and the column of its hash is empty",
            "let the old server fill the hash by using the token once more, or let its user log in again",
        )),
    }
}

/// From when to when it lives. The validity is in milliseconds, and less than nothing is for ever.
fn lifetime(row: &Row<'_>, half: &Half, context: &Context) -> Result<(Option<Timestamp>, Expiry), ColumnFault> {
    let validity = row
        .number(half.validity)?
        .ok_or_else(|| ColumnFault::new(half.validity, "it is NULL", "correct or delete the row"))?;
    let created = row.text(half.created)?;
    let issued_at = created.map(|created| moment(half.created, created, row, context)).transpose();
    if validity < 0 {
        return Ok((issued_at.unwrap_or(None), Expiry::Never));
    }
    let issued_at =
        issued_at?.ok_or_else(|| ColumnFault::new(half.created, "it is NULL", "correct or delete the row"))?;
    Ok((Some(issued_at), Expiry::At(issued_at.plus_milliseconds(validity))))
}

/// A date of WSO2, which writes UTC whatever the machine's zone.
fn moment(column: &'static str, text: &str, row: &Row<'_>, context: &Context) -> Result<Timestamp, ColumnFault> {
    let fault = || {
        ColumnFault::new(column, format!("{text:?} is no date"), "correct it to YYYY-MM-DD HH:MM:SS, or delete the row")
    };
    let zones = context.options.zones.with_program_in_utc();
    match Wall::parse(text).map_err(|_| fault())? {
        Wall::Exact(moment) => Ok(moment),
        Wall::Local(local) => {
            let is_turned = context.database.is_dumped_in_utc() && row.type_of(column).contains("timestamp");
            Ok(zones.moment(if is_turned { zones.undump(local) } else { local }))
        }
        Wall::Zero | Wall::Infinity => Err(fault()),
    }
}

/// The user of a token; `None` for one of an application itself.
fn user(row: &Row<'_>, belongings: &Belongings<'_>) -> Result<Option<TokenUser>, ColumnFault> {
    let is_applications =
        row.text("USER_TYPE")? == Some("APPLICATION") || row.text("GRANT_TYPE")? == Some("client_credentials");
    let Some(name) = row.text("AUTHZ_USER")?.filter(|name| !name.is_empty() && !is_applications) else {
        return Ok(None);
    };
    let store = row.text("USER_DOMAIN")?;
    let subject = qualified(name, store, row.text("TENANT_ID")?.unwrap_or("-1234"), belongings.tenants);
    let is_in_primary_store = store.is_none_or(|store| store.is_empty() || store.eq_ignore_ascii_case("PRIMARY"));
    let (subject, standing) = match &belongings.users {
        Some(users) if is_in_primary_store && !name.contains('/') => match users.find(&subject) {
            Some(own) => (own.to_owned(), UserStanding::Known),
            None => (subject, UserStanding::Missing),
        },
        _ => (subject, UserStanding::Elsewhere),
    };
    let told_as = row.text("SUBJECT_IDENTIFIER")?.filter(|told| !told.is_empty() && *told != subject);
    Ok(Some(TokenUser { told_as: told_as.map(ToOwned::to_owned), subject, standing }))
}

fn scope(row: &Row<'_>, belongings: &Belongings<'_>) -> Result<Scope, ColumnFault> {
    let names = belongings.scopes.get(row.key()?);
    let text = names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    lenient_scope(&text).map_err(|error| {
        ColumnFault::new("TOKEN_SCOPE", error.to_string(), "correct the row, or let its user log in again")
    })
}
