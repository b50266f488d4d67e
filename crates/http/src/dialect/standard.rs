use regrant_engine::BeforeClient;

use super::members::{Member, Members};
use super::tenant::Tenant;
use super::time_zone::TimeZone;
use super::values::{
    BasicBesideBody, BasicEncoding, CacheControl, Challenge, ClientFailureStatus, ErrorCaching, ErrorMembers,
    ExpiresIn, JsonStyle, KeptRefreshToken, MalformedBasic, NeverExpires, OptionsMethod, OtherBody, OtherMethods,
    RepeatedParameter, RevocationBody, ScopeMember, SecretsInQuery, TokenType, TokenTypeHint, Words,
};
use super::{Dialect, Paths};

impl Dialect {
    /// Our own: the RFCs, and beyond them what helps who reads an error.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            paths: Paths { token: &["/oauth2/token", "/api/oauth2/token"], ..Paths::default() },
            any_charset: false,
            json_body: false,
            multipart_body: false,
            other_body: OtherBody::Refuse,
            repeated_parameter: RepeatedParameter::Refuse,
            php_values: false,
            scope_in_query: false,
            secrets_in_query: SecretsInQuery::Ignore,
            basic_encoding: BasicEncoding::Form,
            malformed_basic: MalformedBasic::Refuse,
            basic_beside_body: BasicBesideBody::Refuse,
            credentials_in_body: true,
            public_clients: true,
            secret_for_client_credentials: false,
            client_of_refresh_token: false,
            told_before_client: BeforeClient::Nothing,
            refresh_token_before_grant_type: false,
            scope_required: false,
            scope_on_refresh: true,
            token_type_hint: TokenTypeHint::Any,
            other_methods: OtherMethods::Words,
            options_method: OptionsMethod::Refuse,
            success_members: Members(vec![
                Member::AccessToken,
                Member::TokenType,
                Member::ExpiresIn,
                Member::Scope,
                Member::RefreshToken,
                Member::RefreshTokenExpiresIn,
                Member::IdToken,
            ]),
            kept_refresh_token: KeptRefreshToken::Sent,
            token_type: TokenType::Bearer,
            scope: ScopeMember::Text,
            expires_in: ExpiresIn::Number,
            never_expires: NeverExpires::Absent,
            time_zone: TimeZone::UTC,
            json: JsonStyle::Plain,
            cache_control: CacheControl::NoStore,
            error_caching: ErrorCaching::Both,
            error_members: ErrorMembers::CodeFirst,
            client_failure_status: ClientFailureStatus::Unauthorized,
            challenge: Challenge::Regrant,
            words: Words::Standard,
            revocation: RevocationBody::Empty,
            tenant: Tenant::NONE,
        }
    }
}
