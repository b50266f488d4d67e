use regrant_grant::{
    CODE_RETRY_SECONDS_MAX, OldAccessTokens, OnReuse, Policy, RETRY_WINDOW_PROVEN_SECONDS, RotationMode, ScopeNarrowing,
};
use regrant_protocol::{Lifetime, Scope};
use regrant_store::{AccessTokenFormat, ClientDefaults, ConsentMode, IdTokenAlgorithm, OutlivesSession};

use crate::config::key::{Form, Key, Kind, words};
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "defaults",
    shape: Shape::Table,
    doc: "What holds for every client that does not say otherwise. A `[[client]]` of the file follows at once, on SIGHUP too. A client that \
          was registered by command, over the API or by import got what held then, and keeps it; `regrant client update ID --unset \
          rotation --unset idle_lifetime` gives it what holds now, and `regrant doctor` tells which differ.",
    keys: &[
        ACCESS_LIFETIME,
        IDLE_LIFETIME,
        ABSOLUTE_LIFETIME,
        ROTATION,
        RETRY_WINDOW,
        ON_REUSE,
        SCOPE_NARROWING,
        OLD_ACCESS_TOKENS,
        REFRESH_TOKEN_SCOPE,
        CODE_RETRY,
        ACCESS_TOKEN_FORMAT,
        ID_TOKEN_ALGORITHM,
        ID_TOKEN_ON_REFRESH,
        REQUIRE_PKCE,
        CONSENT,
        OUTLIVES_SESSION,
    ],
};

pub(super) const ACCESS_LIFETIME: Key = lifetime(
    "access_lifetime",
    BUILT_IN.access_lifetime,
    "How long an access token lives; 0 for as long as its grant.",
)
.also(&["access_token_lifetime"]);

pub(super) const IDLE_LIFETIME: Key =
    lifetime("idle_lifetime", BUILT_IN.idle_lifetime, "How long a refresh token lives unless it is used; 0 for ever.")
        .also(&["refresh_lifetime", "refresh_token_lifetime"]);

pub(super) const ABSOLUTE_LIFETIME: Key =
    lifetime("absolute_lifetime", BUILT_IN.absolute_lifetime, "How long a grant lives whatever happens; 0 for ever.");

pub(super) const ROTATION: Key = Key::new(
    "rotation",
    Kind::Choice(&ROTATION_WORDS),
    Preset::Text("rotate"),
    "What a refresh does to the refresh token: `rotate` replaces it, `reuse` keeps it, `consume` lets it be used once, `fork` keeps it \
     and starts a sibling. Public clients need `rotate` or `consume`, unless they have `allow_unsafe_rotation`.",
);

pub(super) const RETRY_WINDOW: Key = Key::new(
    "retry_window",
    Kind::Number { min: 0, max: RETRY_WINDOW_PROVEN_SECONDS, unit: "seconds" },
    Preset::Absent,
    "How long the same refresh may be tried again when its answer was lost; 0 for never. Without it, as long as the sender's proof \
     allows: 24 hours for a client that authenticates, 1 hour with a retry verifier, 60 seconds without any proof.",
);

pub(super) const ON_REUSE: Key = Key::new(
    "on_reuse",
    Kind::Choice(&ON_REUSE_WORDS),
    Preset::Absent,
    "What the use of a superseded refresh token does: `revoke` ends the grant, `alert` refuses and reports. Without it, what fits the \
     sender's proof.",
);

pub(super) const SCOPE_NARROWING: Key = Key::new(
    "scope_narrowing",
    Kind::Choice(&SCOPE_NARROWING_WORDS),
    Preset::Text("access_token"),
    "What becomes narrower when a refresh names less in `scope` than was granted: `access_token` only the one that it gives, `grant` \
     the grant too, for good. `grant` is for stand-ins: other servers do so, against RFC 6749 section 6.",
);

pub(super) const OLD_ACCESS_TOKENS: Key = Key::new(
    "old_access_tokens",
    Kind::Choice(&OLD_ACCESS_TOKENS_WORDS),
    Preset::Text("keep"),
    "What a refresh does to the access tokens that came before it: `keep` lets them live to their end, `end` refuses them at \
     introspection and userinfo. An API that reads JWTs and does not ask the server accepts them to their end.",
);

