//! Calls of the rule, made of fuzzed bytes.

use regrant_grant::{
    AuthorityTag, Binding, ClientKind, Decision, Generation, Grant, GrantId, GrantSecret, OldAccessTokens, OnReuse,
    Party, Policy, RefreshFacts, RotationMode, ScopeNarrowing, SessionId, Surroundings, decide,
};
use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp};

use crate::bytes::Bytes;

pub(crate) const ROTATED_AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const CHALLENGES: [Option<RetryChallenge>; 3] =
    [None, Some(RetryChallenge::from_bytes([0xC1; 16])), Some(RetryChallenge::from_bytes([0xC2; 16]))];
const KEYS: [Binding; 4] =
    [Binding::None, Binding::DpopKey([0xD1; 32]), Binding::Certificate([0xD1; 32]), Binding::DpopKey([0xD2; 32])];

/// One call of a rule: everything that it depends on. The rule is that of refreshes unless other facts say otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Case<Facts = RefreshFacts> {
    pub(crate) row: Grant,
    pub(crate) root: Option<Grant>,
    pub(crate) facts: Facts,
    pub(crate) epoch: EpochNumber,
    pub(crate) client: Option<Party>,
    pub(crate) user: Option<Party>,
    pub(crate) session_ends_at: Option<Timestamp>,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
}

impl Case {
    /// Any call. Bytes of 0 make one that nothing stands against: a public bearer client with its current token.
    pub(crate) fn any(bytes: &mut Bytes<'_>) -> Self {
        let mut case = Self::honest(bytes);
        let row = &mut case.row;
        row.generation = Generation(bytes.choice(&[5, 0, 1, 2, u32::MAX - 1, u32::MAX]));
        row.binding = bytes.choice(&KEYS[..3]);
        row.retry_challenge = bytes.choice(&CHALLENGES);
        row.has_used_challenge = row.retry_challenge.is_some() || bytes.is_set();
        row.access_lifetime = lifetime(bytes);
        row.idle_expires_at = end(bytes);
        row.absolute_expires_at = end(bytes);
        row.revoked_at = bytes.choice(&[None, None, None, Some(ROTATED_AT)]);
        case.may_have_a_root(bytes);

        let row = &case.row;
        let facts = &mut case.facts;
        facts.client = client(bytes);
        facts.client_kind = bytes.choice(&[ClientKind::Public, ClientKind::Confidential]);
        facts.proven_key = if bytes.is_set() { bytes.choice(&KEYS) } else { row.binding };
        let before = bytes.choice(&[0, 1, 2, 5, u32::MAX, u32::MAX - 1]);
        facts.generation = Generation(row.generation.0.wrapping_sub(before));
        facts.kid = Kid(bytes.choice(&[20, 19, 21]));
        facts.epoch = EpochNumber(bytes.choice(&[3, 2, 4]));
        facts.authority_tag = authority_tag(bytes);
        facts.retry_challenge = bytes.choice(&CHALLENGES);
        facts.retry_verifier = bytes.choice(&CHALLENGES);
        facts.scope = bytes.choice(&[None, Some("read"), Some("write read"), Some("admin")]).map(scope);
        facts.resources = resources(bytes.choice(&[&[][..], &["https://r1"], &["https://r3"]]));
        facts.newest_kid = Kid(bytes.choice(&[21, 20, 19, 255]));

        case.may_be_elsewhere(bytes, [30_000, 60_000, 3_600_000, 86_400_000]);
        // What is presented may be another system's string.
        if bytes.byte() % 4 == 1 {
            case.facts.present_imported_token(&case.row);
        }
        case
    }

    /// The owner of a grant in the middle of its life presents its current token, under any policy.
    pub(crate) fn honest(bytes: &mut Bytes<'_>) -> Self {
        let row = Grant {
            id: GrantId([0x11; 16]),
            secret: GrantSecret::new([0x12; 16]),
            version: 7,
            root: None,
            client: ClientId::parse("app").expect("a client id"),
            subject: Subject::parse("alice").expect("a subject"),
            scope: scope("read write"),
            resources: resources(&["https://r1", "https://r2"]),
            binding: Binding::None,
            session: None,
            approved_from: None,
            code: None,
            generation: Generation(5),
            kid: Kid(20),
            epoch: EpochNumber(3),
            rotated_at: ROTATED_AT,
            access_lifetime: Lifetime::from_seconds(600),
            retry_challenge: None,
            has_used_challenge: false,
            created_at: ROTATED_AT.plus_seconds(-1_000),
            authenticated_at: ROTATED_AT.plus_seconds(-2_000),
            idle_expires_at: None,
            absolute_expires_at: None,
            revoked_at: None,
            client_cutoff: 4,
            user_cutoff: 9,
        };
        Self {
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
                newest_kid: row.kid,
                sibling: (GrantId([0x21; 16]), GrantSecret::new([0x22; 16])),
                recovery: None,
            },
            epoch: row.epoch,
            client: Some(Party { enabled: true, cutoff: row.client_cutoff, version: 1 }),
            user: Some(Party { enabled: true, cutoff: row.user_cutoff, version: 2 }),
            session_ends_at: None,
            policy: policy(bytes),
            now: ROTATED_AT,
            root: None,
            row,
        }
    }

    /// What the rule says.
    pub(crate) fn decide(&self) -> Decision {
        decide(&self.row, &self.facts, &self.surroundings(), &self.policy, self.now)
    }
}

