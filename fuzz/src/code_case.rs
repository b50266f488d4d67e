//! Redemptions of a code, made of fuzzed bytes.

use regrant_grant::{
    Code, Decision, Generation, Policy, RedeemFacts, Redemption, RefreshFacts, RotationMode, decide, redeem,
};
use regrant_protocol::{CodeChallenge, EpochNumber, Kid, Nonce};

use crate::bytes::Bytes;
use crate::case::{self, Case, ROTATED_AT};

pub(crate) const CHALLENGES: [Option<CodeChallenge>; 3] =
    [Some(CodeChallenge::from_bytes([0xC1; 32])), None, Some(CodeChallenge::from_bytes([0xC2; 32]))];
pub(crate) const REDIRECT_URIS: [Option<[u8; 16]>; 3] = [Some([0xA1; 16]), None, Some([0xA2; 16])];

impl Case<RedeemFacts> {
    /// Any redemption. Bytes of 0 make one that nothing stands against.
    pub(crate) fn of_any_code(bytes: &mut Bytes<'_>) -> Self {
        let mut case = Self::of_code(bytes);
        let row = &mut case.row;
        row.generation = Generation(bytes.choice(&[0, 1, 0, 1, 2, u32::MAX]));
        row.revoked_at = bytes.choice(&[None, None, None, Some(ROTATED_AT)]);
        row.absolute_expires_at = case::end(bytes);
        if let Some(code) = &mut row.code {
            code.challenge = bytes.choice(&CHALLENGES[..2]);
            code.redirect_uri_was_sent = !bytes.is_set();
            code.nonce = bytes.is_set().then(|| Nonce::parse("n").expect("a nonce"));
            code.expires_at = case::end(bytes).unwrap_or(code.expires_at);
        }
        row.code.take_if(|_| bytes.byte() % 8 == 1);
        case.may_have_a_root(bytes);

        let facts = &mut case.facts;
        facts.client = case::client(bytes);
        facts.authority_tag = case::authority_tag(bytes);
        facts.kid = Kid(bytes.choice(&[20, 19, 21]));
        facts.epoch = EpochNumber(bytes.choice(&[3, 2, 4]));
        facts.verifier = bytes.choice(&CHALLENGES);
        facts.redirect_uri = bytes.choice(&REDIRECT_URIS);
        facts.newest_kid = Kid(bytes.choice(&[21, 20, 19, 255]));

        case.may_be_elsewhere(bytes, [5_000, 10_000, 60_000, 3_600_000]);
        case
    }

    /// The owner of a code that was just made presents it, under any policy.
    pub(crate) fn of_code(bytes: &mut Bytes<'_>) -> Self {
        let Case { mut row, root, facts, epoch, client, user, session_ends_at, policy, now } = Case::honest(bytes);
        let expires_at = ROTATED_AT.plus_seconds(60);
        row.generation = Generation::CODE;
        row.idle_expires_at = Some(expires_at);
        row.code = Some(Code {
            challenge: CHALLENGES[0],
            redirect_uri: [0xA1; 16],
            redirect_uri_was_sent: true,
            nonce: None,
            expires_at,
        });
        let facts = RedeemFacts {
            client: facts.client,
            authority_tag: facts.authority_tag,
            kid: facts.kid,
            epoch: facts.epoch,
            verifier: CHALLENGES[0],
            redirect_uri: REDIRECT_URIS[0],
            newest_kid: facts.newest_kid,
        };
        let policy = Policy { code_retry_seconds: bytes.choice(&[0, 5, 10, u32::MAX]), ..policy };
        Self { row, root, facts, epoch, client, user, session_ends_at, policy, now }
    }

    /// What the rule says.
    pub(crate) fn redeem(&self) -> Redemption {
        redeem(&self.row, &self.facts, &self.surroundings(), &self.policy, self.now)
    }

    /// What the rule of refreshes says when the current refresh token is presented.
    pub(crate) fn refresh(&self) -> Decision {
        let honest = Case::honest(&mut Bytes::new(&[]));
        let facts = RefreshFacts {
            generation: self.row.generation,
            kid: self.row.kid,
            epoch: self.row.epoch,
            newest_kid: self.facts.newest_kid,
            ..honest.facts
        };
        let policy = Policy { rotation: RotationMode::Rotate, ..self.policy };
        decide(&self.row, &facts, &self.surroundings(), &policy, self.now)
    }
}
