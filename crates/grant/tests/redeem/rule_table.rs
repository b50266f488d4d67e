use regrant_grant::{AuthorityTag, Code, Generation, Grant, Party, RedeemVerdict, Redemption, Write};
use regrant_protocol::Timestamp;

use crate::case::Case;

/// One row of the rule: it applies when no row above it does.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    applies: fn(&Case) -> bool,
    verdict: RedeemVerdict,
    write: fn(&Case) -> Write,
}

/// The rule as the design words it, from the first question to the last. Every case meets a row.
pub(crate) static RULES: [Rule; 25] = [
    // Who asks?
    rule("a code of another client", |c| c.facts.client != c.row.client, RedeemVerdict::WrongClient, nothing),
    rule("a tag that nobody can check", |c| tag(c) == AuthorityTag::Unverifiable, RedeemVerdict::RolledBack, nothing),
    rule("a tag of a forgotten epoch", |c| tag(c) == AuthorityTag::Forgotten, RedeemVerdict::DeadEpoch, nothing),
    rule("a tag that was not made here", |c| tag(c) == AuthorityTag::Invalid, RedeemVerdict::Forged, nothing),
    // Has it ended?
    rule("the grant was revoked", |c| c.row.revoked_at.is_some(), RedeemVerdict::Revoked, nothing),
    rule("its family was revoked", |c| c.root.iter().any(|r| r.revoked_at.is_some()), RedeemVerdict::Revoked, nothing),
    rule("no code, or none any more", |c| c.row.code.is_none(), RedeemVerdict::Expired, nothing),
    rule("at the code's end", |c| now(c) >= code(c).expires_at, RedeemVerdict::Expired, nothing),
    rule(
        "at the grant's end",
        |c| c.row.absolute_expires_at.is_some_and(|e| now(c) >= e),
        RedeemVerdict::Expired,
        nothing,
    ),
    // Of which life of the store is it?
    rule("the row is newer than its store", |c| c.row.epoch > c.epoch, RedeemVerdict::RolledBack, nothing),
    rule("nothing was made since a restore", |c| c.row.epoch < c.epoch, RedeemVerdict::DeadEpoch, nothing),
    rule("the code of another key", |c| !redeemed(c) && c.facts.kid != c.row.kid, RedeemVerdict::DeadEpoch, nothing),
    rule(
        "the code of another life",
        |c| !redeemed(c) && c.facts.epoch != c.row.epoch,
        RedeemVerdict::DeadEpoch,
        nothing,
    ),
    // Is it in the right hands?
    rule("another verifier, or none", |c| pkce(c) && !verified(c), RedeemVerdict::WrongVerifier, nothing),
    rule("a verifier of nothing", |c| !pkce(c) && c.facts.verifier.is_some(), RedeemVerdict::WrongVerifier, nothing),
    rule("another redirect URI", elsewhere, RedeemVerdict::WrongRedirectUri, nothing),
    rule("a redirect URI is missing", |c| unsaid(c) && owes_uri(c), RedeemVerdict::WrongRedirectUri, nothing),
    // Is it for the first time?
    rule("redeemed before", |c| redeemed(c) && !may_retry(c), RedeemVerdict::Replayed, end),
    // Is it still allowed?
    rule("the client is gone", |c| gone(c.client), RedeemVerdict::ClientDisabled, nothing),
    rule("the user is gone", |c| gone(c.user), RedeemVerdict::UserDisabled, nothing),
    rule("the client was cut off", |c| cut_off(c.client, c.row.client_cutoff), RedeemVerdict::Revoked, nothing),
    rule("the user was cut off", |c| cut_off(c.user, c.row.user_cutoff), RedeemVerdict::Revoked, nothing),
    rule("its login session is over", |c| c.row.session.is_some() && !logged_in(c), RedeemVerdict::Revoked, nothing),
    // Then it is done.
    rule("retry", redeemed, RedeemVerdict::Retried, nothing),
    rule("redeem", |_| true, RedeemVerdict::Redeemed, first_tokens),
];

/// The row that `case` meets first, and what it says.
pub(crate) fn expected(case: &Case) -> (&'static Rule, Redemption) {
    let rule = RULES.iter().find(|rule| (rule.applies)(case)).expect("the last row always applies");
    (rule, Redemption { verdict: rule.verdict, write: (rule.write)(case) })
}

const fn rule(
    name: &'static str,
    applies: fn(&Case) -> bool,
    verdict: RedeemVerdict,
    write: fn(&Case) -> Write,
) -> Rule {
    Rule { name, applies, verdict, write }
}

/// A clock behind the last rotation counts as that rotation.
fn now(c: &Case) -> Timestamp {
    c.now.max(c.row.rotated_at)
}

fn tag(c: &Case) -> AuthorityTag {
    c.facts.authority_tag
}

fn code(c: &Case) -> &Code {
    c.row.code.as_ref().expect("a row without code was met above")
}

fn redeemed(c: &Case) -> bool {
    c.row.generation.0 >= 1
}

fn pkce(c: &Case) -> bool {
    code(c).challenge.is_some()
}

fn verified(c: &Case) -> bool {
    c.facts.verifier.is_some_and(|verifier| code(c).challenge == Some(verifier))
}

fn elsewhere(c: &Case) -> bool {
    c.facts.redirect_uri.is_some_and(|uri| uri != code(c).redirect_uri)
}

fn unsaid(c: &Case) -> bool {
    c.facts.redirect_uri.is_none()
}

/// RFC 6749 §4.1.3 asks for the URI again where it was sent; OAuth 2.1 has PKCE instead.
fn owes_uri(c: &Case) -> bool {
    code(c).redirect_uri_was_sent && !pkce(c)
}

/// The refresh token of the redemption is unused, the sender has proved itself, and the client's window of 10 seconds at most is
/// open.
fn may_retry(c: &Case) -> bool {
    let window_seconds = i64::from(c.policy.code_retry_seconds).min(10);
    c.row.generation.0 == 1 && pkce(c) && now(c) < c.row.rotated_at.plus_seconds(window_seconds)
}

fn gone(party: Option<Party>) -> bool {
    !party.is_some_and(|party| party.enabled)
}

fn cut_off(party: Option<Party>, cutoff_at_birth: u32) -> bool {
    party.is_some_and(|party| party.cutoff != cutoff_at_birth)
}

fn logged_in(c: &Case) -> bool {
    c.session_ends_at.is_some_and(|end| now(c) < end)
}

fn nothing(_: &Case) -> Write {
    Write::Nothing
}

/// The family ends at its root.
fn end(c: &Case) -> Write {
    let family = c.root.as_ref().unwrap_or(&c.row);
    Write::Update(Grant { version: family.version + 1, revoked_at: Some(now(c)), ..family.clone() })
}

/// The code stays, so that its replay is known; the grant's end stays, as it is counted from the approval.
fn first_tokens(c: &Case) -> Write {
    Write::Update(Grant {
        version: c.row.version + 1,
        generation: Generation(1),
        kid: c.row.kid.max(c.facts.newest_kid),
        epoch: c.epoch,
        rotated_at: now(c),
        access_lifetime: c.policy.access_lifetime,
        idle_expires_at: c.policy.idle_lifetime.end(now(c)),
        ..c.row.clone()
    })
}
