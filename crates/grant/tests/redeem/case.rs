use std::net::Ipv4Addr;

use regrant_grant::{
    ApprovedFrom, AuthorityTag, Binding, CODE_LIFETIME_SECONDS, Code, Generation, Grant, GrantId, GrantSecret,
    OldAccessTokens, Party, Policy, RedeemFacts, Redemption, RotationMode, ScopeNarrowing, SessionId, Surroundings,
    redeem,
};
use regrant_protocol::{
    ClientId, CodeChallenge, EpochNumber, Kid, Lifetime, Nonce, Resources, Scope, Subject, Timestamp,
};

pub(crate) const APPROVED_AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const CHALLENGE: CodeChallenge = CodeChallenge::from_bytes([0xC1; 32]);
pub(crate) const OTHER_CHALLENGE: CodeChallenge = CodeChallenge::from_bytes([0xC2; 32]);
pub(crate) const REDIRECT_URI: [u8; 16] = [0x41; 16];
pub(crate) const OTHER_REDIRECT_URI: [u8; 16] = [0x42; 16];

/// One call of the rule: everything that it depends on.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) row: Grant,
    pub(crate) root: Option<Grant>,
    pub(crate) facts: RedeemFacts,
    pub(crate) epoch: EpochNumber,
    pub(crate) client: Option<Party>,
    pub(crate) user: Option<Party>,
    pub(crate) session_ends_at: Option<Timestamp>,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
}

impl Case {
    /// A client redeems its code for the first time, with verifier and redirect URI, and nothing stands against it.
    ///
    /// Neighbouring values differ, so that one field written into another shows.
    pub(crate) fn honest() -> Self {
        let code_ends_at = APPROVED_AT.plus_seconds(i64::from(CODE_LIFETIME_SECONDS));
        let row = Grant {
            id: GrantId([0x11; 16]),
            secret: GrantSecret::new([0x12; 16]),
            version: 1,
            root: None,
            client: ClientId::parse("app").expect("a client identifier"),
            subject: Subject::parse("alice").expect("a subject"),
            scope: Scope::parse("openid read").expect("a scope"),
            resources: Resources::parse(["https://r1"]).expect("a resource"),
            binding: Binding::None,
            session: None,
            approved_from: Some(ApprovedFrom::new(Ipv4Addr::LOCALHOST.into(), Some("Firefox"))),
            code: Some(Code {
                challenge: Some(CHALLENGE),
                redirect_uri: REDIRECT_URI,
                redirect_uri_was_sent: true,
                nonce: Some(Nonce::parse("n-0S6_WzA2Mj").expect("a nonce")),
                expires_at: code_ends_at,
            }),
            generation: Generation(0),
            kid: Kid(20),
            epoch: EpochNumber(3),
            rotated_at: APPROVED_AT,
            access_lifetime: Lifetime::from_seconds(600),
            retry_challenge: None,
            has_used_challenge: false,
            created_at: APPROVED_AT.plus_milliseconds(-1),
            authenticated_at: APPROVED_AT.plus_seconds(-100),
            idle_expires_at: Some(code_ends_at),
            absolute_expires_at: Some(APPROVED_AT.plus_seconds(8_000)),
            revoked_at: None,
            client_cutoff: 4,
            user_cutoff: 9,
        };
        Self {
            root: None,
            facts: RedeemFacts {
                client: row.client.clone(),
                authority_tag: AuthorityTag::Valid,
                kid: row.kid,
                epoch: row.epoch,
                verifier: Some(CHALLENGE),
                redirect_uri: Some(REDIRECT_URI),
                newest_kid: Kid(21),
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
                idle_lifetime: Lifetime::from_seconds(2_000),
                absolute_lifetime: Lifetime::from_seconds(9_000),
            },
            now: APPROVED_AT.plus_seconds(1),
            row,
        }
    }

    /// What the row keeps of the code; a row that has none is given nothing.
    pub(crate) fn set_code(&mut self, set: impl FnOnce(&mut Code)) {
        if let Some(code) = &mut self.row.code {
            set(code);
        }
    }

    /// Code and request are without PKCE.
    pub(crate) fn without_challenge(&mut self) {
        self.set_code(|code| code.challenge = None);
        self.facts.verifier = None;
    }

    /// The row becomes a member of the family of a root, which is revoked or not.
    pub(crate) fn fork_from_root(&mut self, revoked_at: Option<Timestamp>) {
        let root = Grant { id: GrantId([0x31; 16]), version: 3, revoked_at, ..self.row.clone() };
        self.row.root = Some(root.id);
        self.root = Some(root);
    }

    /// The grant ends with its login session, which has this end, or is not known any more.
    pub(crate) fn log_in_until(&mut self, end: Option<Timestamp>) {
        self.row.session = Some(SessionId([0x51; 16]));
        self.session_ends_at = end;
    }

    /// What the rule says.
    pub(crate) fn redeem(&self) -> Redemption {
        redeem(&self.row, &self.facts, &self.surroundings(), &self.policy, self.now)
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
