use regrant_protocol::RedirectUri;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::statements::database::{SELECT_STORED_SETTINGS, UPDATE_STORED_SETTINGS};

/// Takes the redirect URIs out of stored settings that may not be registered: nobody judged them before there was a use for
/// them. Settings that cannot be read are left to whoever reads them to report.
pub(crate) fn drop_unusable(connection: &Connection) -> rusqlite::Result<()> {
    let stored: Vec<(i64, String, String)> = connection
        .prepare(SELECT_STORED_SETTINGS)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (key, client, settings) in stored {
        if let Some(settings) = without_unusable(&client, &settings) {
            connection.execute(UPDATE_STORED_SETTINGS, params![key, settings])?;
        }
    }
    Ok(())
}

/// The settings without those redirect URIs; `None` when nothing has to go.
fn without_unusable(client: &str, settings: &str) -> Option<String> {
    let mut settings: Value = serde_json::from_str(settings).ok()?;
    let uris = settings.get_mut("redirect_uris")?.as_array_mut()?;
    let count = uris.len();
    uris.retain(|uri| match uri.as_str().map(RedirectUri::parse) {
        Some(Err(refusal)) => {
            tracing::warn!(client, %refusal, "a redirect URI was dropped that no browser can be sent to; register another");
            false
        }
        Some(Ok(_)) | None => true,
    });
    (uris.len() < count).then(|| settings.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_redirect_uris_that_may_not_be_registered_go() {
        for (before, after) in [
            (r#"{"redirect_uris":[]}"#, None),
            (r#"{"redirect_uris":["https://app/","http://127.0.0.1/"]}"#, None),
            (
                r#"{"redirect_uris":["https://app/#","https://app/","http://app/"]}"#,
                Some(r#"{"redirect_uris":["https://app/"]}"#),
            ),
            (r#"{"redirect_uris":["app:/"],"scope":"a"}"#, Some(r#"{"redirect_uris":[],"scope":"a"}"#)),
            (r#"{"redirect_uris":[7]}"#, None),
            (r#"{"redirect_uris":"app:/"}"#, None),
            ("{}", None),
            ("not JSON", None),
        ] {
            assert_eq!(without_unusable("app", before).as_deref(), after, "{before}");
        }
    }
}
