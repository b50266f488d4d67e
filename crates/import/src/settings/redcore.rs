use crate::settings::bshaffer::{Refresh, lifetimes, requests, seconds, switch, text, token_format};
use crate::settings::option::{Counterpart, OptionKind, OptionPreset, SystemOption};
use crate::settings::settler::Settler;

/// The options of the component, as Joomla keeps them; without their prefix they are those of the library.
pub(super) const OPTIONS: [SystemOption; 20] = [
    switch(
        ALWAYS,
        false,
        Counterpart::Settings,
        "Whether a refresh gives a new refresh token. Together with `oauth2_unset_refresh_token_after_use` it decides `rotation`.",
    )
    .also(&["always_issue_new_refresh_token"]),
    switch(
        UNSET,
        true,
        Counterpart::Settings,
        "Whether a refresh uses the refresh token up. Together with `oauth2_always_issue_new_refresh_token` it decides `rotation`.",
    )
    .also(&["unset_refresh_token_after_use"]),
    seconds(
        REFRESH_LIFETIME,
        1_209_600,
        Counterpart::Settings,
        "`idle_lifetime`; 0 and less for ever. Where the refresh token stays the same, also `absolute_lifetime`.",
    )
    .also(&["oauth2_refresh_token_lifetime"]),
    seconds(ACCESS_LIFETIME, 3600, Counterpart::Settings, "`access_lifetime`.").also(&["access_lifetime"]),
    switch(
        USE_JWT,
        false,
        Counterpart::Settings,
        "`access_token_format`: `jwt_rs256`, or `opaque`. The claims are those of RFC 9068.",
    )
    .also(&["use_jwt_access_tokens"]),
    switch(BODY, true, Counterpart::Settings, "Whether a client may send its secret in the body.")
        .also(&["allow_credentials_in_request_body"]),
    switch(PUBLIC, true, Counterpart::Settings, "Whether a client without a secret gets tokens.")
        .also(&["allow_public_clients"]),
    text(
        "oauth2_token_bearer_header_name",
        "Bearer",
        Counterpart::Fixed(OptionPreset::Text("Bearer")),
        "The word before an access token in the header `Authorization` is `Bearer` (RFC 6750 section 2.1).",
    )
    .also(&["token_bearer_header_name"]),
    text(
        "oauth2_token_param_name",
        "access_token",
        Counterpart::Fixed(OptionPreset::Text("access_token")),
        "An access token that is no header is the parameter `access_token` (RFC 6750 section 2.2).",
    )
    .also(&["token_param_name"]),
    switch("enable_oauth2_server", false, Counterpart::Needless, "Regrant serves when it runs."),
    switch(
        "oauth2_use_openid_connect",
        false,
        Counterpart::Needless,
        "Regrant always speaks OpenID Connect; who does not ask for `openid` does not notice.",
    )
    .also(&["use_openid_connect"]),
    switch("oauth2_store_encrypted_token_string", true, Counterpart::Needless, "Regrant stores no token.")
        .also(&["store_encrypted_token_string"]),
    switch(
        "oauth2_enforce_state",
        true,
        Counterpart::Needless,
        "Regrant gives `state` back and does not ask for it; PKCE protects better (RFC 9700 section 2.1).",
    )
    .also(&["enforce_state"]),
    seconds("oauth2_id_lifetime", 3600, Counterpart::Fixed(OptionPreset::Number(3600)), "ID tokens live for 3600 seconds.")
        .also(&["id_lifetime"]),
    switch(
        "oauth2_require_exact_redirect_uri",
        true,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "Redirect URIs are compared exactly (RFC 9700 section 2.1).",
    )
    .also(&["require_exact_redirect_uri"]),
    switch(
        "oauth2_allow_implicit",
        false,
        Counterpart::Fixed(OptionPreset::Switch(false)),
        "There is no implicit grant (RFC 9700 section 2.1.2).",
    )
    .also(&["allow_implicit"]),
    switch(
        "oauth2_redirect_with_token",
        false,
        Counterpart::Fixed(OptionPreset::Switch(false)),
        "No token is put into an address (RFC 9700 section 4.3.2).",
    )
    .also(&["redirect_with_token"]),
    key_file("public_key"),
    key_file("private_key"),
    SystemOption::new(
        "oauth2_issuer",
        OptionKind::Text,
        OptionPreset::Absent,
        Counterpart::None,
        "The issuer is `issuer` in `[server]`.",
    )
    .also(&["issuer"]),
];

