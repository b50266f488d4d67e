//! Honest clients that refresh without a pause, wherever something fails, and what they are owed.

mod client;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use regrant_crypto::SeededEntropy;
use regrant_grant::GrantId;
use tokio::task::JoinSet;

use crate::history::{History, Judge, Operation, Tokens};
use crate::load::InFlight;
use crate::report::Entry;
use crate::rows::generations;
use crate::waiting::becomes_so;
use client::Client;

/// Where the clients ask.
#[async_trait]
pub(crate) trait Nodes: Send + Sync + 'static {
    /// A refresh by the client of this number, at any node; and the tokens of a 200.
    async fn refresh(&self, client: usize, presented: &Tokens) -> (Operation, Option<Tokens>);
}

/// What all clients of a run have seen, and what is to become of them.
pub(crate) struct Crowd {
    /// How many requests are unanswered.
    pub(crate) in_flight: InFlight,
    seats: Vec<Seat>,
    is_over: AtomicBool,
    /// When something last failed.
    marked_at: AtomicU64,
    unavailable: AtomicUsize,
    violations: Mutex<Vec<String>>,
    judge: Mutex<(Judge, SeededEntropy)>,
}

/// What was not as it has to be.
pub(crate) struct Found {
    /// A client that goes by the rule would have lost its grant, or had a choice of two.
    pub(crate) by_clients: Vec<String>,
    /// What was answered contradicts itself, as it does where a rotation was lost.
    pub(crate) in_histories: Vec<String>,
}

/// What one client has seen.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Its grant.
    pub(crate) grant: GrantId,
    /// The newest generation that it was given.
    generation: AtomicU32,
    answers: AtomicUsize,
    /// How often it was answered 503, or not at all, since the last mark.
    unavailable: AtomicUsize,
    /// When it was answered 200 first since the last mark; 0 while it was not.
    recovered_at: AtomicU64,
    /// A retry was answered with the refresh token it had, and another access token: the rotation was made a second time.
    is_rotated_again: AtomicBool,
}

impl Seat {
    fn new(grant: GrantId, generation: u32) -> Self {
        Self {
            grant,
            generation: AtomicU32::new(generation),
            answers: AtomicUsize::new(0),
            unavailable: AtomicUsize::new(0),
            recovered_at: AtomicU64::new(0),
            is_rotated_again: AtomicBool::new(false),
        }
    }

    /// The newest generation that it was given.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::SeqCst)
    }

    /// How often it was answered 200.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// How often it was answered 503, or not at all, since the last mark.
    pub(crate) fn unavailable(&self) -> usize {
        self.unavailable.load(Ordering::SeqCst)
    }

    /// When it was answered 200 first since the last mark.
    pub(crate) fn recovered_at(&self) -> Option<u64> {
        Some(self.recovered_at.load(Ordering::SeqCst)).filter(|at| *at > 0)
    }

    /// Whether a rotation that it was given was made a second time, because the first was lost and its client retried.
    pub(crate) fn is_rotated_again(&self) -> bool {
        self.is_rotated_again.load(Ordering::SeqCst)
    }
}

impl Crowd {
    /// One client for each of these logins, which begins at once.
    pub(crate) fn start(nodes: &Arc<dyn Nodes>, logins: Vec<Tokens>, seed: u64) -> (Arc<Self>, JoinSet<()>) {
        let seats = logins.iter().map(|tokens| Seat::new(tokens.grant, tokens.generation())).collect();
        let crowd = Arc::new(Self::new(seats, seed));
        let clients = logins.into_iter().zip(seed..).enumerate().map(|(number, (tokens, seed))| {
            Client::new(number, Arc::clone(nodes), Arc::clone(&crowd), tokens, seed).live()
        });
        let clients = clients.collect();
        (crowd, clients)
    }

    fn new(seats: Vec<Seat>, seed: u64) -> Self {
        Self {
            in_flight: InFlight::default(),
            seats,
            is_over: AtomicBool::new(false),
            marked_at: AtomicU64::new(0),
            unavailable: AtomicUsize::new(0),
            violations: Mutex::default(),
            judge: Mutex::new((Judge::default(), SeededEntropy::new(seed))),
        }
    }

