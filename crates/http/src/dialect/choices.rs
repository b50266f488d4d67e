use regrant_engine::BeforeClient;

use super::choice::choices;
use super::members::Members;
use super::tenant::Tenant;
use super::time_zone::TimeZone;
use super::values::{
    BasicBesideBody, BasicEncoding, CacheControl, Challenge, ClientFailureStatus, ErrorCaching, ErrorMembers,
    ExpiresIn, JsonStyle, KeptRefreshToken, MalformedBasic, NeverExpires, OptionsMethod, OtherBody, OtherMethods,
    RepeatedParameter, RevocationBody, ScopeMember, SecretsInQuery, TokenType, TokenTypeHint, Words,
};

choices! {
    /// Whether a form may name another charset than UTF-8. What it then carries has to be UTF-8 all the same, as ASCII is.
    any_charset: bool,
    /// Whether the members of a JSON body are read as parameters.
    json_body: bool,
    /// Whether the fields of a multipart body are read as parameters; files are passed over.
    multipart_body: bool,
    /// What is done about any other body than those and forms.
    other_body: OtherBody,
    /// What is done about a parameter that comes more than once.
    repeated_parameter: RepeatedParameter,
    /// Whether values are read as PHP reads them: `0` counts as missing, and `name[]` is a list, which is no good value.
    php_values: bool,
    /// Whether scope is read from the query where the body has none.
    scope_in_query: bool,
    /// What is done about a secret in the query, which is never read there.
    secrets_in_query: SecretsInQuery,
    /// How name and secret of a Basic header are written.
    basic_encoding: BasicEncoding,
    /// What is done about an Authorization header that is not Basic, or cannot be read.
    malformed_basic: MalformedBasic,
    /// What is done about credentials in the body beside a Basic header.
    basic_beside_body: BasicBesideBody,
    /// Whether client_id and client_secret in the body are read at all.
    credentials_in_body: bool,
    /// Whether clients without a secret are served.
    public_clients: bool,
    /// Whether grant type client_credentials without a secret is told that one is missing, whoever the client is.
    secret_for_client_credentials: bool,
    /// Whether a refresh that names no client is served for the client of its token, if that is a public one.
    client_of_refresh_token: bool,
    /// What is told of a request although its client has not authenticated yet.
    told_before_client: BeforeClient,
    /// Whether what is wrong with a refresh token is told to a client that may not refresh at all.
    refresh_token_before_grant_type: bool,
    /// Whether a request of grant type password or client_credentials has to name a scope.
    scope_required: bool,
    /// Whether a refresh may ask for less scope; else scope is passed over there.
    scope_on_refresh: bool,
    /// Which values of token_type_hint are taken.
    token_type_hint: TokenTypeHint,
    /// What other methods than POST are answered.
    other_methods: OtherMethods,
    /// What OPTIONS is answered, where it is not the preflight of a script.
    options_method: OptionsMethod,
    /// The members of an answer with tokens, in order; those for which there is nothing to tell are left out.
    success_members: Members,
    /// What a refresh is answered after which the refresh token stays the same.
    kept_refresh_token: KeptRefreshToken,
    /// How token_type is told.
    token_type: TokenType,
    /// How scope is told.
    scope: ScopeMember,
    /// How expires_in is told.
    expires_in: ExpiresIn,
    /// How expires_in is told of an access token that never expires.
    never_expires: NeverExpires,
    /// Where the clocks are by which expireTimeFormatted and created are told.
    time_zone: TimeZone,
    /// How JSON is written.
    json: JsonStyle,
    /// The header Cache-Control of an answer with tokens; Pragma is `no-cache`.
    cache_control: CacheControl,
    /// Which headers against caches an error has.
    error_caching: ErrorCaching,
    /// The members of an error.
    error_members: ErrorMembers,
    /// The HTTP status for a client that did not authenticate.
    client_failure_status: ClientFailureStatus,
    /// The header WWW-Authenticate for a client that did not authenticate, where the status is 401.
    challenge: Challenge,
    /// Whose names of errors and whose sentences are used.
    words: Words,
    /// What a successful revocation is answered.
    revocation: RevocationBody,
    /// The tenant that has paths of its own, `/t/{tenant}/…`: that of the default dialect alone counts. There is one set of users
    /// and clients, so that it is the only tenant.
    tenant: Tenant,
}
