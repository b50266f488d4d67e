use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::history::{Operation, Outcome};
use crate::world::{Login, Origin, World};

/// How many grants are revoked while a primary fails.
const REVOCATIONS: u64 = 32;

/// How long after the one before each is asked for, so that some are answered before the failure, and some are under way.
const APART: Duration = Duration::from_millis(1);

/// How long after an answer that decides nothing it is asked for again.
const ASKED_AGAIN: Duration = Duration::from_millis(20);

/// How long a revocation may take, the failure included.
const REVOKED_WITHIN: Duration = Duration::from_secs(40);

/// Grants that are revoked while the primary fails, each by a client that asks until it is answered.
pub(super) struct Revocations(JoinSet<Result<Login>>);

impl Revocations {
    /// Grants that are there to be revoked.
    pub(super) async fn prepare(world: &World) -> Result<Vec<Login>> {
        let mut logins = Vec::new();
        for _ in 0..REVOCATIONS {
            logins.push(world.begin(Origin::LogIn).await?);
        }
        Ok(logins)
    }

    /// Begins to revoke them, one after another.
    pub(super) fn begin(world: &Arc<World>, logins: Vec<Login>) -> Self {
        let mut pause = Duration::ZERO;
        let tasks = logins.into_iter().map(|login| {
            let (world, begins) = (Arc::clone(world), pause);
            pause += APART;
            async move {
                sleep(begins).await;
                let revoke = async {
                    while world.revoke(&login).await.is_err() {
                        sleep(ASKED_AGAIN).await;
                    }
                };
                timeout(REVOKED_WITHIN, revoke).await.context("a revocation was not answered")?;
                Ok(login)
            }
        });
        Self(tasks.collect())
    }

    /// Waits until all are answered.
    pub(super) async fn end(mut self) -> Result<Vec<Login>> {
        let mut revoked = Vec::new();
        while let Some(login) = self.0.join_next().await {
            revoked.push(login??);
        }
        Ok(revoked)
    }
}

/// How many of these grants are not known as ended, by their rows or by what their tokens are answered: none may be.
pub(super) async fn alive(world: &World, revoked: &[Login]) -> Result<usize> {
    let mut alive = 0;
    for login in revoked {
        let answer = async {
            loop {
                let (Operation { outcome, .. }, _) = world.refresh(login, &login.tokens).await;
                if outcome != Outcome::Unknown {
                    return outcome;
                }
                sleep(ASKED_AGAIN).await;
            }
        };
        let outcome = timeout(REVOKED_WITHIN, answer).await.context("a revoked token was not answered")?;
        let row = world.row(login.tokens.grant).await?;
        alive += usize::from(outcome != Outcome::Refused || row.revoked_at.is_none());
    }
    Ok(alive)
}