    /// What each client has seen.
    pub(crate) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// Watches from this moment on which clients are served.
    pub(crate) fn mark(&self, at: u64) {
        self.marked_at.store(at, Ordering::SeqCst);
        for seat in &self.seats {
            seat.unavailable.store(0, Ordering::SeqCst);
            seat.recovered_at.store(0, Ordering::SeqCst);
        }
    }

    /// A client was given the tokens of a generation at this moment.
    fn refreshed(&self, client: usize, generation: u32, at: u64) {
        let seat = &self.seats[client];
        seat.generation.fetch_max(generation, Ordering::SeqCst);
        seat.answers.fetch_add(1, Ordering::SeqCst);
        if at > self.marked_at.load(Ordering::SeqCst) {
            let _ = seat.recovered_at.compare_exchange(0, at, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// A client was given the refresh token that it had, with another access token.
    fn saw_rotation_again(&self, client: usize) {
        self.seats[client].is_rotated_again.store(true, Ordering::SeqCst);
    }

    /// A client was answered 503, or not at all.
    fn saw_unavailable(&self, client: usize) {
        self.seats[client].unavailable.fetch_add(1, Ordering::SeqCst);
        self.unavailable.fetch_add(1, Ordering::SeqCst);
    }

    /// How many answers were 503.
    fn all_unavailable(&self) -> usize {
        self.unavailable.load(Ordering::SeqCst)
    }

    /// How many answers were 200.
    fn all_answers(&self) -> usize {
        self.seats.iter().map(Seat::answers).sum()
    }

    /// Waits until every client was served since the last mark; how many were not when it took too long.
    pub(crate) async fn recovers(&self) -> Result<(), usize> {
        let left = || self.seats.iter().filter(|seat| seat.recovered_at().is_none()).count();
        if becomes_so(|| left() == 0).await { Ok(()) } else { Err(left()) }
    }

    /// The clients that were given a generation which their rows have not come to. `select` asks the database.
    pub(crate) fn losers(&self, select: impl FnOnce(&str) -> String) -> Vec<&Seat> {
        // Before the rows: what is acknowledged meanwhile is in them.
        let given: Vec<u32> = self.seats.iter().map(Seat::generation).collect();
        let rows = generations(select);
        let is_lost = |seat: &Seat, given: u32| rows.get(&seat.grant).is_none_or(|generation| *generation < given);
        self.seats.iter().zip(given).filter(|(seat, given)| is_lost(seat, *given)).map(|(seat, _)| seat).collect()
    }

    /// Ends the clients, and adds what they have seen to a result; what was not as it has to be.
    pub(crate) async fn close(&self, mut clients: JoinSet<()>, entry: &mut Entry) -> Found {
        self.end();
        let mut by_clients = Vec::new();
        while let Some(ended) = clients.join_next().await {
            by_clients.extend(ended.err().map(|error| format!("a client ended: {error}")));
        }
        entry.add("clients", self.seats.len());
        entry.add("answers_200", self.all_answers());
        entry.add("answers_503_or_none", self.all_unavailable());
        let (judge, _) = &*self.judge();
        judge.describe(entry);
        by_clients.extend(self.violations());
        let mut in_histories = judge.violations();
        let again = self.seats.iter().filter(|seat| seat.is_rotated_again());
        in_histories.extend(again.map(|seat| format!("a rotation was made a second time: {seat:?}")));
        Found { by_clients, in_histories }
    }

    /// Something was not as it has to be.
    fn violate(&self, what: String) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What was not as it has to be.
    fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Judges what was asked of a grant.
    pub(crate) fn hear(&self, history: &History) {
        let (judge, chance) = &mut *self.judge();
        judge.hear(history, chance);
    }

    /// What was found out about histories.
    fn judge(&self) -> MutexGuard<'_, (Judge, SeededEntropy)> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets every client come to its end.
    fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Whether clients are to come to their end.
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}
