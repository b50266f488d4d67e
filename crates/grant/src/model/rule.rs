use regrant_protocol::{ClientId, Kid, Timestamp};

use crate::{AuthorityTag, Decision, Grant, Policy, RefreshFacts, RevokeVerdict, Surroundings, Write, decide, revoke};

/// What the server does with a request, in the places where a fault could be planted.
///
/// Every method has the real thing as its body.
pub trait Rule: Send + Sync {
    /// Decides a refresh.
    fn decide(
        &self,
        row: &Grant,
        facts: &RefreshFacts,
        surroundings: &Surroundings<'_>,
        policy: &Policy,
        now: Timestamp,
    ) -> Decision {
        decide(row, facts, surroundings, policy, now)
    }

    /// Decides a revocation.
    fn revoke(
        &self,
        row: &Grant,
        client: &ClientId,
        authority_tag: AuthorityTag,
        surroundings: &Surroundings<'_>,
        now: Timestamp,
    ) -> (RevokeVerdict, Write) {
        revoke(row, client, authority_tag, surroundings, now)
    }

    /// Whether a restore does again what the journal says has ended since the copy was made.
    fn replays_journal(&self) -> bool {
        true
    }

    /// The master key under which the refresh token of `row` is made for an answer.
    fn answer_kid(&self, row: &Grant, facts: &RefreshFacts) -> Kid {
        let _ = facts;
        row.kid
    }
}

/// The rule itself.
#[derive(Clone, Copy, Debug)]
pub struct RealRule;

impl Rule for RealRule {}
