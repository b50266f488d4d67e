use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::life::Life;
use super::request::{Said, Sent, log_in, refresh, revoke};
use crate::crowd::Nodes;
use crate::history::{Call, Operation, Outcome, Stopwatch, Tokens};
use crate::load::{Connection, Lost};
use crate::waiting::until_decided;

/// How long after an answer that decides nothing a login is asked for again, and for how long.
const ASKED_AGAIN: Duration = Duration::from_millis(20);
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Where the programs listen: the life of each, and the connections to it that nobody uses now.
pub(super) struct Doors {
    stopwatch: Stopwatch,
    turn: AtomicUsize,
    doors: Vec<RwLock<Arc<Door>>>,
    /// How many answers to a refresh were neither tokens nor a refusal.
    unreadable: AtomicUsize,
}

struct Door {
    life: Life,
    idle: Mutex<Vec<Connection>>,
}

impl Doors {
    /// One for each of these lives.
    pub(super) fn new(stopwatch: Stopwatch, lives: Vec<Life>) -> Self {
        let doors = lives.into_iter().map(|life| RwLock::new(Arc::new(Door::new(life)))).collect();
        Self { stopwatch, turn: AtomicUsize::new(0), doors, unreadable: AtomicUsize::new(0) }
    }

    /// A node has begun its next life at this address.
    pub(super) fn replace(&self, node: usize, address: SocketAddr) {
        let door = Arc::new(Door::new(Life::new(address, self.stopwatch, true)));
        *self.doors[node].write().unwrap_or_else(PoisonError::into_inner) = door;
    }

    /// How many answers to a refresh were neither tokens nor a refusal, for which they pass here.
    pub(super) fn unreadable(&self) -> usize {
        self.unreadable.load(Ordering::SeqCst)
    }

    /// Nanoseconds since the fleet was started.
    pub(super) fn now(&self) -> u64 {
        self.stopwatch.nanoseconds()
    }

    /// A login, at one node after the other until one answers.
    pub(super) async fn log_in(&self) -> Result<Tokens> {
        let ask = || async { log_in(&self.next().life).await.transpose() };
        until_decided(ASKED_AGAIN, ANSWERED_WITHIN, ask).await.context("no login was answered")?
    }

    /// A refresh at this node.
    pub(super) async fn refresh_at(&self, node: usize, presented: &Tokens) -> (Operation, Option<Tokens>) {
        self.of(node).refresh(presented, &self.unreadable).await
    }

    /// A revocation at any node.
    pub(super) async fn revoke(&self, presented: &Tokens) -> Operation {
        self.next().revoke(presented).await
    }

    fn next(&self) -> Arc<Door> {
        self.of(self.turn.fetch_add(1, Ordering::Relaxed) % self.doors.len())
    }

    fn of(&self, node: usize) -> Arc<Door> {
        Arc::clone(&self.doors[node].read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Nodes for Doors {
    async fn refresh(&self, _: usize, presented: &Tokens) -> (Operation, Option<Tokens>) {
        self.next().refresh(presented, &self.unreadable).await
    }
}

impl Door {
    fn new(life: Life) -> Self {
        Self { life, idle: Mutex::default() }
    }

    async fn refresh(&self, presented: &Tokens, unreadable: &AtomicUsize) -> (Operation, Option<Tokens>) {
        let call = Call::Refresh(presented.generation());
        let invoked = self.life.now();
        let Ok(mut connection) = self.connection().await else { return (self.unknown(call, invoked), None) };
        let Sent { invoked, completed, answer } = refresh(&self.life, &mut connection, presented).await;
        self.keep(connection, answer.is_ok());
        let (outcome, tokens) = match answer {
            Ok(Said::Refreshed(tokens)) => (Outcome::Refreshed(tokens.successor), Some(tokens)),
            Ok(Said::Refused) => (Outcome::Refused, None),
            Ok(Said::Unreadable) => {
                unreadable.fetch_add(1, Ordering::SeqCst);
                (Outcome::Refused, None)
            }
            Ok(Said::Unavailable) | Err(Lost) => (Outcome::Unknown, None),
        };
        (Operation { invoked, completed, call, outcome }, tokens)
    }

    async fn revoke(&self, presented: &Tokens) -> Operation {
        let invoked = self.life.now();
        let Ok(mut connection) = self.connection().await else { return self.unknown(Call::End, invoked) };
        let Sent { invoked, completed, answer } = revoke(&self.life, &mut connection, presented).await;
        self.keep(connection, answer.is_ok());
        let outcome = if answer == Ok(true) { Outcome::Ended } else { Outcome::Unknown };
        Operation { invoked, completed, call: Call::End, outcome }
    }

    async fn connection(&self) -> Result<Connection, Lost> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.life.connect().await,
        }
    }

    /// Keeps a connection for the next request, unless it was lost.
    fn keep(&self, connection: Connection, is_open: bool) {
        if is_open {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// Nobody was there to be asked.
    fn unknown(&self, call: Call, invoked: u64) -> Operation {
        Operation { invoked, completed: self.life.now(), call, outcome: Outcome::Unknown }
    }
}
