use std::collections::BTreeMap;

use regrant_grant::{CODE_RETRY_SECONDS_MAX, OnReuse, Policy, RETRY_WINDOW_PROVEN_SECONDS, RotationMode};
use regrant_protocol::Lifetime;
use regrant_store::{AccessTokenFormat, ConsentMode, IdTokenAlgorithm, OutlivesSession};

use crate::config::environment::Environment;
use crate::config::key::{Key, Kind, words};
use crate::config::layers::Layers;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "defaults",
    shape: Shape::Table,
    doc: "What holds for every client that does not say otherwise in its `[[client]]`.",
    keys: &[
        ACCESS_LIFETIME,
        IDLE_LIFETIME,
        ABSOLUTE_LIFETIME,
        ROTATION,
        RETRY_WINDOW,
        ON_REUSE,
        CODE_RETRY,
        ACCESS_TOKEN_FORMAT,
        ID_TOKEN_ALGORITHM,
        ID_TOKEN_ON_REFRESH,
        CONSENT,
        OUTLIVES_SESSION,
    ],
};

pub(super) const ACCESS_LIFETIME: Key =
    lifetime("access_lifetime", 60 * 60, "How long an access token lives; 0 for as long as its grant.")
        .also(&["access_token_lifetime"]);

pub(super) const IDLE_LIFETIME: Key =
    lifetime("idle_lifetime", 14 * 24 * 60 * 60, "How long a refresh token lives unless it is used; 0 for ever.")
        .also(&["refresh_lifetime", "refresh_token_lifetime"]);

pub(super) const ABSOLUTE_LIFETIME: Key =
    lifetime("absolute_lifetime", 365 * 24 * 60 * 60, "How long a grant lives whatever happens; 0 for ever.");

pub(super) const ROTATION: Key = Key::new(
    "rotation",
    Kind::Choice(&ROTATION_WORDS),
    Preset::Text("rotate"),
    "What a refresh does to the refresh token: `rotate` replaces it, `reuse` keeps it, `consume` lets it be used once, `fork` keeps it \
     and starts a sibling. Public clients need `rotate` or `consume`.",
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

const fn lifetime(name: &'static str, seconds: u32, doc: &'static str) -> Key {
    Key::new(name, Kind::Number { min: 0, max: u32::MAX, unit: "seconds" }, Preset::Number(seconds), doc)
}

const ROTATIONS: [(&str, RotationMode); 4] = [
    ("rotate", RotationMode::Rotate),
    ("reuse", RotationMode::Reuse),
    ("consume", RotationMode::Consume),
    ("fork", RotationMode::Fork),
];
const ROTATION_WORDS: [&str; 4] = words(&ROTATIONS);

const ON_REUSES: [(&str, OnReuse); 2] = [("revoke", OnReuse::Revoke), ("alert", OnReuse::Alert)];
const ON_REUSE_WORDS: [&str; 2] = words(&ON_REUSES);

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

/// What holds for a client that does not say otherwise; also for those that are not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientDefaults {
    /// Rotation, retries and lifetimes.
    pub policy: Policy,
    /// What access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What signs ID tokens.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether every refresh gives a new ID token.
    pub id_token_on_refresh: bool,
    /// When users are asked.
    pub consent: ConsentMode,
    /// Which grants live on when the login session ends.
    pub outlives_session: OutlivesSession,
}

impl ClientDefaults {
    /// What holds where nobody says anything.
    #[must_use]
    pub fn built_in() -> Self {
        let (flags, variables) = (BTreeMap::new(), BTreeMap::new());
        let layers = Layers { flags: &flags, environment: Environment::new(&variables), document: None };
        let read = Self::read(&mut TableReader::new(&SECTION, &layers, None));
        read.unwrap_or_else(|Reported| unreachable!("every key has a default or may be absent"))
    }

    /// Reads `[defaults]`, or the same keys of a client.
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let access_lifetime = table.number(&ACCESS_LIFETIME);
        let idle_lifetime = table.number(&IDLE_LIFETIME);
        let absolute_lifetime = table.number(&ABSOLUTE_LIFETIME);
        let rotation = table.choice(&ROTATION, &ROTATIONS);
        let retry_window = table.optional_number(&RETRY_WINDOW);
        let on_reuse = table.optional_choice(&ON_REUSE, &ON_REUSES);
        let code_retry = table.number(&CODE_RETRY);
        let access_token_format = table.choice(&ACCESS_TOKEN_FORMAT, &ACCESS_TOKEN_FORMATS);
        let id_token_algorithm = table.choice(&ID_TOKEN_ALGORITHM, &ID_TOKEN_ALGORITHMS);
        let id_token_on_refresh = table.switch(&ID_TOKEN_ON_REFRESH);
        let consent = table.choice(&CONSENT, &CONSENTS);
        let outlives_session = table.choice(&OUTLIVES_SESSION, &OUTLIVES_SESSIONS);
        let policy = Policy {
            rotation: rotation?,
            retry_window_seconds: retry_window?,
            on_reuse: on_reuse?,
            code_retry_seconds: code_retry?,
            access_lifetime: Lifetime::from_seconds(access_lifetime?),
            idle_lifetime: Lifetime::from_seconds(idle_lifetime?),
            absolute_lifetime: Lifetime::from_seconds(absolute_lifetime?),
        };
        Ok(Self {
            policy,
            access_token_format: access_token_format?,
            id_token_algorithm: id_token_algorithm?,
            id_token_on_refresh: id_token_on_refresh?,
            consent: consent?,
            outlives_session: outlives_session?,
        })
    }
}
