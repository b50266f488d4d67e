use http::Uri;
use regrant_engine::{RegistrationError, Secrecy, broken_rules};
use regrant_grant::ClientKind;
use regrant_protocol::{ClientId, GrantType, RedirectUri, Resource, Resources, TokenEndpointAuthMethod, WebOrigin};
use regrant_store::ClientSettings;

use crate::config::client_defaults;
use crate::config::client_secret::{self, PUBLIC, SECRET, SECRET_FILE};
use crate::config::key::{Form, Key, Kind, words};
use crate::config::one_line::one_line;
use crate::config::origin::Origin;
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::{Preset, Value};

pub(super) const SECTION: Section = Section {
    name: "client",
    shape: Shape::List,
    doc: "A client: an application that gets tokens.",
    keys: &[
        ID,
        NAME,
        PUBLIC,
        SECRET_FILE,
        SECRET,
        AUTH_METHODS,
        GRANT_TYPES,
        REDIRECT_URIS,
        POST_LOGOUT_REDIRECT_URIS,
        ALLOWED_ORIGINS,
        SCOPE,
        DEFAULT_SCOPE,
        RESOURCES,
        AUDIENCE,
        client_defaults::REQUIRE_PKCE.inherited(),
        CLIENT_URI,
        POLICY_URI,
        TOS_URI,
        client_defaults::CONSENT.inherited(),
        client_defaults::OUTLIVES_SESSION.inherited(),
        client_defaults::ACCESS_TOKEN_FORMAT.inherited(),
        client_defaults::ID_TOKEN_ALGORITHM.inherited(),
        client_defaults::ID_TOKEN_ON_REFRESH.inherited(),
        client_defaults::ACCESS_LIFETIME.inherited(),
        client_defaults::IDLE_LIFETIME.inherited(),
        client_defaults::ABSOLUTE_LIFETIME.inherited(),
        client_defaults::ROTATION.inherited(),
        client_defaults::RETRY_WINDOW.inherited(),
        client_defaults::ON_REUSE.inherited(),
        client_defaults::SCOPE_NARROWING.inherited(),
        client_defaults::OLD_ACCESS_TOKENS.inherited(),
        client_defaults::REFRESH_TOKEN_SCOPE.inherited(),
        client_defaults::CODE_RETRY.inherited(),
        ALLOW_UNSAFE_ROTATION,
    ],
};

pub(super) const ID: Key = Key::new(
    "id",
    Kind::Text(Form::Plain),
    Preset::Required("\"photos\""),
    "The `client_id`: 1 to 255 visible ASCII characters. It is never given to another client.",
)
.also(&["client_id"]);

const NAME: Key = Key::new(
    "name",
    Kind::Text(Form::Plain),
    Preset::Absent,
    "What users know it by; without it they see the identifier.",
)
.also(&["client_name"]);

const AUTH_METHODS: Key = Key::new(
    "auth_methods",
    Kind::Choices(&AUTH_METHOD_WORDS),
    Preset::Absent,
    "How it may authenticate. Without it, `none` for a public client, and both ways of sending a secret for the others.",
)
.also(&["token_endpoint_auth_method", "token_endpoint_auth_methods"]);

const GRANT_TYPES: Key = Key::new(
    "grant_types",
    Kind::Choices(&GRANT_TYPE_WORDS),
    Preset::Texts(&["authorization_code", "refresh_token"]),
    "How it may get tokens.",
);

const REDIRECT_URIS: Key = Key::new(
    "redirect_uris",
    Kind::Texts(Form::Url),
    Preset::Texts(&[]),
    "Where the browser may be sent back to with a code, compared byte for byte; on 127.0.0.1 and [::1] with any port.",
);

const POST_LOGOUT_REDIRECT_URIS: Key = Key::new(
    "post_logout_redirect_uris",
    Kind::Texts(Form::Url),
    Preset::Texts(&[]),
    "Where the browser may be sent back to after it was logged out.",
);

const ALLOWED_ORIGINS: Key = Key::new(
    "allowed_origins",
    Kind::Texts(Form::Url),
    Preset::Texts(&[]),
    "The web origins whose scripts may read the answers of the server (CORS).",
)
.also(&["cors_origins", "allowed_cors_origins", "web_origins"]);

