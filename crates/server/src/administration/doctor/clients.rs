use regrant_admin::{ClientView, LISTED_MAX, Listing, OnReuse, RotationMode};
use regrant_grant::RETRY_WINDOW_BEARER_SECONDS;
use regrant_protocol::GrantType;

use crate::administration::api::AdminApi;
use crate::administration::path::with_query;
use crate::config::Config;

use super::check::Check;
use super::defaults::Kept;

const NAME: &str = "clients";

/// A longer life than this of an access token that nobody can call back is not wise.
const ACCESS_LIFETIME_SECONDS_WISE: u32 = 24 * 60 * 60;

/// Settings that help a thief, and those that are not the defaults of `config`.
pub(super) async fn check(api: &AdminApi, config: Option<&Config>) -> Vec<Check> {
    let mut kept = config.map(Kept::beside);
    let (mut checks, mut count, mut after) = (Vec::new(), 0, None);
    loop {
        let page = [("after", after), ("limit", Some(LISTED_MAX.to_string()))];
        let listing: Listing<ClientView> = match api.get(&with_query("/clients", &page)).await {
            Ok(listing) => listing,
            Err(error) => return vec![Check::fail(NAME, format!("{error:#}"))],
        };
        count += listing.items.len();
        for client in &listing.items {
            if let Some(kept) = &mut kept {
                kept.look_at(client);
            }
            checks.extend(risks(client).into_iter().map(|risk| Check::warn(NAME, format!("{}: {risk}", client.id))));
        }
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("none of {count} has a setting that helps a thief")));
    }
    checks.extend(kept.and_then(|kept| kept.note()));
    checks
}

fn risks(client: &ClientView) -> Vec<String> {
    let settings = &client.settings;
    let mut risks = Vec::new();
    let has_codes = settings.grant_types.contains(&GrantType::AuthorizationCode);
    if has_codes && !settings.require_pkce {
        risks.push(
            "require_pkce is false: a code that somebody else saw can be redeemed by them; require it".to_owned(),
        );
    }
    if settings.grant_types.contains(&GrantType::Password) {
        risks
            .push("the grant type password shows the client the passwords of users; use authorization_code".to_owned());
    }
    if client.public && settings.retry_window.is_some_and(|window| window > RETRY_WINDOW_BEARER_SECONDS) {
        risks.push(format!(
            "it is public, and retry_window is over {RETRY_WINDOW_BEARER_SECONDS} seconds: that long a stolen token is answered \
             like a lost answer; leave it out"
        ));
    }
    if client.public && settings.on_reuse == Some(OnReuse::Alert) {
        risks.push("it is public, and on_reuse is alert: a thief stays in; leave it out, or say revoke".to_owned());
    }
    let keeps_its_token = matches!(settings.rotation, RotationMode::Reuse | RotationMode::Fork);
    if keeps_its_token && client.public {
        risks.push("it is public, and its refresh token is not rotated: a stolen one is never noticed".to_owned());
    }
    if settings.allow_unsafe_rotation && !(keeps_its_token && client.public) {
        risks.push("allow_unsafe_rotation is true, and nothing needs it: leave it out".to_owned());
    }
    if settings.access_lifetime == 0 || settings.access_lifetime > ACCESS_LIFETIME_SECONDS_WISE {
        risks
            .push("access_lifetime is over a day: an API that does not ask the server accepts it that long".to_owned());
    }
    if settings.idle_lifetime == 0 && settings.absolute_lifetime == 0 {
        risks.push("idle_lifetime and absolute_lifetime are 0: a forgotten grant never ends".to_owned());
    }
    risks
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A public client with the settings of one of which nothing is said, but for those that are `changed`.
    pub(in super::super) fn client(changed: Value) -> ClientView {
        let mut whole = json!({
            "id": "app", "public": true, "enabled": true, "name": null, "auth_methods": ["none"],
            "grant_types": ["authorization_code", "refresh_token"], "redirect_uris": ["http://127.0.0.1/"],
            "post_logout_redirect_uris": [], "allowed_origins": [], "scope": "read", "default_scope": null,
            "resources": [], "audience": [], "require_pkce": true, "client_uri": null, "policy_uri": null, "tos_uri": null,
            "consent": "remember", "outlives_session": "always", "access_token_format": "jwt_es256",
            "id_token_algorithm": "rs256", "id_token_on_refresh": false, "access_lifetime": 3600, "idle_lifetime": 1_209_600,
            "absolute_lifetime": 31_536_000, "rotation": "rotate", "retry_window": null, "on_reuse": null, "code_retry": 0,
            "scope_narrowing": "access_token", "old_access_tokens": "keep", "refresh_token_scope": null,
            "allow_unsafe_rotation": false,
        });
        let (Some(whole_fields), Value::Object(changed)) = (whole.as_object_mut(), changed) else {
            panic!("two objects")
        };
        whole_fields.extend(changed);
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn every_setting_that_helps_a_thief_is_told_with_its_name() {
        for (changed, told) in [
            (json!({}), None),
            (json!({ "retry_window": 60 }), None),
            (json!({ "retry_window": 61 }), Some("retry_window")),
            (json!({ "public": false, "retry_window": 86400, "on_reuse": "alert", "rotation": "reuse" }), None),
            (json!({ "on_reuse": "alert" }), Some("on_reuse")),
            (json!({ "rotation": "fork" }), Some("not rotated")),
            (json!({ "rotation": "fork", "allow_unsafe_rotation": true }), Some("not rotated")),
            (json!({ "rotation": "consume", "allow_unsafe_rotation": true }), Some("nothing needs it")),
            (json!({ "public": false, "rotation": "reuse", "allow_unsafe_rotation": true }), Some("nothing needs it")),
            (json!({ "public": false, "require_pkce": false }), Some("require_pkce")),
            (json!({ "public": false, "require_pkce": false, "grant_types": ["client_credentials"] }), None),
            (json!({ "grant_types": ["password"] }), Some("grant type password")),
            (json!({ "access_lifetime": 86400 }), None),
            (json!({ "access_lifetime": 86401 }), Some("access_lifetime")),
            (json!({ "access_lifetime": 0 }), Some("access_lifetime")),
            (json!({ "idle_lifetime": 0 }), None),
            (json!({ "idle_lifetime": 0, "absolute_lifetime": 0 }), Some("never ends")),
        ] {
            let risks = risks(&client(changed.clone()));
            assert_eq!(risks.len(), usize::from(told.is_some()), "{changed}: {risks:?}");
            assert!(told.is_none_or(|told| risks[0].contains(told)), "{changed}: {risks:?}");
        }
    }
}
