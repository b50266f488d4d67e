use std::net::Ipv4Addr;

use regrant_grant::{
    ApprovedFrom, AuthorityTag, Binding, ClientKind, Code, Decision, Generation, Grant, GrantId, GrantSecret,
    OldAccessTokens, Party, Policy, RecoverPublic, Recovery, RefreshFacts, RotationMode, ScopeNarrowing, SessionId,
    Surroundings, decide,
};
use regrant_protocol::{
    ClientId, CodeChallenge, EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp,
};

pub(crate) const DAY_SECONDS: i64 = 24 * 60 * 60;
pub(crate) const ROTATED_AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const CHALLENGE: RetryChallenge = RetryChallenge::from_bytes([0xC1; 16]);
pub(crate) const OTHER_CHALLENGE: RetryChallenge = RetryChallenge::from_bytes([0xC2; 16]);
pub(crate) const DPOP_KEY: Binding = Binding::DpopKey([0xD1; 32]);
pub(crate) const OTHER_DPOP_KEY: Binding = Binding::DpopKey([0xD2; 32]);
/// The thumbprint of [`DPOP_KEY`] as another kind of key.
pub(crate) const CERTIFICATE: Binding = Binding::Certificate([0xD1; 32]);

/// One call of the rule: everything that it depends on.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) row: Grant,
    pub(crate) root: Option<Grant>,
    pub(crate) facts: RefreshFacts,
    pub(crate) epoch: EpochNumber,
    pub(crate) client: Option<Party>,
    pub(crate) user: Option<Party>,
    pub(crate) session_ends_at: Option<Timestamp>,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
}

impl Case {
    /// A public bearer client presents its current token, and nothing stands against it.
    ///
    /// Neighbouring values differ, so that one field written into another shows.
    pub(crate) fn honest() -> Self {
        let row = Grant {
            id: GrantId([0x11; 16]),
            secret: GrantSecret::new([0x12; 16]),
            version: 7,
            root: None,
            client: client("app"),
            subject: Subject::parse("alice").expect("a subject"),
            scope: scope("read write"),
            resources: resources(&["https://r1", "https://r2"]),
            binding: Binding::None,
            session: None,
            approved_from: Some(ApprovedFrom::new(Ipv4Addr::LOCALHOST.into(), Some("Firefox"))),
            code: None,
            generation: Generation(5),
            kid: Kid(20),
            epoch: EpochNumber(3),
            rotated_at: ROTATED_AT,
            access_lifetime: Lifetime::from_seconds(600),
            retry_challenge: None,
            has_used_challenge: false,
            created_at: ROTATED_AT.plus_seconds(-10 * DAY_SECONDS),
            authenticated_at: ROTATED_AT.plus_seconds(-11 * DAY_SECONDS),
            idle_expires_at: Some(ROTATED_AT.plus_seconds(30 * DAY_SECONDS)),
            absolute_expires_at: Some(ROTATED_AT.plus_seconds(80 * DAY_SECONDS)),
            revoked_at: None,
            client_cutoff: 4,
            user_cutoff: 9,
        };
        Self {
            root: None,
            facts: RefreshFacts {
                client: row.client.clone(),
                client_kind: ClientKind::Public,
                proven_key: Binding::None,
                generation: row.generation,
                kid: row.kid,
                epoch: row.epoch,
                authority_tag: AuthorityTag::Valid,
                retry_challenge: None,
                retry_verifier: None,
                scope: None,
                resources: Resources::none(),
                newest_kid: Kid(21),
                sibling: (GrantId([0x21; 16]), GrantSecret::new([0x22; 16])),
                recovery: None,
            },
            epoch: row.epoch,
            client: Some(Party { enabled: true, cutoff: row.client_cutoff, version: 1 }),
            user: Some(Party { enabled: true, cutoff: row.user_cutoff, version: 2 }),
            session_ends_at: None,
            policy: Policy {
                rotation: RotationMode::Rotate,
                retry_window_seconds: None,
                on_reuse: None,
                scope_narrowing: ScopeNarrowing::AccessToken,
                old_access_tokens: OldAccessTokens::Keep,
                code_retry_seconds: 0,
                access_lifetime: Lifetime::from_seconds(300),
                idle_lifetime: Lifetime::from_seconds(20 * 24 * 60 * 60),
                absolute_lifetime: Lifetime::from_seconds(400 * 24 * 60 * 60),
            },
            now: row.rotated_at.plus_seconds(10),
            row,
        }
    }

    /// The same with the generation presented that lies `steps` after the row's.
    pub(crate) fn present(&mut self, steps: i32) {
        self.facts.generation = Generation(self.row.generation.0.wrapping_add_signed(steps));
    }

    /// The grant was imported and has come to this generation, and the imported string is presented.
    pub(crate) fn import(&mut self, generation: u32) {
        self.row.generation = Generation(generation);
        self.facts.present_imported_token(&self.row);
    }

    /// The row becomes a sibling of a root, which is revoked or not.
    pub(crate) fn fork_from_root(&mut self, revoked_at: Option<Timestamp>) {
        let root = Grant {
            id: GrantId([0x31; 16]),
            secret: GrantSecret::new([0x32; 16]),
            version: 3,
            generation: Generation(2),
            revoked_at,
            ..self.row.clone()
        };
        self.row.root = Some(root.id);
        self.root = Some(root);
    }

    /// The grant ends with its login session, which has this end, or is not known any more.
    pub(crate) fn log_in_until(&mut self, end: Option<Timestamp>) {
        self.row.session = Some(SessionId([0x51; 16]));
        self.session_ends_at = end;
    }

    /// The grant began with a code, which has this end.
    pub(crate) fn begin_with_code(&mut self, expires_at: Timestamp) {
        self.row.code = Some(Code {
            challenge: Some(CodeChallenge::from_bytes([0x61; 32])),
            redirect_uri: [0x62; 16],
            redirect_uri_was_sent: true,
            nonce: None,
            expires_at,
        });
    }

    /// The client proves who it is.
    pub(crate) fn authenticate(&mut self) {
        self.facts.client_kind = ClientKind::Confidential;
    }

    /// The grant is bound to a key, and the sender proves it.
    pub(crate) fn bind(&mut self, key: Binding) {
        self.row.binding = key;
        self.facts.proven_key = key;
    }

    /// The rotation that made the current generation carried a challenge.
    pub(crate) fn challenge(&mut self) {
        self.row.retry_challenge = Some(CHALLENGE);
        self.row.has_used_challenge = true;
    }

    /// The store was restored, and what is presented and the row are of the epoch before; it recovers for an hour.
    pub(crate) fn recover(&mut self, public: RecoverPublic) {
        self.epoch = EpochNumber(self.row.epoch.0 + 1);
        let until = ROTATED_AT.plus_seconds(3_600);
        self.facts.recovery = Some(Recovery { former: self.row.epoch, until, public });
    }

    /// What the rule says.
    pub(crate) fn decide(&self) -> Decision {
        let surroundings = Surroundings {
            epoch: self.epoch,
            client: self.client,
            user: self.user,
            root: self.root.as_ref(),
            session_ends_at: self.session_ends_at,
        };
        decide(&self.row, &self.facts, &surroundings, &self.policy, self.now)
    }
}

pub(crate) fn client(id: &str) -> ClientId {
    ClientId::parse(id).expect("a client identifier")
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

pub(crate) fn resources(texts: &[&str]) -> Resources {
    Resources::parse(texts.iter().copied()).expect("resources")
}