impl<Facts> Case<Facts> {
    /// The row may be a fork of another.
    pub(crate) fn may_have_a_root(&mut self, bytes: &mut Bytes<'_>) {
        if bytes.byte() % 4 == 1 {
            let revoked_at = bytes.choice(&[None, Some(ROTATED_AT)]);
            let root = Grant { id: GrantId([0x31; 16]), version: 3, revoked_at, ..self.row.clone() };
            self.row.root = Some(root.id);
            self.root = Some(root);
        }
    }

    /// All around the row may be otherwise: the store, the client, the user, the login session, and the time, which may be
    /// near one of `bounds_milliseconds` after the last rotation.
    pub(crate) fn may_be_elsewhere(&mut self, bytes: &mut Bytes<'_>, bounds_milliseconds: [i64; 4]) {
        self.epoch = EpochNumber(bytes.choice(&[3, 2, 4]));
        self.client = party(bytes, self.row.client_cutoff);
        self.user = party(bytes, self.row.user_cutoff);
        self.now = now(bytes, bounds_milliseconds);
        if bytes.byte() % 4 == 1 {
            self.row.session = Some(SessionId([0x51; 16]));
            self.session_ends_at = end(bytes);
        }
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            epoch: self.epoch,
            client: self.client,
            user: self.user,
            root: self.root.as_ref(),
            session_ends_at: self.session_ends_at,
        }
    }
}

pub(crate) fn client(bytes: &mut Bytes<'_>) -> ClientId {
    ClientId::parse(bytes.choice(&["app", "app", "app", "other"])).expect("a client id")
}

pub(crate) fn authority_tag(bytes: &mut Bytes<'_>) -> AuthorityTag {
    use AuthorityTag::{Invalid, Unverifiable, Valid};
    bytes.choice(&[Valid, Valid, Valid, Invalid, Unverifiable])
}

fn policy(bytes: &mut Bytes<'_>) -> Policy {
    use RotationMode::{Consume, Fork, Reuse, Rotate};
    Policy {
        rotation: bytes.choice(&[Rotate, Reuse, Consume, Fork]),
        retry_window_seconds: bytes.choice(&[None, Some(0), Some(30), Some(u32::MAX)]),
        on_reuse: bytes.choice(&[None, Some(OnReuse::Revoke), Some(OnReuse::Alert)]),
        code_retry_seconds: 0,
        access_lifetime: lifetime(bytes),
        idle_lifetime: lifetime(bytes),
        absolute_lifetime: lifetime(bytes),
        scope_narrowing: bytes.choice(&[ScopeNarrowing::AccessToken, ScopeNarrowing::Grant]),
        old_access_tokens: OldAccessTokens::Keep,
    }
}

fn party(bytes: &mut Bytes<'_>, cutoff: u32) -> Option<Party> {
    let party = Party { enabled: true, cutoff, version: 1 };
    let raised = Party { cutoff: cutoff + 1, ..party };
    bytes.choice(&[Some(party), Some(party), Some(party), None, Some(Party { enabled: false, ..party }), Some(raised)])
}

fn lifetime(bytes: &mut Bytes<'_>) -> Lifetime {
    Lifetime::from_seconds(bytes.choice(&[0, 1, 300, u32::MAX]))
}

pub(crate) fn end(bytes: &mut Bytes<'_>) -> Option<Timestamp> {
    let after_seconds = bytes.choice(&[None, Some(60), Some(3_600), Some(0), Some(-1), Some(i64::MIN), Some(i64::MAX)]);
    after_seconds.map(|seconds| ROTATED_AT.plus_seconds(seconds))
}

/// Near the bounds of windows and lifetimes, anywhere within 24 days, at the beginning of time, or so late that a lifetime from
/// then on can just be written down.
fn now(bytes: &mut Bytes<'_>, bounds_milliseconds: [i64; 4]) -> Timestamp {
    let milliseconds = match bytes.byte() % 8 {
        0 => 0,
        1..=4 => bytes.choice(&bounds_milliseconds) - i64::from(bytes.byte() % 3),
        5 => i64::from(i32::from_be_bytes(bytes.array())),
        6 => i64::MIN,
        _ => i64::MAX / 2,
    };
    ROTATED_AT.plus_milliseconds(milliseconds)
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

fn resources(texts: &[&str]) -> Resources {
    Resources::parse(texts.iter().copied()).expect("resources")
}
