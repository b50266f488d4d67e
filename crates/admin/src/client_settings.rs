use std::fmt::Display;

use regrant_grant::{ClientKind, Policy};
use regrant_protocol::{Lifetime, RedirectUri, Resource, Resources, Scope, WebOrigin};
use regrant_store::{Client, ClientSettings};

use crate::error::AdminError;
use crate::{ClientFields, ClientView};

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        Self {
            id: client.id.as_str().to_owned(),
            public: client.settings.is_public(),
            enabled: client.party.enabled,
            settings: ClientFields::from(&client.settings),
        }
    }
}

impl From<&ClientSettings> for ClientFields {
    fn from(kept: &ClientSettings) -> Self {
        let default_scope = (kept.default_scope != kept.scope).then(|| kept.default_scope.as_str().to_owned());
        Self {
            name: kept.name.clone(),
            auth_methods: kept.auth_methods.clone(),
            grant_types: kept.grant_types.clone(),
            refresh_token_scope: kept.refresh_token_scope.as_ref().map(|scope| scope.as_str().to_owned()),
            redirect_uris: texts(&kept.redirect_uris, RedirectUri::as_str),
            post_logout_redirect_uris: texts(&kept.post_logout_redirect_uris, RedirectUri::as_str),
            allowed_origins: texts(&kept.allowed_origins, WebOrigin::as_str),
            scope: kept.scope.as_str().to_owned(),
            default_scope,
            resources: kept.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            audience: kept.audience.clone(),
            require_pkce: kept.require_pkce,
            client_uri: kept.client_uri.clone(),
            policy_uri: kept.policy_uri.clone(),
            tos_uri: kept.tos_uri.clone(),
            consent: kept.consent.into(),
            outlives_session: kept.outlives_session.into(),
            access_token_format: kept.access_token_format.into(),
            id_token_algorithm: kept.id_token_algorithm.into(),
            id_token_on_refresh: kept.id_token_on_refresh,
            access_lifetime: kept.policy.access_lifetime.seconds(),
            idle_lifetime: kept.policy.idle_lifetime.seconds(),
            absolute_lifetime: kept.policy.absolute_lifetime.seconds(),
            rotation: kept.policy.rotation.into(),
            retry_window: kept.policy.retry_window_seconds,
            on_reuse: kept.policy.on_reuse.map(Into::into),
            scope_narrowing: kept.policy.scope_narrowing.into(),
            old_access_tokens: kept.policy.old_access_tokens.into(),
            code_retry: kept.policy.code_retry_seconds,
            allow_unsafe_rotation: kept.allow_unsafe_rotation,
        }
    }
}

impl ClientFields {
    /// Reads every text; which settings go together is told by registration.
    pub(crate) fn into_settings(self) -> Result<ClientSettings, AdminError> {
        let given = self;
        let scope = one("scope", &given.scope, Scope::parse)?;
        let default_scope = match &given.default_scope {
            Some(text) => one("default_scope", text, Scope::parse)?,
            None => scope.clone(),
        };
        let refresh_token_scope = given
            .refresh_token_scope
            .as_deref()
            .map(|text| one("refresh_token_scope", text, Scope::parse))
            .transpose()?;
        let resources = list("resources", &given.resources, Resource::parse)?;
        let policy = Policy {
            rotation: given.rotation.into(),
            retry_window_seconds: given.retry_window,
            on_reuse: given.on_reuse.map(Into::into),
            scope_narrowing: given.scope_narrowing.into(),
            old_access_tokens: given.old_access_tokens.into(),
            code_retry_seconds: given.code_retry,
            access_lifetime: Lifetime::from_seconds(given.access_lifetime),
            idle_lifetime: Lifetime::from_seconds(given.idle_lifetime),
            absolute_lifetime: Lifetime::from_seconds(given.absolute_lifetime),
        };
        Ok(ClientSettings {
            name: given.name,
            client_uri: given.client_uri,
            policy_uri: given.policy_uri,
            tos_uri: given.tos_uri,
            redirect_uris: list("redirect_uris", &given.redirect_uris, RedirectUri::parse)?,
            post_logout_redirect_uris: list(
                "post_logout_redirect_uris",
                &given.post_logout_redirect_uris,
                RedirectUri::parse,
            )?,
            allowed_origins: list("allowed_origins", &given.allowed_origins, WebOrigin::parse)?,
            require_pkce: given.require_pkce,
            consent: given.consent.into(),
            default_scope,
            resources: Resources::parse(resources.iter().map(Resource::as_str)).expect("each of them is one"),
            audience: given.audience,
            access_token_format: given.access_token_format.into(),
            id_token_algorithm: given.id_token_algorithm.into(),
            id_token_on_refresh: given.id_token_on_refresh,
            outlives_session: given.outlives_session.into(),
            refresh_token_scope,
            allow_unsafe_rotation: given.allow_unsafe_rotation,
            ..ClientSettings::new(given.auth_methods, given.grant_types, scope, policy)
        })
    }
}

/// Whether a client has a secret.
pub(crate) fn kind(is_public: bool) -> ClientKind {
    if is_public { ClientKind::Public } else { ClientKind::Confidential }
}

fn texts<T>(kept: &[T], text: fn(&T) -> &str) -> Vec<String> {
    kept.iter().map(|kept| text(kept).to_owned()).collect()
}

fn one<T, E: Display>(field: &'static str, text: &str, parse: fn(&str) -> Result<T, E>) -> Result<T, AdminError> {
    parse(text).map_err(|error| AdminError::Field { field, message: format!("{text:?}: {error}") })
}

fn list<T, E: Display>(
    field: &'static str,
    given: &[String],
    parse: fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, AdminError> {
    given.iter().map(|text| one(field, text, parse)).collect()
}
