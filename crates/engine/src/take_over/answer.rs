use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_protocol::{Scope, Secret, Timestamp};
use serde_json::{Map, Value};

use crate::{OldServerAnswer, OldServerSettings, UserSource};

/// What is wrong with an answer, or that there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The token is not good there.
    Refused,
    /// It cannot say now; its own `Retry-After`.
    Busy(String, Option<u32>),
    /// The question is refused, and not the token; why.
    Misconfigured(String),
}

/// What a refresh at an old server gave.
#[derive(Debug)]
pub(super) struct OldTokens {
    pub(super) access_token: Secret,
    /// The refresh token that follows; `None` where the one that was presented is still good, or none is left.
    pub(super) refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    /// What was granted; `None` where the answer does not say.
    pub(super) scope: Option<Scope>,
}

/// Who the user is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OldUser {
    pub(super) name: String,
    /// When they logged in, where that is said.
    pub(super) authenticated_at: Option<Timestamp>,
    /// What was granted, where that is said beside.
    pub(super) scope: Option<Scope>,
}

/// Reads the answer to a refresh (RFC 6749 §5.1, §5.2). Only an error that is about the token itself is a refusal of it: whatever
/// else is wrong would log out users for a slip of somebody else.
pub(super) fn tokens(answer: &OldServerAnswer) -> Result<OldTokens, Fault> {
    let status = answer.status;
    let busy = |why: &str| Fault::Busy(format!("it answered {status}{why}"), answer.retry_after_seconds);
    if status == 429 || status >= 500 {
        return Err(busy(""));
    }
    let Some(members) = object(&answer.body) else {
        return Err(Fault::Misconfigured(format!("it answered {status}, and not with a JSON object")));
    };
    match members.get("error").and_then(Value::as_str) {
        Some("invalid_grant" | "invalid_token" | "expired_token") => Err(Fault::Refused),
        Some(error @ ("temporarily_unavailable" | "server_error" | "slow_down")) => Err(busy(&format!(", {error}"))),
        Some(error) => Err(Fault::Misconfigured(format!("it answered {status}, {:?}", shortened(error)))),
        None if status == 200 => {
            let secret = |name| text(&members, name).map(|text| Secret::new(text.to_owned()));
            let access_token = secret("access_token")
                .ok_or_else(|| Fault::Misconfigured("it answered 200 without an access_token".to_owned()))?;
            let (refresh_token, id_token) = (secret("refresh_token"), secret("id_token"));
            Ok(OldTokens { access_token, refresh_token, id_token, scope: scope(&members) })
        }
        None => Err(Fault::Misconfigured(format!("it answered {status} without an error"))),
    }
}

/// What a JWT that came with the tokens says of the user. It came straight from the token endpoint, over TLS, which stands for its
/// signature (OpenID Connect Core §3.1.3.7 item 6). The error says what is missing.
pub(super) fn user_in_jwt(tokens: &OldTokens, settings: &OldServerSettings) -> Result<OldUser, String> {
    let (name, jwt) = match settings.user_from {
        UserSource::IdToken => ("id_token", tokens.id_token.as_ref()),
        UserSource::AccessToken | UserSource::Introspection | UserSource::UserInfo => {
            ("access token", Some(&tokens.access_token))
        }
    };
    let jwt = jwt.ok_or_else(|| format!("its answer has no {name}"))?;
    let claims = claims(jwt).ok_or_else(|| format!("its {name} is no JWT"))?;
    let is_issuer = |expected: &String| text(&claims, "iss") == Some(expected);
    if !settings.issuer.as_ref().is_none_or(is_issuer) {
        return Err(format!("its {name} is of another issuer: {:?}", text(&claims, "iss").map(shortened)));
    }
    if !settings.audience.as_ref().is_none_or(|expected| is_for(&claims, expected)) {
        return Err(format!("its {name} is for another audience"));
    }
    user(&claims, settings).ok_or_else(|| format!("its {name} has no {:?}", settings.user_claim))
}

/// What introspection or userinfo say of the user. The inner error says what is missing.
pub(super) fn user_in_answer(
    answer: &OldServerAnswer,
    settings: &OldServerSettings,
) -> Result<Result<OldUser, String>, Fault> {
    let status = answer.status;
    if status == 429 || status >= 500 {
        return Err(Fault::Busy(format!("asked for the user it answered {status}"), answer.retry_after_seconds));
    }
    let Some(members) = object(&answer.body).filter(|_| status == 200) else {
        return Ok(Err(format!("asked for the user it answered {status}, or not with a JSON object")));
    };
    if settings.user_from == UserSource::Introspection && members.get("active") != Some(&Value::Bool(true)) {
        return Ok(Err("its own access token is not active at its introspection endpoint".to_owned()));
    }
    let found = user(&members, settings);
    Ok(found.ok_or_else(|| format!("asked for the user it says no {:?}", settings.user_claim)))
}

fn user(members: &Map<String, Value>, settings: &OldServerSettings) -> Option<OldUser> {
    let named = members.get(&settings.user_claim)?;
    let number = || named.as_i64().map(|number| number.to_string()).or_else(|| Some(named.as_u64()?.to_string()));
    let name = named.as_str().filter(|name| !name.is_empty()).map(str::to_owned).or_else(number)?;
    let authenticated_at = members.get("auth_time").and_then(Value::as_i64).map(Timestamp::from_seconds);
    Some(OldUser { name, authenticated_at, scope: scope(members) })
}

/// `aud` is a text or a list of them (RFC 7519 §4.1.3).
fn is_for(claims: &Map<String, Value>, expected: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == expected,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(expected)),
        _ => false,
    }
}

/// A scope that cannot be read counts as none that was said, as `null` does.
fn scope(members: &Map<String, Value>) -> Option<Scope> {
    let said = members.get("scope")?;
    let names: Vec<&str> = match said.as_array() {
        Some(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        None => said.as_str()?.split_whitespace().collect(),
    };
    let text = names.join(" ");
    Scope::parse(&text).ok()
}

fn claims(jwt: &Secret) -> Option<Map<String, Value>> {
    let mut parts = jwt.expose().split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    if parts.next().is_some() { None } else { serde_json::from_slice(&claims).ok() }
}

fn object(body: &Secret) -> Option<Map<String, Value>> {
    serde_json::from_str(body.expose().trim_start_matches('\u{feff}')).ok()
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// As much of a foreign text as a log repeats.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(TOLD_CHARACTERS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// The most characters of a foreign text that the log repeats.
const TOLD_CHARACTERS_MAX: usize = 80;
