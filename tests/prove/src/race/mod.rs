//! Refreshes of one token at once, and changes that end a grant while it is refreshed, in this process.

mod at_once;
mod change;
mod round;

use std::sync::Arc;

use anyhow::Result;
use regrant_crypto::SeededEntropy;
use tokio::task::JoinSet;

use crate::history::{History, Judge, tell};
use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::world::{Carelessness, Origin, StoreKind, World};
use change::Change;
use round::Round;

const KIND: &str = "race";

/// How many rounds run beside each other: enough that the store commits for several at once.
const ROUNDS_AT_ONCE: usize = 6;

/// How many rounds a planted fault has to be found in.
const PLANTED_ROUNDS: usize = 60;

/// Runs every race, each followed by itself with its fault planted; `only` those whose name contains it.
pub(crate) async fn run(scale: Scale, store: StoreKind, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let rounds = match scale {
        Scale::Ci => 200,
        Scale::Night => 1_000,
        Scale::Gate => 10_000,
    };
    for (name, origin) in [(AT_ONCE, Origin::LogIn), (IMPORTED_AT_ONCE, Origin::Import)] {
        if name.contains(only) {
            let race = Race { name, store, rounds, seed, planted: None };
            race.refresh_at_once(origin, report).await?;
            race.with(Carelessness::DecidesOutsideTheStep).refresh_at_once(origin, report).await?;
        }
    }
    for change in Change::ALL.into_iter().filter(|change| change.name().contains(only)) {
        let race = Race { name: change.name(), store, rounds, seed, planted: None };
        race.change_in_flight(change, report).await?;
        race.with(change.planted_fault()).change_in_flight(change, report).await?;
    }
    Ok(())
}

const AT_ONCE: &str = "refresh_at_once";
const IMPORTED_AT_ONCE: &str = "imported_refresh_at_once";

/// Many rounds of the same.
#[derive(Clone, Copy)]
struct Race {
    name: &'static str,
    store: StoreKind,
    rounds: usize,
    seed: u64,
    planted: Option<Carelessness>,
}

impl Race {
    /// The same with a fault that has to be found.
    fn with(self, fault: Carelessness) -> Self {
        Self { rounds: PLANTED_ROUNDS, planted: Some(fault), ..self }
    }

    fn begin(self) -> Entry {
        let mut entry = Entry::begin(KIND, self.name);
        entry.add("store", self.store.name());
        entry
    }

    /// T-10: one token, many refreshes at once, one rotation. Every token of another system is the first of a grant of its own.
    async fn refresh_at_once(self, origin: Origin, report: &mut Report) -> Result<()> {
        let mut entry = self.begin();
        let place = self.store.place()?;
        let world = Arc::new(World::open(place.open().await?, self.planted, None).await?);
        let mut login = world.begin(origin).await?;
        let mut found = Found::new(self.seed);
        let mut presented = login.tokens.clone();
        for round in 0..self.rounds {
            if round > 0 && origin == Origin::Import {
                login = world.begin(origin).await?;
                presented = login.tokens.clone();
            }
            let round = at_once::round(&world, &login, &presented).await?;
            found.violations.extend(round.violation);
            found.answers += round.answers;
            found.overlaps.push(round.overlap);
            let history = History { generation: presented.generation(), operations: round.operations };
            found.judge.hear(&history, &found.chance);
            presented = round.successor;
        }
        entry.add("sent_before_first_answer", median(found.overlaps.clone()));
        found.close(entry, self.rounds, self.planted, report);
        Ok(())
    }

    /// T-15, T-16, T-18: what began after the change was answered is refused. Every second grant was taken over.
    async fn change_in_flight(self, change: Change, report: &mut Report) -> Result<()> {
        let mut entry = self.begin();
        let place = self.store.place()?;
        let world = Arc::new(World::open(place.open().await?, self.planted, None).await?);
        let mut found = Found::new(self.seed);
        let mut running = JoinSet::new();
        for number in 0..self.rounds {
            if running.len() == ROUNDS_AT_ONCE
                && let Some(round) = running.join_next().await
            {
                found.take(round??);
            }
            let origin = if number % 2 == 0 { Origin::LogIn } else { Origin::Import };
            running.spawn(round::run(Arc::clone(&world), origin, change, self.seed.wrapping_add(number as u64)));
        }
        while let Some(round) = running.join_next().await {
            found.take(round??);
        }
        entry.add("in_flight_at_change", median(found.overlaps.clone()));
        entry.add("refused_after_change", found.refused_late);
        found.close(entry, self.rounds, self.planted, report);
        Ok(())
    }
}

/// What the rounds of a race add up to.
struct Found {
    chance: SeededEntropy,
    violations: Vec<String>,
    answers: usize,
    refused_late: usize,
    overlaps: Vec<usize>,
    judge: Judge,
}

impl Found {
    fn new(seed: u64) -> Self {
        Self {
            chance: SeededEntropy::new(seed),
            violations: Vec::new(),
            answers: 0,
            refused_late: 0,
            overlaps: Vec::new(),
            judge: Judge::default(),
        }
    }

    fn take(&mut self, round: Round) {
        self.violations.extend(round.violations);
        self.answers += round.answers;
        self.refused_late += round.refused_late;
        self.overlaps.push(round.overlap);
        self.judge.hear(&round.history, &self.chance);
    }

    /// With a fault planted, finding nothing is the violation.
    fn close(self, mut entry: Entry, rounds: usize, planted: Option<Carelessness>, report: &mut Report) {
        entry.add("answers_200", self.answers);
        self.judge.describe(&mut entry);
        let violations = [self.violations, self.judge.violations()].concat();
        tell(&mut entry, &violations);
        let violations = violations.len();
        let violations = match planted {
            None => violations,
            Some(fault) => {
                entry.add("planted_fault", fault.name());
                entry.add("times_caught", violations);
                usize::from(violations == 0)
            }
        };
        report.close(entry, rounds, violations);
    }
}

/// The middle of what was counted; 0 of nothing.
pub(crate) fn median(mut counts: Vec<usize>) -> usize {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}
