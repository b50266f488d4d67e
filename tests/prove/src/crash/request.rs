use anyhow::{Result, bail};
use http::StatusCode;
use serde_json::Value;

use super::life::Life;
use crate::history::Tokens;
use crate::load::{Connection, Lost};

/// A request that was sent, and what its answer says.
pub(super) struct Sent<T> {
    /// When it was about to be sent.
    pub(super) invoked: u64,
    /// When it was answered, or known to be lost.
    pub(super) completed: u64,
    /// What the answer says.
    pub(super) answer: Result<T, Lost>,
}

/// What the answer to a refresh says.
pub(super) enum Said {
    /// 200 with these tokens.
    Refreshed(Tokens),
    /// A refusal that is final.
    Refused,
    /// Nothing was decided.
    Unavailable,
    /// Something that no token endpoint answers.
    Unreadable,
}

/// A refresh by the demo client.
pub(super) async fn refresh(life: &Life, connection: &mut Connection, presented: &Tokens) -> Sent<Said> {
    let form = format!("{CLIENT}&grant_type=refresh_token&refresh_token={}", presented.refresh_token);
    send(life, connection, "/token", form, read).await
}

/// A revocation by the demo client; whether it was acknowledged.
pub(super) async fn revoke(life: &Life, connection: &mut Connection, presented: &Tokens) -> Sent<bool> {
    let form = format!("{CLIENT}&token={}", presented.refresh_token);
    send(life, connection, "/revoke", form, |status, _| status == StatusCode::OK).await
}

/// A login of the demo user; `None` when the server was lost meanwhile, or has decided nothing.
pub(super) async fn log_in(life: &Life) -> Result<Option<Tokens>> {
    let Ok(mut connection) = life.connect().await else { return Ok(None) };
    let form = format!("{CLIENT}&grant_type=password&username={USERNAME}&password={PASSWORD}");
    let Ok((status, body)) = connection.post("/token", form).await else { return Ok(None) };
    match (status.as_u16(), tokens(&body)) {
        (_, Some(tokens)) => Ok(Some(tokens)),
        (429 | 503, None) => Ok(None),
        (status, None) => bail!("a login was answered {status}"),
    }
}

/// The demo client of `regrant dev`.
const CLIENT: &str = "client_id=TestClient&client_secret=TestSecret";
/// The demo user's name.
pub(super) const USERNAME: &str = "bshaffer";
/// The demo user's password.
pub(super) const PASSWORD: &str = "brent123";

async fn send<T>(
    life: &Life,
    connection: &mut Connection,
    path: &str,
    form: String,
    read: impl FnOnce(StatusCode, &[u8]) -> T,
) -> Sent<T> {
    let invoked = life.now();
    let answer = connection.post(path, form).await;
    Sent { invoked, completed: life.now(), answer: answer.map(|(status, body)| read(status, &body)) }
}

fn read(status: StatusCode, body: &[u8]) -> Said {
    match status.as_u16() {
        200 => tokens(body).map_or(Said::Unreadable, Said::Refreshed),
        400 if error(body).as_deref() == Some("invalid_grant") => Said::Refused,
        429 | 503 => Said::Unavailable,
        _ => Said::Unreadable,
    }
}

fn error(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("error")?.as_str()?.to_owned())
}

fn tokens(body: &[u8]) -> Option<Tokens> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Tokens::new(body.get("refresh_token")?.as_str()?, body.get("access_token")?.as_str()?)
}
