use anyhow::Result;

use super::site::{BEHIND_WAY, DIRECT, Site};
use crate::history::{History, Outcome};
use crate::scale::Scale;

/// A request that is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// A refresh, of one grant again and again.
    Refresh,
    /// A revocation, each of a grant of its own, which the journal has to tell of too.
    Revocation,
}

impl Scene {
    /// Every one.
    pub(super) const ALL: [Self; 2] = [Self::Refresh, Self::Revocation];

    /// Its name in reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Revocation => "revocation",
        }
    }

    /// How often each of its messages is cut off. Each time that it is one to the journal, the node leaves that alone for a second.
    pub(super) const fn times(self, scale: Scale) -> usize {
        match (self, scale) {
            (Self::Refresh, Scale::Ci) => 5,
            (Self::Refresh, Scale::Night) => 50,
            (Self::Refresh, Scale::Gate) => 500,
            (Self::Revocation, Scale::Ci) => 1,
            (Self::Revocation, Scale::Night) => 10,
            (Self::Revocation, Scale::Gate) => 50,
        }
    }

    /// Cuts a connection in the place of a message of the request, asks again at the other node where nobody knows, and sees that it was
    /// done once; whether the request had so many messages.
    pub(super) async fn play(self, site: &mut Site, place: usize) -> Result<bool> {
        match self {
            Self::Refresh => refresh(site, place).await,
            Self::Revocation => revoke(site, place).await,
        }
    }
}

async fn refresh(site: &mut Site, place: usize) -> Result<bool> {
    let (login, presented) = (site.login.clone(), site.login.tokens.clone());
    site.way.cut_after(place);
    let (mut first, given) = site.world.refresh_at(BEHIND_WAY, &login, &presented).await;
    let was_cut = site.way.carry();
    let moved = site.row(&login).await?.generation.0 != presented.generation();
    count(site, was_cut, first.outcome == Outcome::Unknown, moved);
    let (again, tokens) = site.refresh_until_decided(DIRECT, &login, &presented).await;
    first.completed = again.completed;
    let row = site.row(&login).await?;
    let mut told = |what: &str| site.violations.push(format!("{what}: message {place}, {first:?}, {again:?}"));
    let Some(tokens) = tokens else {
        told("the same token was refused elsewhere");
        site.login = site.log_in().await?;
        return Ok(was_cut);
    };
    if given.is_some() && !moved {
        told("an acknowledged rotation is not in its row");
    }
    if given.is_some_and(|given| given.refresh_token != tokens.refresh_token) {
        told("one token has two successors");
    }
    if row.generation.0 != presented.generation() + 1 {
        told("the row is not one generation further");
    }
    // The node goes on, by other connections.
    let (next, newest) = site.refresh_until_decided(BEHIND_WAY, &login, &tokens).await;
    match newest {
        Some(newest) => site.login.tokens = newest,
        None => {
            site.violations.push(format!("the node does not go on: message {place}, {next:?}"));
            site.login = site.log_in().await?;
        }
    }
    site.hear(&History { generation: presented.generation(), operations: vec![first, again, next] });
    Ok(was_cut)
}

async fn revoke(site: &mut Site, place: usize) -> Result<bool> {
    // The node has its connections, and takes the journal for one that answers.
    let before = site.log_in().await?;
    site.revoke_until_decided(BEHIND_WAY, &before).await?;
    let login = site.log_in().await?;
    site.way.cut_after(place);
    let answer = site.world.revoke_at(BEHIND_WAY, &login).await;
    let was_cut = site.way.carry();
    let is_revoked = site.row(&login).await?.revoked_at.is_some();
    count(site, was_cut, answer.is_err(), is_revoked);
    if answer.is_err()
        && let Err(error) = site.revoke_until_decided(DIRECT, &login).await
    {
        site.violations.push(format!("a revocation is not done elsewhere: message {place}, {error:#}"));
    }
    for node in [DIRECT, BEHIND_WAY] {
        let (found, _) = site.refresh_until_decided(node, &login, &login.tokens).await;
        if found.outcome != Outcome::Refused {
            site.violations.push(format!("a grant that was revoked is alive: message {place}, {found:?}"));
        }
    }
    if site.row(&login).await?.revoked_at.is_none() || !site.is_recorded(&login) {
        site.violations.push(format!("row or journal do not tell of a revocation: message {place}"));
    }
    Ok(was_cut)
}

fn count(site: &mut Site, was_cut: bool, is_unanswered: bool, is_done: bool) {
    site.cuts += usize::from(was_cut);
    site.answered += usize::from(was_cut && !is_unanswered);
    site.unanswered += usize::from(is_unanswered);
    site.unanswered_and_done += usize::from(is_unanswered && is_done);
}