const SCOPE: Key = Key::new("scope", Kind::Text(Form::Scope), Preset::Text(""), "What it may ask for.")
    .also(&["scopes", "allowed_scopes"]);

const DEFAULT_SCOPE: Key = Key::new(
    "default_scope",
    Kind::Text(Form::Scope),
    Preset::Absent,
    "What it gets when it asks for nothing, within `scope`. Without it, all of `scope`.",
)
.also(&["default_scopes"]);

const RESOURCES: Key = Key::new(
    "resources",
    Kind::Texts(Form::Url),
    Preset::Texts(&[]),
    "The resource servers that it may name in `resource` (RFC 8707).",
);

const AUDIENCE: Key = Key::new(
    "audience",
    Kind::Texts(Form::Plain),
    Preset::Texts(&[]),
    "The `aud` of its access tokens when it names no resource. Without any, the issuer.",
);

const CLIENT_URI: Key =
    Key::new("client_uri", Kind::Text(Form::Url), Preset::Absent, "Its home page, for the consent page.");

const POLICY_URI: Key =
    Key::new("policy_uri", Kind::Text(Form::Url), Preset::Absent, "Its privacy policy, for the consent page.");

const TOS_URI: Key =
    Key::new("tos_uri", Kind::Text(Form::Url), Preset::Absent, "Its terms of service, for the consent page.");

const ALLOW_UNSAFE_ROTATION: Key = Key::new(
    "allow_unsafe_rotation",
    Kind::Switch,
    Preset::Switch(false),
    "Whether a public client may have the rotation `reuse` or `fork`, so that a stolen refresh token is never noticed \
     (RFC 9700 section 4.14.2).",
);

const AUTH_METHOD_PAIRS: [(&str, TokenEndpointAuthMethod); 3] = {
    let [basic, post, none] = TokenEndpointAuthMethod::ALL;
    [(basic.as_str(), basic), (post.as_str(), post), (none.as_str(), none)]
};
const AUTH_METHOD_WORDS: [&str; 3] = words(&AUTH_METHOD_PAIRS);

const GRANT_TYPE_PAIRS: [(&str, GrantType); 4] = {
    let [code, client, password, refresh] = GrantType::ALL;
    [(code.as_str(), code), (client.as_str(), client), (password.as_str(), password), (refresh.as_str(), refresh)]
};
const GRANT_TYPE_WORDS: [&str; 4] = words(&GRANT_TYPE_PAIRS);

/// The longest name of a client, in characters.
pub const CLIENT_NAME_CHARACTERS_MAX: usize = 80;

/// A client of the configuration, which obeys the rules that registration asks for.
#[derive(Clone, Debug)]
pub struct ConfiguredClient {
    /// Its identifier.
    pub id: ClientId,
    /// Public, or with a secret that was chosen: read from its file, the environment or the configuration.
    pub secrecy: Secrecy,
    /// Everything else; without a credential.
    pub settings: ClientSettings,
    /// Where it begins.
    pub origin: Origin,
}

impl ConfiguredClient {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let id = table.required(&ID, |text| {
            ClientId::parse(text).map_err(|error| Fault::Value(format!("{text:?} cannot be a client_id: {error}")))
        });
        if let Ok(id) = &id {
            table.identify(id.as_str());
        }
        let is_public = table.switch(&PUBLIC);
        let kind = if matches!(is_public, Ok(true)) { ClientKind::Public } else { ClientKind::Confidential };
        if kind == ClientKind::Public {
            // What `[defaults]` says otherwise is for those that can keep a secret.
            table.inherit(&client_defaults::REQUIRE_PKCE, Value::Switch(true));
        }
        let secrecy = client_secret::read(table, kind == ClientKind::Public);
        let settings = read_settings(table, kind);
        if let Ok(settings) = &settings {
            for error in broken_rules(kind, settings) {
                refuse_rule(table, error);
            }
        }
        is_public?;
        Ok(Self { id: id?, secrecy: secrecy?, settings: settings?, origin: table.begins().clone() })
    }
}

