use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_protocol::{ClientId, Scope, Timestamp};

use super::Parties;
use super::document::Document;
use crate::moment::Wall;
use crate::reader::{Context, Item};
use crate::record::{
    Expiry, ForeignAccessToken, ForeignRefreshToken, Kind, Record, TokenDigest, TokenUser, UserStanding,
};
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row};
use crate::{ReadError, Reason};

/// The tokens of a document: an access token, and a refresh token if its scope had `offline`.
///
/// A refresh token never ends here: how long it may live is for whoever takes it over to say.
pub(super) fn tokens(
    row: &Row<'_>,
    document: Result<Document, ColumnFault>,
    parties: &Parties,
    context: &Context,
) -> Result<Vec<Item>, ReadError> {
    let token = document.and_then(|document| Token::read(row, document, parties, context));
    let token = match token {
        Ok(token) => token,
        Err(fault) => return Ok(vec![Item::Problem(fault.in_row(Kind::RefreshToken, row.origin.clone()))]),
    };
    let mut items = Vec::new();
    if let Some(digest) = token.digest("refreshToken", context) {
        items.push(match token.client.clone() {
            None => Item::left_out(Kind::RefreshToken, &token.origin, Reason::ClientMissing),
            Some(client) => context.unless_duplicate(Record::RefreshToken(Box::new(ForeignRefreshToken {
                origin: token.origin.clone(),
                digest,
                client,
                user: token.user.clone(),
                scope: Some(token.scope.clone()),
                issued_at: token.issued_at,
                expires_at: Expiry::Never,
            })))?,
        });
    }
    if let Some(digest) = token.digest("accessToken", context) {
        let seconds = token.document.number("expiresIn").unwrap_or(0);
        let end = token.issued_at.unwrap_or(Timestamp::from_seconds(0)).plus_seconds(seconds);
        items.push(match token.client.clone() {
            _ if end <= context.options.now => Item::expired(Kind::AccessToken, &token.origin, Some(end)),
            None => Item::left_out(Kind::AccessToken, &token.origin, Reason::ClientMissing),
            Some(client) => context.unless_duplicate(Record::AccessToken(Box::new(ForeignAccessToken {
                origin: token.origin.clone(),
                digest,
                client,
                user: token.user.clone(),
                scope: Some(token.scope.clone()),
                issued_at: token.issued_at,
                expires_at: Some(end),
            })))?,
        });
    }
    Ok(items)
}

/// The subject that a token speaks for, by the claims beside it, or by its own as a JWT.
pub(super) fn subject(token: &Document) -> Option<String> {
    let of = |name| Some(Document::of(token.get(name)?)?.text("sub")?.to_owned());
    of("idTokenPayLoad").or_else(|| of("userInfoPayLoad")).or_else(|| {
        let claims = token.text("accessToken")?.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        Some(Document::parse(std::str::from_utf8(&claims).ok()?)?.text("sub")?.to_owned())
    })
}

/// What both tokens of a document have in common.
struct Token {
    origin: crate::Origin,
    document: Document,
    client: Option<ClientId>,
    user: Option<TokenUser>,
    scope: Scope,
    issued_at: Option<Timestamp>,
}

impl Token {
    fn read(row: &Row<'_>, document: Document, parties: &Parties, context: &Context) -> Result<Self, ColumnFault> {
        let wrong = |fault: String| ColumnFault::new("data", fault, "correct the row, or let its user log in again");
        let id = document.text("clientId").ok_or_else(|| wrong("it has no clientId".to_owned()))?;
        let is_there = parties.clients.as_ref().is_none_or(|clients| clients.find(id).is_some());
        let client = is_there.then(|| ClientId::parse(id)).transpose();
        let client = client.map_err(|error| wrong(format!("clientId: {error}")))?;
        let user = subject(&document).filter(|subject| subject != id).map(|subject| {
            let standing = match &parties.users {
                None => UserStanding::Elsewhere,
                Some(users) if users.find(&subject).is_some() => UserStanding::Known,
                Some(_) => UserStanding::Missing,
            };
            TokenUser { subject, told_as: None, standing }
        });
        let scope = lenient_scope(document.text("scope").unwrap_or_default())
            .map_err(|error| wrong(format!("scope: {error}")))?;
        let issued_at = document
            .text("createDateTime")
            .map(|text| created(text, context).ok_or_else(|| wrong(format!("createDateTime {text:?} is no date"))));
        let issued_at = issued_at.transpose()?.filter(|moment| *moment > Timestamp::from_seconds(0));
        Ok(Self { origin: row.origin.clone(), document, client, user, scope, issued_at })
    }

    fn digest(&self, member: &str, context: &Context) -> Option<TokenDigest> {
        self.document.text(member).map(|token| TokenDigest::of(token, context.options.digest))
    }
}

/// A date of .NET: RFC 3339 with up to seven decimals, or without an offset where it is UTC.
fn created(text: &str, context: &Context) -> Option<Timestamp> {
    match Wall::parse(text).ok()? {
        Wall::Exact(moment) => Some(moment),
        Wall::Local(local) => Some(context.options.zones.with_program_in_utc().moment(local)),
        Wall::Zero | Wall::Infinity => None,
    }
}