pub(super) const REFRESH_TOKEN_SCOPE: Key = Key::new(
    "refresh_token_scope",
    Kind::Text(Form::Scope),
    Preset::Absent,
    "What has to be granted so that a refresh token comes with the first tokens, such as `offline`. Without it, or with `\"\"`, the \
     grant type `refresh_token` is enough.",
);

pub(super) const CODE_RETRY: Key = Key::new(
    "code_retry",
    Kind::Number { min: 0, max: CODE_RETRY_SECONDS_MAX, unit: "seconds" },
    Preset::Number(0),
    "How long after its redemption an authorization code with PKCE gives the same tokens again; 0 for never.",
)
.also(&["code_retry_seconds"]);

pub(super) const ACCESS_TOKEN_FORMAT: Key = Key::new(
    "access_token_format",
    Kind::Choice(&ACCESS_TOKEN_FORMAT_WORDS),
    Preset::Text("jwt_es256"),
    "What access tokens look like: a JWT (RFC 9068) with this signature, or `opaque`, which only the server can read.",
);

pub(super) const ID_TOKEN_ALGORITHM: Key = Key::new(
    "id_token_algorithm",
    Kind::Choice(&ID_TOKEN_ALGORITHM_WORDS),
    Preset::Text("rs256"),
    "What signs ID tokens. Every client knows `rs256`.",
)
.also(&["id_token_signed_response_alg"]);

pub(super) const ID_TOKEN_ON_REFRESH: Key = Key::new(
    "id_token_on_refresh",
    Kind::Switch,
    Preset::Switch(false),
    "Whether every refresh of a grant with `openid` gives a new ID token, and not only one whose `scope` names `openid`.",
);

pub(super) const REQUIRE_PKCE: Key = Key::new(
    "require_pkce",
    Kind::Switch,
    Preset::Switch(true),
    "Whether every authorization request has to carry a code challenge (RFC 7636). Public clients always have to.",
);

pub(super) const CONSENT: Key = Key::new(
    "consent",
    Kind::Choice(&CONSENT_WORDS),
    Preset::Text("remember"),
    "When users are asked: `remember` asks once, and again when the client wants more; `always` asks every time; `skip` never asks, \
     for clients of your own.",
);

pub(super) const OUTLIVES_SESSION: Key = Key::new(
    "outlives_session",
    Kind::Choice(&OUTLIVES_SESSION_WORDS),
    Preset::Text("always"),
    "Which grants live on when the login session ends: `always` all, `with_offline_access` those with the scope `offline_access`.",
);

const fn lifetime(name: &'static str, built_in: Lifetime, doc: &'static str) -> Key {
    Key::new(name, Kind::Number { min: 0, max: u32::MAX, unit: "seconds" }, Preset::Number(built_in.seconds()), doc)
}

const BUILT_IN: Policy = ClientDefaults::BUILT_IN.policy;

const ROTATIONS: [(&str, RotationMode); 4] = [
    ("rotate", RotationMode::Rotate),
    ("reuse", RotationMode::Reuse),
    ("consume", RotationMode::Consume),
    ("fork", RotationMode::Fork),
];
const ROTATION_WORDS: [&str; 4] = words(&ROTATIONS);

const ON_REUSES: [(&str, OnReuse); 2] = [("revoke", OnReuse::Revoke), ("alert", OnReuse::Alert)];
const ON_REUSE_WORDS: [&str; 2] = words(&ON_REUSES);

const SCOPE_NARROWINGS: [(&str, ScopeNarrowing); 2] =
    [("access_token", ScopeNarrowing::AccessToken), ("grant", ScopeNarrowing::Grant)];
const SCOPE_NARROWING_WORDS: [&str; 2] = words(&SCOPE_NARROWINGS);

const OLD_ACCESS_TOKENS_PAIRS: [(&str, OldAccessTokens); 2] =
    [("keep", OldAccessTokens::Keep), ("end", OldAccessTokens::End)];
const OLD_ACCESS_TOKENS_WORDS: [&str; 2] = words(&OLD_ACCESS_TOKENS_PAIRS);

const ACCESS_TOKEN_FORMATS: [(&str, AccessTokenFormat); 4] = [
    ("jwt_es256", AccessTokenFormat::JwtEs256),
    ("jwt_eddsa", AccessTokenFormat::JwtEdDsa),
    ("jwt_rs256", AccessTokenFormat::JwtRs256),
    ("opaque", AccessTokenFormat::Opaque),
];
const ACCESS_TOKEN_FORMAT_WORDS: [&str; 4] = words(&ACCESS_TOKEN_FORMATS);

