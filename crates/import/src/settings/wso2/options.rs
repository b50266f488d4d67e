use super::{APP_VALIDITY, EXTEND, GRACE, GRACE_MAX, REFRESH_VALIDITY, RENEW, TOKEN_GENERATOR, USER_VALIDITY};
use crate::settings::option::{Counterpart, OptionKind, OptionPreset, SystemOption};
use crate::settings::time_text::TimeSpelling;

/// The options of identity.xml by the names of their elements, with the last words of their keys in deployment.toml beside them;
/// those of an element within another by the latter. The last three are properties of an application.
pub(in crate::settings) const OPTIONS: [SystemOption; 26] = [
    time(
        REFRESH_VALIDITY,
        DAY,
        Counterpart::Settings,
        "`idle_lifetime`; less than 0 for ever. Where refresh tokens are not renewed or not extended, also `absolute_lifetime`.",
    )
    .also(&["refresh_token_validity"]),
    time(USER_VALIDITY, HOUR, Counterpart::Settings, "`access_lifetime`; less than 0 for as long as the grant.")
        .also(&["user_access_token_validity"]),
    time(
        APP_VALIDITY,
        HOUR,
        Counterpart::Settings,
        "The access tokens that applications get for themselves live as long as those of users; clients may differ in their \
         `access_lifetime`.",
    )
    .also(&["app_access_token_validity"]),
    switch(
        RENEW,
        true,
        Counterpart::Settings,
        "`rotation`: `rotate`, or `reuse` when it is false.",
    )
    .also(&["renew_refresh_token"]),
    switch(
        EXTEND,
        true,
        Counterpart::Settings,
        "Whether a new refresh token lives its full time; when it is false, `absolute_lifetime` ends the row of them.",
    )
    .also(&["extend_refresh_token_expiry_time_on_renewal"]),
    SystemOption::new(
        TOKEN_GENERATOR,
        OptionKind::Text,
        OptionPreset::Absent,
        Counterpart::Settings,
        "`access_token_format`: `jwt_rs256` where the class is a `JWTTokenIssuer`, otherwise `opaque`.",
    )
    .also(&["token_generator"]),
    time(GRACE_MAX, 60, Counterpart::Settings, "`retry_window`."),
    SystemOption::new(
        "maximum_reuse_limit",
        OptionKind::Number("uses"),
        OptionPreset::Number(5),
        Counterpart::Needless,
        "A retry within `retry_window` gets the same tokens again, so it need not be counted.",
    ),
    time(
        "AuthorizationCodeDefaultValidityPeriod",
        5 * MINUTE,
        Counterpart::Fixed(OptionPreset::Number(MINUTE)),
        "Authorization codes live for 60 seconds.",
    )
    .also(&["authorization_code_validity"]),
    time(
        "TimestampSkew",
        0,
        Counterpart::Fixed(OptionPreset::Number(0)),
        "Nothing is added to a lifetime; make the lifetime longer instead.",
    )
    .also(&["timestamp_skew"]),
    switch(
        "ValidateAuthenticatedUserForRefreshGrant",
        false,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "A refresh always looks whether the user may still log in.",
    )
    .also(&["validate_authenticated_user_for_refresh_grant"]),
    switch(
        "RenewTokenPerRequest",
        false,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "Every grant gets tokens of its own: a pair that was given to one place is not given to another.",
    )
    .also(&["renew_access_token_per_request"]),
    switch(
        "EnableClientSecretHash",
        false,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "Secrets are hashed and tokens are not stored.",
    )
    .also(&["hash_tokens_and_secrets"]),
    text("HashAlgorithm", "SHA-256", "Secrets are hashed with Argon2id and tokens are not stored.")
        .also(&["hash_token_algorithm"]),
    text("TokenPersistenceProcessor", "", "Tokens are not stored.").also(&["token_persistence_processor"]),
    text("AccessTokenValueGenerator", "", "Regrant's tokens look as they do; `access_token_format` chooses.")
        .also(&["token_value_generator"]),
    switch("EnableTokenCleanup", true, Counterpart::Needless, "Regrant sweeps by itself."),
    switch("RetainOldAccessToken", false, Counterpart::Needless, "Tokens are not stored.")
        .also(&["retain_access_tokens_for_auditing"]),
    switch("PersistAccessToken", true, Counterpart::Needless, "Tokens are not stored.").also(&["persist_access_token"]),
    switch("PersistRefreshToken", true, Counterpart::Needless, "Tokens are not stored.")
        .also(&["persist_refresh_token"]),
    switch("KeepRevokedAccessTokens", false, Counterpart::Needless, "Tokens are not stored.")
        .also(&["keep_revoked_access_tokens"]),
    switch(
        "include_username_in_access_token",
        false,
        Counterpart::Fixed(OptionPreset::Switch(false)),
        "An access token does not hold the name of its user.",
    ),
    switch(
        "IsRefreshTokenAllowed",
        true,
        Counterpart::Fixed(OptionPreset::Switch(true)),
        "Who gets refresh tokens is said by the `grant_types` of a client.",
    )
    .also(&["allow_refresh_tokens"]),
    switch(
        "isGracefulRefreshTokenRotationEnabled",
        false,
        Counterpart::Needless,
        "A lost answer may always be asked for again; `retry_window = 0` forbids it.",
    ),
    time(GRACE, 30, Counterpart::Settings, "`retry_window`."),
    SystemOption::new(
        "gracefulRefreshTokenReuseLimit",
        OptionKind::Number("uses"),
        OptionPreset::Number(1),
        Counterpart::Needless,
        "A retry within `retry_window` gets the same tokens again, so it need not be counted.",
    ),
];

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const fn switch(name: &'static str, preset: bool, counterpart: Counterpart, doc: &'static str) -> SystemOption {
    SystemOption::new(name, OptionKind::Switch, OptionPreset::Switch(preset), counterpart, doc)
}

const fn time(name: &'static str, preset: i64, counterpart: Counterpart, doc: &'static str) -> SystemOption {
    let kind = OptionKind::Time(TimeSpelling::Suffixed);
    SystemOption::new(name, kind, OptionPreset::Number(preset), counterpart, doc)
}

const fn text(name: &'static str, preset: &'static str, doc: &'static str) -> SystemOption {
    SystemOption::new(name, OptionKind::Text, OptionPreset::Text(preset), Counterpart::Needless, doc)
}
