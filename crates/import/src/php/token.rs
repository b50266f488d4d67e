use regrant_protocol::{ClientId, Timestamp};

use super::Parties;
use crate::jwt::is_cut_jwt;
use crate::moment::{access_expiry, refresh_expiry};
use crate::reader::{Context, Item};
use crate::record::{
    Expiry, ForeignAccessToken, ForeignRefreshToken, Kind, Record, TokenDigest, TokenUser, UserStanding,
};
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row, TableSpec};
use crate::{ReadError, Reason};

pub(super) static BSHAFFER_REFRESH_TOKENS: TableSpec = tokens(&["oauth_refresh_tokens"], "refresh_token");
pub(super) static BSHAFFER_ACCESS_TOKENS: TableSpec = tokens(&["oauth_access_tokens"], "access_token");
pub(super) static REDCORE_REFRESH_TOKENS: TableSpec = tokens(&["redcore_oauth_refresh_tokens"], "refresh_token");
pub(super) static REDCORE_ACCESS_TOKENS: TableSpec = tokens(&["redcore_oauth_access_tokens"], "access_token");

const fn tokens(names: &'static [&'static str], key: &'static str) -> TableSpec {
    TableSpec {
        names,
        key,
        key_is_unique: true,
        key_is_token: true,
        required: &["client_id", "user_id", "expires", "scope"],
        optional: &[],
        looked_up_by: &[],
    }
}

/// What a row of either table of tokens says.
pub(super) fn token(row: &Row<'_>, kind: Kind, parties: &Parties, context: &Context) -> Result<Item, ReadError> {
    match read(row, kind, parties, context) {
        // The token is the key of its table; of a dump, several may say the same.
        Ok(Found::Live(record)) if context.database.is_live() => Ok(Item::Record(record)),
        Ok(Found::Live(record)) => context.unless_duplicate(record),
        Ok(Found::Expired(end)) => Ok(Item::expired(kind, &row.origin, Some(end))),
        Ok(Found::WithoutClient) => Ok(Item::left_out(kind, &row.origin, Reason::ClientMissing)),
        Err(fault) => Ok(Item::Problem(fault.in_row(kind, row.origin.clone()))),
    }
}

enum Found {
    Live(Record),
    Expired(Timestamp),
    WithoutClient,
}

fn read(row: &Row<'_>, kind: Kind, parties: &Parties, context: &Context) -> Result<Found, ColumnFault> {
    let column = if kind == Kind::RefreshToken { "refresh_token" } else { "access_token" };
    let digest = TokenDigest::of(whole_token(column, row.required(column)?)?, context.options.digest);
    let expires_at = expiry(row, kind, context)?;
    if let Expiry::At(end) = expires_at
        && end <= context.options.now
    {
        return Ok(Found::Expired(end));
    }
    let Some(client) = parties.clients.find(row.required("client_id")?) else {
        return Ok(Found::WithoutClient);
    };
    let client = ClientId::parse(client)
        .map_err(|error| ColumnFault::new("client_id", error.to_string(), "the client cannot be taken over either"))?;
    let user = row.text("user_id")?.filter(|user| !user.is_empty()).map(|user| parties.user(user));
    let scope = row.text("scope")?.map(lenient_scope).transpose().map_err(|error| {
        ColumnFault::new("scope", error.to_string(), "correct the row, or let its user log in again")
    })?;
    let origin = row.origin.clone();
    Ok(Found::Live(match (kind, expires_at) {
        (Kind::AccessToken, Expiry::At(end)) => Record::AccessToken(Box::new(ForeignAccessToken {
            origin,
            digest,
            client,
            user,
            scope,
            issued_at: None,
            expires_at: Some(end),
        })),
        _ => Record::RefreshToken(Box::new(ForeignRefreshToken {
            origin,
            digest,
            client,
            user,
            scope,
            issued_at: None,
            expires_at,
        })),
    }))
}

impl Parties {
    fn user(&self, name: &str) -> TokenUser {
        let (subject, standing) = match &self.users {
            None => (name, UserStanding::Elsewhere),
            Some(users) => users.find(name).map_or((name, UserStanding::Missing), |own| (own, UserStanding::Known)),
        };
        TokenUser { subject: subject.to_owned(), told_as: None, standing }
    }
}

fn expiry(row: &Row<'_>, kind: Kind, context: &Context) -> Result<Expiry, ColumnFault> {
    let text = row.required("expires")?;
    // Only `TIMESTAMP` columns are turned; where the dump does not say what the column is, it is as it always was.
    let declared = row.type_of("expires");
    let is_timestamp = declared.contains("timestamp") || declared.trim() == "text";
    let is_dumped_in_utc = context.database.is_dumped_in_utc() && is_timestamp;
    let zones = &context.options.zones;
    let expiry = if kind == Kind::AccessToken {
        access_expiry(text, zones, is_dumped_in_utc).map(Expiry::At)
    } else {
        refresh_expiry(text, zones, is_dumped_in_utc)
    };
    expiry.map_err(|_| {
        ColumnFault::new(
            "expires",
            format!("{text:?} is no date"),
            "correct it to YYYY-MM-DD HH:MM:SS, or delete the row",
        )
    })
}

/// Refuses what a column that is too short made of a JWT: it would be found by nobody.
fn whole_token<'a>(column: &'static str, token: &'a str) -> Result<&'a str, ColumnFault> {
    if token.is_empty() {
        return Err(ColumnFault::new(column, "it is empty", "delete the row"));
    }
    if is_cut_jwt(token) {
        return Err(ColumnFault {
            is_truncation: true,
            ..ColumnFault::new(
                column,
                format!("it is a JWT cut off after {} characters: the column is too short", token.len()),
                "nothing can be done: the whole token was never stored; it lives on where JWTs are checked by key",
            )
        });
    }
    Ok(token)
}
