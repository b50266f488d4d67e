use regrant_protocol::{ClientId, Lifetime, Secret};
use serde_json::Value;

use super::document::Document;
use crate::record::{ForeignClient, ForeignLifetimes, ForeignRotation, ForeignSecret, GrantTypes, Record};
use crate::redirect_uris::redirect_uris;
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row};

/// A client. Its `token_lifetime` is that of access tokens: refresh tokens have none.
pub(super) fn client(row: &Row<'_>, document: &Document) -> Result<Record, ColumnFault> {
    let wrong = |fault: String| ColumnFault::new("data", fault, "correct the client in the old server");
    let id = document.text("clientId").map_or_else(|| row.key(), Ok)?;
    let id = ClientId::parse(id).map_err(|error| wrong(format!("client_id: {error}")))?;
    let auth_method = document.text("tokenEndpointAuthMethod").unwrap_or("client_secret_basic");
    let (secret, other_secret) = secrets(document);
    let (redirect_uris, refused_redirect_uris) = redirect_uris(&document.texts("redirectUris").join(" "));
    let scope = lenient_scope(&document.texts("allowedScopes").join(" "))
        .map_err(|error| wrong(format!("allowed_scopes: {error}")))?;
    let lifetime = document
        .text("tokenLifetime")
        .map(|span| seconds(span).ok_or_else(|| wrong(format!("token_lifetime {span:?} is no d.hh:mm:ss"))));
    let access_token = lifetime.transpose()?.map(Lifetime::from_seconds);
    Ok(Record::Client(Box::new(ForeignClient {
        origin: row.origin.clone(),
        id,
        is_public: auth_method == "none",
        secret,
        other_secret,
        auth_method: Some(auth_method.to_owned()),
        is_disabled: false,
        name: document.text("clientName").map(ToOwned::to_owned),
        redirect_uris,
        refused_redirect_uris,
        grant_types: GrantTypes::Listed(document.texts("grantTypes").into_iter().map(ToOwned::to_owned).collect()),
        scope: Some(scope),
        lifetimes: ForeignLifetimes { access_token, client_access_token: access_token, ..ForeignLifetimes::default() },
        rotation: ForeignRotation::default(),
        remarks: Vec::new(),
    })))
}

/// The first two shared secrets; thumbprints and names of certificates are no secrets.
fn secrets(document: &Document) -> (ForeignSecret, ForeignSecret) {
    let shared = document.values("secrets").iter().filter_map(|secret| {
        let secret = Document::of(secret)?;
        let is_shared = match secret.get("type") {
            None => true,
            Some(Value::String(name)) => name.eq_ignore_ascii_case("SharedSecret"),
            Some(number) => number.as_i64() == Some(0),
        };
        secret.text("value").filter(|_| is_shared).map(|value| ForeignSecret::Plain(Secret::new(value.to_owned())))
    });
    let mut shared = shared.chain([ForeignSecret::None, ForeignSecret::None]);
    let mut next = || shared.next().unwrap_or(ForeignSecret::None);
    (next(), next())
}

/// The seconds of a .NET `TimeSpan`: `[d.]hh:mm:ss[.fffffff]`.
fn seconds(span: &str) -> Option<u32> {
    let (hours, rest) = span.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let seconds = seconds.split_once('.').map_or(seconds, |(whole, _)| whole);
    let [days, hours, minutes, seconds] = [days, hours, minutes, seconds].map(|part| part.parse::<u32>().ok());
    let hours = days?.checked_mul(24)?.checked_add(hours?)?;
    hours.checked_mul(60)?.checked_add(minutes?)?.checked_mul(60)?.checked_add(seconds?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_of_dotnet_are_read() {
        let cases = [
            ("00:30:00", Some(1800)),
            ("1.00:00:00", Some(86_400)),
            ("00:00:59.9999999", Some(59)),
            ("30", None),
            ("-00:30:00", None),
        ];
        for (span, expected) in cases {
            assert_eq!(seconds(span), expected, "{span}");
        }
    }
}
