use std::fmt;

use regrant_protocol::Timestamp;

use crate::standing::{Standing, permit, recognise, standing};
use crate::{CODE_RETRY_SECONDS_MAX, Code, Generation, Grant, Policy, RedeemFacts, Surroundings, Write};

/// Decides the redemption of an authorization code: the same rule for every store.
///
/// A code counts once (RFC 6749 §4.1.2): redeemed again it ends the grant, as its first redemption may have been a thief's.
/// Only a live code in the hands of its client, with its verifier and its redirect URI, comes that far; whatever else is presented
/// changes nothing, and the code stays good for who can prove more. A clock behind the last rotation counts as that rotation.
#[must_use]
pub fn redeem(
    row: &Grant,
    facts: &RedeemFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Redemption {
    let now = now.max(row.rotated_at);
    let (verdict, write) = match judge(row, facts, surroundings, policy, now) {
        Ok(Standing::Current) => {
            let first = Grant {
                generation: Generation::FIRST,
                kid: facts.newest_kid.max(row.kid),
                epoch: surroundings.epoch,
                ..row.used(policy, now)
            };
            (RedeemVerdict::Redeemed, Write::Update(first))
        }
        Ok(Standing::Superseded) => (RedeemVerdict::Retried, Write::Nothing),
        Err(RedeemVerdict::Replayed) => (RedeemVerdict::Replayed, row.end(surroundings.root, now)),
        Err(refusal) => (refusal, Write::Nothing),
    };
    Redemption { verdict, write }
}

/// Whether the code gives tokens: for the first time while it is current, as a retry when it is superseded.
fn judge(
    row: &Grant,
    facts: &RedeemFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Standing, RedeemVerdict> {
    recognise(row, &facts.client, facts.authority_tag)?;
    if row.is_revoked(surroundings.root) {
        return Err(RedeemVerdict::Revoked);
    }
    let grant_lives = row.absolute_expires_at.is_none_or(|end| now < end);
    let code = row.code.as_ref().filter(|code| grant_lives && !code.has_passed(now)).ok_or(RedeemVerdict::Expired)?;
    let standing = standing(row, Generation::CODE, facts.kid, facts.epoch, surroundings)?;
    // RFC 7636 §4.6; RFC 9700 §4.8.2: a verifier without a challenge is the mark of a downgrade.
    if code.challenge != facts.verifier {
        return Err(RedeemVerdict::WrongVerifier);
    }
    if !is_redirect_uri_of(code, facts) {
        return Err(RedeemVerdict::WrongRedirectUri);
    }
    if matches!(standing, Standing::Superseded) && !is_retry(row, code, policy, now) {
        return Err(RedeemVerdict::Replayed);
    }
    permit(row, surroundings, now)?;
    Ok(standing)
}

/// RFC 6749 §4.1.3; with PKCE the parameter may be left out, as OAuth 2.1 has done away with it.
fn is_redirect_uri_of(code: &Code, facts: &RedeemFacts) -> bool {
    match facts.redirect_uri {
        Some(redirect_uri) => redirect_uri == code.redirect_uri,
        None => !code.redirect_uri_was_sent || code.challenge.is_some(),
    }
}

/// The verifier, which was compared, proves the sender of the first try; that the generation is the first says that its refresh
/// token is unused. Where a refresh leaves the generation as it is, the window and the code's end are the only bounds.
fn is_retry(row: &Grant, code: &Code, policy: &Policy, now: Timestamp) -> bool {
    let window_seconds = policy.code_retry_seconds.min(CODE_RETRY_SECONDS_MAX);
    row.generation == Generation::FIRST
        && code.challenge.is_some()
        && now.milliseconds_since(row.rotated_at) < i64::from(window_seconds) * 1000
}

/// A verdict on a redemption, and what has to be written before anybody hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redemption {
    /// What became of the redemption.
    pub verdict: RedeemVerdict,
    /// What is written.
    pub write: Write,
}

/// What became of the redemption of a code. Code, metrics, logs, audit and pages use these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedeemVerdict {
    /// The first tokens were issued.
    Redeemed,
    /// The same sender presents the code again in time: it gets the same tokens, and nothing is written.
    Retried,
    /// A code that was redeemed before: the grant is revoked.
    Replayed,
    /// Not a code of ours by its form.
    Malformed,
    /// A tag that we did not make.
    Forged,
    /// No row of this name.
    UnknownGrant,
    /// A code of another client.
    WrongClient,
    /// A code of an epoch that the store does not know: the database is older than its tokens.
    RolledBack,
    /// A code of an earlier epoch or of another master key: refused, and nothing changes.
    DeadEpoch,
    /// Its end has come, or there never was one.
    Expired,
    /// The verifier is not that of the challenge, is missing, or has no challenge.
    WrongVerifier,
    /// Not the redirect URI that the code was sent to, or none where one is due.
    WrongRedirectUri,
    /// The grant was revoked, or a cutoff or the end of the login session ended it.
    Revoked,
    /// The user is disabled, locked or removed.
    UserDisabled,
    /// The client is disabled or removed.
    ClientDisabled,
    /// Nothing was decided: try again.
    Unavailable,
}

impl RedeemVerdict {
    /// Every verdict.
    pub const ALL: [Self; 16] = [
        Self::Redeemed,
        Self::Retried,
        Self::Replayed,
        Self::Malformed,
        Self::Forged,
        Self::UnknownGrant,
        Self::WrongClient,
        Self::RolledBack,
        Self::DeadEpoch,
        Self::Expired,
        Self::WrongVerifier,
        Self::WrongRedirectUri,
        Self::Revoked,
        Self::UserDisabled,
        Self::ClientDisabled,
        Self::Unavailable,
    ];

    /// The name of the verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::Retried => "retried",
            Self::Replayed => "replayed",
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::UnknownGrant => "unknown_grant",
            Self::WrongClient => "wrong_client",
            Self::RolledBack => "rolled_back",
            Self::DeadEpoch => "dead_epoch",
            Self::Expired => "expired",
            Self::WrongVerifier => "wrong_verifier",
            Self::WrongRedirectUri => "wrong_redirect_uri",
            Self::Revoked => "revoked",
            Self::UserDisabled => "user_disabled",
            Self::ClientDisabled => "client_disabled",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether tokens are given.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Redeemed | Self::Retried)
    }
}

impl fmt::Display for RedeemVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_own_name_and_place() {
        let mut names: Vec<_> = RedeemVerdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RedeemVerdict::ALL.len());
        assert!(RedeemVerdict::ALL.iter().all(|verdict| verdict.to_string() == verdict.as_str()));
        assert!(RedeemVerdict::ALL.windows(2).all(|pair| pair[0] < pair[1]), "in the order of the enum, each once");
    }
}
