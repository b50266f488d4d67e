use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::history::{Operation, Outcome, Tokens};
use crate::world::{Login, World};

/// How many refreshes present the same token at once.
const REFRESHES_AT_ONCE: usize = 64;

/// What one round found out.
pub(crate) struct Round {
    /// What was asked and answered.
    pub(crate) operations: Vec<Operation>,
    /// The one successor.
    pub(crate) successor: Tokens,
    /// How many were answered 200.
    pub(crate) answers: usize,
    /// How many were sent before the first answer.
    pub(crate) overlap: usize,
    /// What was not exactly one rotation.
    pub(crate) violation: Option<String>,
}

/// Presents one current token many times at once.
pub(crate) async fn round(world: &Arc<World>, login: &Login, presented: &Tokens) -> Result<Round> {
    let before = world.row(presented.grant).await?;
    let mut refreshes = JoinSet::new();
    for _ in 0..REFRESHES_AT_ONCE {
        let (world, login, presented) = (Arc::clone(world), login.clone(), presented.clone());
        refreshes.spawn(async move { world.refresh(&login, &presented).await });
    }
    let (mut operations, mut successors) = (Vec::new(), Vec::new());
    while let Some(refresh) = refreshes.join_next().await {
        let (operation, tokens) = refresh?;
        operations.push(operation);
        successors.extend(tokens);
    }
    let after = world.row(presented.grant).await?;

    let successor = successors.first().context("none of many refreshes was answered 200")?.clone();
    let is_one = successors.iter().all(|other| other.refresh_token == successor.refresh_token)
        && operations.iter().all(|operation| operation.outcome == Outcome::Refreshed(successor.successor));
    let is_one_rotation = after.generation.0 == before.generation.0 + 1 && after.version == before.version + 1;
    let violation = (!is_one || !is_one_rotation).then(|| {
        let (generations, versions) = (before.generation.0..=after.generation.0, before.version..=after.version);
        format!("equal answers: {is_one}, generations {generations:?}, versions {versions:?}")
    });
    Ok(Round {
        answers: successors.len(),
        overlap: sent_before_first_answer(&operations),
        operations,
        successor,
        violation,
    })
}

fn sent_before_first_answer(operations: &[Operation]) -> usize {
    let first = operations.iter().map(|operation| operation.completed).min().unwrap_or(0);
    operations.iter().filter(|operation| operation.invoked < first).count()
}