fn read_settings(table: &mut TableReader<'_>, kind: ClientKind) -> Result<ClientSettings, Reported> {
    let name = table.optional(&NAME, |text| one_line(text, CLIENT_NAME_CHARACTERS_MAX));
    let auth_methods = table.choices(&AUTH_METHODS, &AUTH_METHOD_PAIRS);
    let grant_types = table.choices(&GRANT_TYPES, &GRANT_TYPE_PAIRS);
    let redirect_uris = table.list(&REDIRECT_URIS, |text| RedirectUri::parse(text).map_err(Fault::value));
    let post_logout_redirect_uris =
        table.list(&POST_LOGOUT_REDIRECT_URIS, |text| RedirectUri::parse(text).map_err(Fault::value));
    let allowed_origins = table.list(&ALLOWED_ORIGINS, |text| WebOrigin::parse(text).map_err(Fault::value));
    let scope = table.required(&SCOPE, client_defaults::scope);
    let default_scope = table.optional(&DEFAULT_SCOPE, client_defaults::scope);
    let resources = table.list(&RESOURCES, resource);
    let audience = table.list(&AUDIENCE, |text| one_line(text, AUDIENCE_CHARACTERS_MAX));
    let client_uri = table.optional(&CLIENT_URI, page);
    let policy_uri = table.optional(&POLICY_URI, page);
    let tos_uri = table.optional(&TOS_URI, page);
    let allow_unsafe_rotation = table.switch(&ALLOW_UNSAFE_ROTATION);
    let shared = client_defaults::read(table);

    let shared = shared?;
    let mut settings = shared.settings(kind, scope?);
    settings.require_pkce = shared.require_pkce;
    settings.name = name?;
    if let Some(auth_methods) = auth_methods? {
        settings.auth_methods = auth_methods;
    }
    settings.grant_types = grant_types?.unwrap_or_default();
    settings.redirect_uris = redirect_uris?.unwrap_or_default();
    settings.post_logout_redirect_uris = post_logout_redirect_uris?.unwrap_or_default();
    settings.allowed_origins = allowed_origins?.unwrap_or_default();
    if let Some(default_scope) = default_scope? {
        settings.default_scope = default_scope;
    }
    let resources = resources?.unwrap_or_default();
    settings.resources = Resources::parse(resources.iter().map(Resource::as_str)).expect("each of them is one");
    settings.audience = audience?.unwrap_or_default();
    settings.client_uri = client_uri?;
    settings.policy_uri = policy_uri?;
    settings.tos_uri = tos_uri?;
    settings.allow_unsafe_rotation = allow_unsafe_rotation?;
    Ok(settings)
}

/// Tells a broken rule where the setting stands that breaks it.
fn refuse_rule(table: &mut TableReader<'_>, error: RegistrationError) {
    let key = match error.setting() {
        Some("code_retry_seconds") => client_defaults::CODE_RETRY.name,
        Some(setting) => setting,
        None => ID.name,
    };
    let origin = if let RegistrationError::PrivateUseScheme(uri) = &error {
        table.entry_origin(key, uri.as_str())
    } else {
        table.origin(key)
    };
    let fault = match table.option_of(key) {
        Some(option) => Fault::Contradiction(format!(
            "{error}: {key} comes from {option} here; give this client {key} = \"rotate\" of its own, or change the option"
        )),
        None => error.into(),
    };
    table.refuse(origin, key, fault);
}

fn resource(text: &str) -> Result<Resource, Fault> {
    Resource::parse(text).map_err(|error| Fault::Value(format!("{text:?}: {error}")))
}

/// A page that the consent page links to: never a `javascript:` of somebody's.
fn page(text: &str) -> Result<String, Fault> {
    let uri: Option<Uri> = text.parse().ok();
    let is_web = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some_and(|host| !host.is_empty())
    };
    match uri {
        Some(uri) if is_web(&uri) => Ok(text.to_owned()),
        Some(_) | None => {
            Err(Fault::Value(format!("{text:?} is not the URL of a web page, such as https://photos.example/")))
        }
    }
}

/// The longest `aud`, in characters.
const AUDIENCE_CHARACTERS_MAX: usize = 255;
