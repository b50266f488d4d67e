use crate::settings::option::{Counterpart, OptionKind, OptionPreset, SystemOption};
use crate::settings::time_text::TimeSpelling;

/// The options of `Server`, those that it passes on, and one of ours: which of two rules the library follows.
pub(in crate::settings) const OPTIONS: [SystemOption; 32] = [
    switch(
        "always_issue_new_refresh_token",
        false,
        Counterpart::Settings,
        "Whether a refresh gives a new refresh token. Together with `unset_refresh_token_after_use` it decides `rotation`.",
    ),
    switch(
        "unset_refresh_token_after_use",
        true,
        Counterpart::Settings,
        "Whether a refresh uses the refresh token up. Together with `always_issue_new_refresh_token` it decides `rotation`.",
    ),
    switch(
        "refresh_token_grant_added_by_hand",
        false,
        Counterpart::Settings,
        "Whether the grant was added with `addGrantType(new RefreshToken($storage, …))` and the two options above are those of that \
         array: the library's rule for older programs holds then, by which `always_issue_new_refresh_token` alone decides both. This \
         option is regrant's.",
    ),
    seconds(
        "refresh_token_lifetime",
        1_209_600,
        Counterpart::Settings,
        "`idle_lifetime`; 0 and less for ever. Where the refresh token stays the same, also `absolute_lifetime`.",
    ),
    seconds("access_lifetime", 3600, Counterpart::Settings, "`access_lifetime`."),
    switch(
        "use_jwt_access_tokens",
        false,
        Counterpart::Settings,
        "`access_token_format`: `jwt_rs256`, or `opaque`. The claims are those of RFC 9068.",
    ),
    switch(
        "allow_credentials_in_request_body",
        true,
        Counterpart::Settings,
        "Whether a client may send its secret in the body.",
    ),
    switch("allow_public_clients", true, Counterpart::Settings, "Whether a client without a secret gets tokens."),
    switch(
        "enforce_pkce",
        false,
        Counterpart::Settings,
        "`require_pkce` of confidential clients; public ones always need it.",
    ),
    text("www_realm", "Service", Counterpart::None, "No realm of one's own is told in `WWW-Authenticate`."),
    text(
        "token_bearer_header_name",
        "Bearer",
        Counterpart::Fixed(OptionPreset::Text("Bearer")),
        "The word before an access token in the header `Authorization` is `Bearer` (RFC 6750 section 2.1).",
    ),
    text(
        "token_param_name",
        "access_token",
        Counterpart::Fixed(OptionPreset::Text("access_token")),
        "An access token that is no header is the parameter `access_token` (RFC 6750 section 2.2).",
    ),
    switch(
        "use_openid_connect",
        false,
        Counterpart::Needless,
        "Regrant always speaks OpenID Connect; who does not ask for `openid` does not notice.",
    ),
    switch("store_encrypted_token_string", true, Counterpart::Needless, "Regrant stores no token."),
    switch(
        "enforce_state",
        true,
        Counterpart::Needless,
        "Regrant gives `state` back and does not ask for it; PKCE protects better (RFC 9700 section 2.1).",
    ),
    seconds("id_lifetime", 3600, Counterpart::Fixed(OptionPreset::Number(3600)), "ID tokens live for 3600 seconds."),
    seconds(
        "auth_code_lifetime",
        30,
        Counterpart::Fixed(OptionPreset::Number(60)),
        "Authorization codes live for 60 seconds.",
    ),
    switch(
        "require_exact_redirect_uri",
        true,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "Redirect URIs are compared exactly (RFC 9700 section 2.1).",
    ),
    switch(
        "allow_implicit",
        false,
        Counterpart::Fixed(OptionPreset::Switch(false)),
        "There is no implicit grant (RFC 9700 section 2.1.2).",
    ),
    switch(
        "enforce_redirect",
        false,
        Counterpart::Fixed(OptionPreset::Switch(false)),
        "A client with one redirect URI may leave it out of its request (RFC 6749 section 3.1.2.3).",
    ),
    number(
        "redirect_status_code",
        302,
        Counterpart::Fixed(OptionPreset::Number(303)),
        "Browsers are redirected with 303, so that no password is sent on (RFC 9700 section 4.12).",
    ),
    text("issuer", "", Counterpart::None, "The issuer is `issuer` in `[server]`."),
    SystemOption::new(
        "jwt_extra_payload_callable",
        OptionKind::Text,
        OptionPreset::Absent,
        Counterpart::None,
        "No PHP runs here; the API for users registers further claims.",
    ),
    table("client_table"),
    table("access_token_table"),
    table("refresh_token_table"),
    table("code_table"),
    table("user_table"),
    table("jwt_table"),
    table("jti_table"),
    table("scope_table"),
    table("public_key_table"),
];

pub(in crate::settings) const fn switch(
    name: &'static str,
    preset: bool,
    counterpart: Counterpart,
    doc: &'static str,
) -> SystemOption {
    SystemOption::new(name, OptionKind::Switch, OptionPreset::Switch(preset), counterpart, doc)
}

pub(in crate::settings) const fn seconds(
    name: &'static str,
    preset: i64,
    counterpart: Counterpart,
    doc: &'static str,
) -> SystemOption {
    let kind = OptionKind::Time(TimeSpelling::Seconds);
    SystemOption::new(name, kind, OptionPreset::Number(preset), counterpart, doc)
}

pub(in crate::settings) const fn text(
    name: &'static str,
    preset: &'static str,
    counterpart: Counterpart,
    doc: &'static str,
) -> SystemOption {
    SystemOption::new(name, OptionKind::Text, OptionPreset::Text(preset), counterpart, doc)
}

const fn number(name: &'static str, preset: i64, counterpart: Counterpart, doc: &'static str) -> SystemOption {
    SystemOption::new(name, OptionKind::Number("an HTTP status"), OptionPreset::Number(preset), counterpart, doc)
}

const fn table(name: &'static str) -> SystemOption {
    let doc = "Regrant has tables of its own; `regrant import bshaffer` reads the library's.";
    SystemOption::new(name, OptionKind::Text, OptionPreset::Absent, Counterpart::Needless, doc)
}
