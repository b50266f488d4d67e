use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use regrant_grant::GrantId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::origin;
use super::pair::Pair;
use crate::history::{Operation, Outcome};
use crate::world::{Login, World};
use crate::{rows, waiting};

/// How many grants are revoked while a primary fails.
const REVOCATIONS: usize = 64;

/// How many revocations are answered before a primary fails. They are made one after another, so that the others are under way then.
const ANSWERED_BEFORE_FAILURE: usize = 8;

/// How long after an answer that decides nothing it is asked again.
const ASKED_AGAIN: Duration = Duration::from_millis(20);

/// How long an answer may take that decides something, the failure included.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// Grants that are there to be revoked.
pub(super) struct Prepared(Vec<Login>);

/// Grants that are revoked all at once, each by a client that asks until it is answered.
pub(super) struct Revocations {
    clients: JoinSet<Option<Login>>,
    answered: watch::Receiver<usize>,
}

impl Revocations {
    /// Makes grants to revoke.
    pub(super) async fn prepare(world: &Arc<World>) -> Result<Prepared> {
        let begin = |number| {
            let world = Arc::clone(world);
            let origin = origin(number);
            // A node that has just met another server may not decide anything yet.
            async move { until_decided(|| async { world.begin(origin).await.ok() }).await }
        };
        let mut beginning: JoinSet<_> = (0..REVOCATIONS).map(begin).collect();
        let mut logins = Vec::new();
        while let Some(login) = beginning.join_next().await {
            logins.push(login?.context("nobody can log in")?);
        }
        Ok(Prepared(logins))
    }

    /// Waits until some are answered, and the others under way; how many are.
    pub(super) async fn are_under_way(&mut self) -> Result<usize> {
        let some = timeout(ANSWERED_WITHIN, self.answered.wait_for(|answered| *answered >= ANSWERED_BEFORE_FAILURE));
        Ok(*some.await.context("nothing was revoked before the failure")??)
    }

    /// Waits until all are answered: those that were, and how many were not.
    pub(super) async fn end(mut self) -> (Vec<Login>, usize) {
        let mut revoked = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            revoked.extend(client.ok().flatten());
        }
        let unanswered = REVOCATIONS - revoked.len();
        (revoked, unanswered)
    }
}

impl Prepared {
    /// Begins to revoke them.
    pub(super) fn go(self, world: &Arc<World>) -> Revocations {
        let (answers, answered) = watch::channel(0);
        let answers = Arc::new(answers);
        let clients = self.0.into_iter().map(|login| {
            let (world, answers) = (Arc::clone(world), Arc::clone(&answers));
            async move {
                until_decided(|| async { world.revoke(&login).await.ok() }).await?;
                answers.send_modify(|answered| *answered += 1);
                Some(login)
            }
        });
        Revocations { clients: clients.collect(), answered }
    }
}

/// How many revoked tokens are taken: none may be.
pub(super) async fn taken(world: &World, revoked: &[Login]) -> Result<usize> {
    let mut taken = 0;
    for login in revoked {
        let refresh = || async {
            let (Operation { outcome, .. }, _) = world.refresh(login, &login.tokens).await;
            (outcome != Outcome::Unknown).then_some(outcome)
        };
        let outcome = until_decided(refresh).await.context("a revoked token was not answered")?;
        taken += usize::from(outcome != Outcome::Refused);
    }
    Ok(taken)
}

/// Asks until the answer decides something; `None` when that takes too long.
async fn until_decided<T, Answer: Future<Output = Option<T>>>(ask: impl Fn() -> Answer) -> Option<T> {
    waiting::until_decided(ASKED_AGAIN, ANSWERED_WITHIN, ask).await
}

/// How many of these grants are alive by their rows at the server that was promoted.
pub(super) fn alive(pair: &Pair, revoked: &[Login]) -> usize {
    let grants: Vec<GrantId> = revoked.iter().map(|login| login.tokens.grant).collect();
    rows::alive(&grants, |select| pair.promoted(select))
}