const ID_TOKEN_ALGORITHMS: [(&str, IdTokenAlgorithm); 2] =
    [("rs256", IdTokenAlgorithm::Rs256), ("es256", IdTokenAlgorithm::Es256)];
const ID_TOKEN_ALGORITHM_WORDS: [&str; 2] = words(&ID_TOKEN_ALGORITHMS);

const CONSENTS: [(&str, ConsentMode); 3] =
    [("remember", ConsentMode::Remember), ("always", ConsentMode::Always), ("skip", ConsentMode::Skip)];
const CONSENT_WORDS: [&str; 3] = words(&CONSENTS);

const OUTLIVES_SESSIONS: [(&str, OutlivesSession); 2] =
    [("always", OutlivesSession::Always), ("with_offline_access", OutlivesSession::WithOfflineAccess)];
const OUTLIVES_SESSION_WORDS: [&str; 2] = words(&OUTLIVES_SESSIONS);

/// Reads a scope, in any of the settings of clients.
pub(super) fn scope(text: &str) -> Result<Scope, Fault> {
    Scope::parse(text).map_err(|error| Fault::Value(format!("{text:?}: {error}")))
}

/// Reads `[defaults]`, or the same keys of a client.
pub(super) fn read(table: &mut TableReader<'_>) -> Result<ClientDefaults, Reported> {
    let access_lifetime = table.number(&ACCESS_LIFETIME);
    let idle_lifetime = table.number(&IDLE_LIFETIME);
    let absolute_lifetime = table.number(&ABSOLUTE_LIFETIME);
    let rotation = table.choice(&ROTATION, &ROTATIONS);
    let retry_window = table.optional_number(&RETRY_WINDOW);
    let on_reuse = table.optional_choice(&ON_REUSE, &ON_REUSES);
    let scope_narrowing = table.choice(&SCOPE_NARROWING, &SCOPE_NARROWINGS);
    let old_access_tokens = table.choice(&OLD_ACCESS_TOKENS, &OLD_ACCESS_TOKENS_PAIRS);
    let refresh_token_scope = table.optional(&REFRESH_TOKEN_SCOPE, scope);
    let code_retry = table.number(&CODE_RETRY);
    let access_token_format = table.choice(&ACCESS_TOKEN_FORMAT, &ACCESS_TOKEN_FORMATS);
    let id_token_algorithm = table.choice(&ID_TOKEN_ALGORITHM, &ID_TOKEN_ALGORITHMS);
    let id_token_on_refresh = table.switch(&ID_TOKEN_ON_REFRESH);
    let require_pkce = table.switch(&REQUIRE_PKCE);
    let consent = table.choice(&CONSENT, &CONSENTS);
    let outlives_session = table.choice(&OUTLIVES_SESSION, &OUTLIVES_SESSIONS);
    let policy = Policy {
        rotation: rotation?,
        retry_window_seconds: retry_window?,
        on_reuse: on_reuse?,
        scope_narrowing: scope_narrowing?,
        old_access_tokens: old_access_tokens?,
        code_retry_seconds: code_retry?,
        access_lifetime: Lifetime::from_seconds(access_lifetime?),
        idle_lifetime: Lifetime::from_seconds(idle_lifetime?),
        absolute_lifetime: Lifetime::from_seconds(absolute_lifetime?),
    };
    Ok(ClientDefaults {
        policy,
        access_token_format: access_token_format?,
        id_token_algorithm: id_token_algorithm?,
        id_token_on_refresh: id_token_on_refresh?,
        require_pkce: require_pkce?,
        consent: consent?,
        outlives_session: outlives_session?,
        refresh_token_scope: refresh_token_scope?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::environment::Environment;
    use crate::config::layers::Layers;

    #[test]
    fn the_keys_preset_what_is_built_in() {
        let (flags, variables) = (BTreeMap::new(), BTreeMap::new());
        let layers = Layers { flags: &flags, environment: Environment::new(&variables), document: None };
        let defaults = read(&mut TableReader::new(&SECTION, &layers, None));
        assert_eq!(defaults.ok(), Some(ClientDefaults::BUILT_IN));
    }
}
