use anyhow::{Context, Result};

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
            (Self::Refresh, Scale::Gate) => 1_000,
            (Self::Revocation, Scale::Ci) => 1,
            (Self::Revocation, Scale::Night) => 10,
            (Self::Revocation, Scale::Gate) => 50,
        }
    }

    /// Cuts a connection in the place of a message of the request, asks again at the other node where nobody knows, and sees that it was
    /// done once.
    pub(super) async fn play(self, site: &mut Site, place: usize) -> Result<Played> {
        match self {
            Self::Refresh => refresh(site, place).await,
            Self::Revocation => revoke(site, place).await,
        }
    }
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Played {
    /// A connection was cut.
    Cut,
    /// It had fewer messages, and was answered.
    Through,
}

async fn refresh(site: &mut Site, place: usize) -> Result<Played> {
    let (login, presented) = (site.login.clone(), site.login.tokens.clone());
    site.way.cut_after(place);
    let (mut first, given) = site.world.refresh_at(BEHIND_WAY, &login, &presented).await;
    let was_cut = site.way.stop_cutting();
    let is_done = site.row(&login).await?.generation.0 != presented.generation();
    let played = judge_end(site, place, was_cut, first.outcome != Outcome::Unknown, is_done);
    let asked_again = site.refresh_until_decided(DIRECT, &login, &presented).await;
    let Some((again, Some(tokens))) = asked_again else {
        let again = asked_again.map(|(again, _)| again);
        site.violations.push(format!("the token is not taken elsewhere: message {place}, {first:?}, {again:?}"));
        site.login = site.log_in().await?;
        return Ok(played);
    };
    if first.outcome == Outcome::Unknown {
        // It may have been done a little later than it was known to be lost, but not after this.
        first.completed = again.completed;
    }
    let row = site.row(&login).await?;
    let mut told = |what: &str| site.violations.push(format!("{what}: message {place}, {first:?}, {again:?}"));
    if given.is_some() && !is_done {
        told("an acknowledged rotation is not in its row");
    }
    if given.is_some_and(|given| given.refresh_token != tokens.refresh_token) {
        told("one token has two successors");
    }
    if row.generation.0 != presented.generation() + 1 {
        told("the row is not one generation further");
    }
    // The node goes on, by other connections.
    let goes_on = site.refresh_until_decided(BEHIND_WAY, &login, &tokens).await;
    let Some((next, Some(newest))) = goes_on else {
        let next = goes_on.map(|(next, _)| next);
        site.violations.push(format!("the node does not go on: message {place}, {next:?}"));
        site.login = site.log_in().await?;
        return Ok(played);
    };
    site.login.tokens = newest;
    site.hear(&History { generation: presented.generation(), operations: vec![first, again, next] });
    Ok(played)
}

async fn revoke(site: &mut Site, place: usize) -> Result<Played> {
    // The node has its connections, and takes the journal for one that answers.
    let before = site.log_in().await?;
    site.revoke_until_decided(BEHIND_WAY, &before).await.context("the node revokes nothing any more")?;
    let login = site.log_in().await?;
    site.way.cut_after(place);
    let answer = site.world.revoke_at(BEHIND_WAY, &login).await;
    let was_cut = site.way.stop_cutting();
    let is_done = site.row(&login).await?.revoked_at.is_some();
    let played = judge_end(site, place, was_cut, answer.is_ok(), is_done);
    if answer.is_err() && site.revoke_until_decided(DIRECT, &login).await.is_none() {
        site.violations.push(format!("a revocation is not done elsewhere: message {place}, {answer:?}"));
    }
    for node in [DIRECT, BEHIND_WAY] {
        let found = site.refresh_until_decided(node, &login, &login.tokens).await.map(|(found, _)| found);
        if found.is_none_or(|found| found.outcome != Outcome::Refused) {
            site.violations.push(format!("a grant that was revoked is alive: message {place}, {found:?}"));
        }
    }
    if site.row(&login).await?.revoked_at.is_none() || !site.is_recorded(&login) {
        site.violations.push(format!("row or journal do not tell of a revocation: message {place}"));
    }
    Ok(played)
}

/// Counts what became of a request. One of which nothing was cut has to be answered.
fn judge_end(site: &mut Site, place: usize, was_cut: bool, is_answered: bool, is_done: bool) -> Played {
    if !was_cut {
        if !is_answered {
            site.violations.push(format!("a request was not answered, and nothing was cut: message {place}"));
        }
        return Played::Through;
    }
    site.counts.cut += 1;
    site.counts.answered += usize::from(is_answered);
    site.counts.unanswered_and_done += usize::from(!is_answered && is_done);
    Played::Cut
}
