use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use regrant_crypto::{SeededEntropy, random};
use tokio::task::JoinSet;

use super::change::Change;
use crate::history::{Call, History, Operation, Outcome, Tokens};
use crate::world::{Login, Origin, World};

/// How many refreshes present the same token while the change is made.
const REFRESHES_AT_ONCE: usize = 8;
/// The same, where a refusal costs an Argon2id call.
const SLOW_REFRESHES_AT_ONCE: usize = 4;
/// The most waves of refreshes before the change.
const WAVES_BEFORE_MAX: u8 = 3;

/// What one round found out.
pub(crate) struct Round {
    /// What was asked and answered.
    pub(crate) history: History,
    /// How many refreshes were answered 200.
    pub(crate) answers: usize,
    /// How many refreshes were under way while the change was.
    pub(crate) overlap: usize,
    /// How many refreshes began after the change was answered, and were refused.
    pub(crate) refused_late: usize,
    /// Refreshes that began after the change was answered, and were answered 200.
    pub(crate) violations: Vec<String>,
}

/// Begins a grant, refreshes, makes the change while refreshes are in flight, and goes on refreshing.
pub(crate) async fn run(world: Arc<World>, origin: Origin, change: Change, seed: u64) -> Result<Round> {
    let [waves, place, pauses, ..] = random::<8>(&SeededEntropy::new(seed));
    let login = world.begin(origin).await?;
    let generation = login.tokens.generation();
    let race = Race {
        world,
        newest: Arc::new(Mutex::new(login.tokens.clone())),
        login,
        change,
        at_once: if change.makes_refusals_slow() { SLOW_REFRESHES_AT_ONCE } else { REFRESHES_AT_ONCE },
    };
    let mut operations = Vec::new();
    for _ in 0..waves % (WAVES_BEFORE_MAX + 1) {
        operations.extend(race.wave(None).await?);
    }
    let place = usize::from(place) % (race.at_once + 1);
    operations.extend(race.wave(Some((place, pauses))).await?);
    operations.push(race.refresh().await);
    Ok(race.judge(History { generation, operations }))
}

#[derive(Clone)]
struct Race {
    world: Arc<World>,
    login: Login,
    change: Change,
    at_once: usize,
    newest: Arc<Mutex<Tokens>>,
}

impl Race {
    /// Refreshes at once, with the change among them: after so many refreshes, and so many turns of others.
    async fn wave(&self, change: Option<(usize, u8)>) -> Result<Vec<Operation>> {
        let mut tasks: JoinSet<Result<Vec<Operation>>> = JoinSet::new();
        let presented = self.newest();
        for turn in 0..=self.at_once {
            let race = self.clone();
            if let Some((place, pauses)) = change
                && turn == place
            {
                tasks.spawn(async move { race.change_and_refresh(pauses).await });
            } else if turn < self.at_once {
                let presented = presented.clone();
                tasks.spawn(async move { Ok(vec![race.refresh_with(&presented).await]) });
            }
        }
        let mut operations = Vec::new();
        while let Some(done) = tasks.join_next().await {
            operations.extend(done??);
        }
        Ok(operations)
    }

    async fn change_and_refresh(&self, pauses: u8) -> Result<Vec<Operation>> {
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        let end = self.world.end(self.change.make(&self.world, &self.login)).await?;
        Ok(vec![end, self.refresh().await])
    }

    /// Refreshes with the newest token that was received.
    async fn refresh(&self) -> Operation {
        self.refresh_with(&self.newest()).await
    }

    async fn refresh_with(&self, presented: &Tokens) -> Operation {
        let (operation, tokens) = self.world.refresh(&self.login, presented).await;
        if let Some(tokens) = tokens {
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            if tokens.generation() > newest.generation() {
                *newest = tokens;
            }
        }
        operation
    }

    fn newest(&self) -> Tokens {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(&self, history: History) -> Round {
        let end = history.operations.iter().find(|operation| operation.call == Call::End);
        let (begun, answered) = end.map_or((0, 0), |end| (end.invoked, end.completed));
        let refreshes = || history.operations.iter().filter(|operation| operation.call != Call::End);
        let is_answered = |operation: &&Operation| matches!(operation.outcome, Outcome::Refreshed(_));
        let late = || refreshes().filter(|operation| operation.invoked > answered);
        let during = refreshes().filter(|operation| operation.invoked < answered && operation.completed > begun);
        Round {
            answers: refreshes().filter(is_answered).count(),
            overlap: during.count(),
            refused_late: late().filter(|operation| operation.outcome == Outcome::Refused).count(),
            violations: late()
                .filter(is_answered)
                .map(|operation| format!("answered 200 after {}: {operation:?}", self.change.name()))
                .collect(),
            history,
        }
    }
}