/// What the options mean, and what the component does without them. It passes both of the first two on, so that the library's
/// rule for older programs never holds.
pub(super) fn settle(settler: &mut Settler<'_>) {
    let from = settler.given(ALWAYS).or(settler.given(UNSET));
    let refresh = Refresh::of(settler.switch(ALWAYS), settler.switch(UNSET), from);
    settler.client("rotation", refresh.mode, refresh.from);
    lifetimes(settler, &refresh, ACCESS_LIFETIME, REFRESH_LIFETIME);
    token_format(settler, USE_JWT);
    requests(settler, BODY, PUBLIC);
    settler.client("require_pkce", false, None);
    settler.note(
        REFRESH_LIFETIME,
        "redCORE's manual has this option and redCORE does not: its refresh tokens lived for 1209600 seconds whatever it said; regrant \
         does as it says",
    );
}

const ALWAYS: &str = "oauth2_always_issue_new_refresh_token";
const UNSET: &str = "oauth2_unset_refresh_token_after_use";
const REFRESH_LIFETIME: &str = "refresh_token_lifetime";
const ACCESS_LIFETIME: &str = "oauth2_access_lifetime";
const USE_JWT: &str = "oauth2_use_jwt_access_tokens";
const BODY: &str = "oauth2_allow_credentials_in_request_body";
const PUBLIC: &str = "oauth2_allow_public_clients";

const fn key_file(name: &'static str) -> SystemOption {
    let doc = "Regrant makes its own keys and publishes them at `/jwks`; `regrant key` shows them.";
    SystemOption::new(name, OptionKind::Text, OptionPreset::Absent, Counterpart::None, doc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::settler::checks::{clients, losses};
    use crate::settings::{OptionValue, System};

    #[test]
    fn by_itself_it_does_as_the_library() {
        assert_eq!(clients(System::Redcore, &[]), clients(System::Bshaffer, &[]));
    }

    #[test]
    fn both_options_reach_the_grant_so_that_one_alone_meets_the_default_of_the_other() {
        for (always, unset, rotation) in [
            (Some(false), Some(true), "consume"),
            (Some(true), Some(true), "rotate"),
            (Some(true), Some(false), "fork"),
            (Some(false), Some(false), "reuse"),
            (Some(false), None, "consume"),
            (Some(true), None, "rotate"),
            (None, Some(false), "reuse"),
        ] {
            let given = |name, said: Option<bool>| said.map(|is_on| (name, OptionValue::Switch(is_on)));
            let given: Vec<_> = given(ALWAYS, always).into_iter().chain(given(UNSET, unset)).collect();
            let expected = format!("rotation = {rotation} from {}", given[0].0);
            assert_eq!(clients(System::Redcore, &given)[0], expected, "{always:?} {unset:?}");
        }
    }

    #[test]
    fn a_token_that_stays_the_same_keeps_its_scope() {
        let lines = clients(System::Redcore, &[(UNSET, OptionValue::Switch(false))]);
        let expected = format!("scope_narrowing = access_token from {UNSET}");
        assert!(lines.contains(&expected), "{lines:?}");
    }

    #[test]
    fn the_lifetime_that_only_the_manual_has_is_taken_with_a_remark() {
        let given = [(REFRESH_LIFETIME, OptionValue::Number(600))];
        assert!(
            clients(System::Redcore, &given).contains(&"idle_lifetime = 600 from refresh_token_lifetime".to_owned())
        );
        let remarks = System::Redcore.settings(&given).remarks;
        assert!(matches!(&remarks[..], [remark] if remark.text.contains("1209600") && !remark.is_loss), "{remarks:?}");
    }

    #[test]
    fn an_option_has_its_name_with_and_without_its_prefix() {
        for option in &OPTIONS {
            if let Some(bare) = option.name.strip_prefix("oauth2_") {
                assert_eq!(option.also, [bare]);
            }
        }
        assert_eq!(losses(System::Redcore, &[("public_key", "/keys/public.pem".into())]), ["public_key"]);
    }
}
