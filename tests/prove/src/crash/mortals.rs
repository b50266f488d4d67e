use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regrant_grant::GrantId;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::doors::Doors;
use crate::crowd::{Crowd, Nodes as _};
use crate::history::{History, Operation, Outcome, Tokens};
use crate::world::NODES;

/// How long after an answer that decides nothing it is asked again.
const ASKED_AGAIN: Duration = Duration::from_millis(20);

/// How long it may take until something is decided, the start of all nodes included.
const DECIDED_WITHIN: Duration = Duration::from_secs(90);

/// Clients that revoke their grants while nodes die: each refreshes some times, revokes at any node until that is answered, and is then
/// refused at every node.
pub(super) struct Mortals {
    doors: Arc<Doors>,
    crowd: Arc<Crowd>,
    /// The grants whose revocation was answered.
    revoked: Arc<Mutex<Vec<GrantId>>>,
    living: JoinSet<Result<(), String>>,
}

/// One of them.
struct Mortal {
    doors: Arc<Doors>,
    tokens: Tokens,
    history: History,
}

/// What it asks.
#[derive(Clone, Copy, Debug)]
enum Request {
    Refresh,
    Revocation,
    RefreshAt(usize),
}

impl Mortals {
    /// None yet. Their histories are judged with those of the crowd.
    pub(super) fn new(doors: Arc<Doors>, crowd: Arc<Crowd>) -> Self {
        Self { doors, crowd, revoked: Arc::default(), living: JoinSet::new() }
    }

    /// One more, which revokes its grant after so many refreshes.
    pub(super) fn admit(&mut self, tokens: Tokens, refreshes: u8) {
        let history = History { generation: tokens.generation(), operations: Vec::new() };
        let mut mortal = Mortal { doors: Arc::clone(&self.doors), tokens, history };
        let (crowd, revoked) = (Arc::clone(&self.crowd), Arc::clone(&self.revoked));
        self.living.spawn(async move {
            let ended = mortal.live(refreshes, &revoked).await;
            crowd.hear(&mortal.history);
            ended
        });
    }

    /// The grants whose revocation was answered.
    pub(super) fn revoked(&self) -> Vec<GrantId> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until each has come to its end; what was not as it has to be.
    pub(super) async fn end(&mut self) -> Vec<String> {
        let ended = mem::take(&mut self.living).join_all().await;
        ended.into_iter().filter_map(Result::err).collect()
    }
}

impl Mortal {
    async fn live(&mut self, refreshes: u8, revoked: &Mutex<Vec<GrantId>>) -> Result<(), String> {
        for _ in 0..refreshes {
            match self.ask(Request::Refresh).await? {
                (Outcome::Refreshed(_), Some(tokens)) => self.tokens = tokens,
                (other, _) => return Err(self.told(&format!("a refresh was answered {other:?}"))),
            }
        }
        self.ask(Request::Revocation).await?;
        revoked.lock().unwrap_or_else(PoisonError::into_inner).push(self.tokens.grant);
        for node in 0..NODES {
            let (outcome, _) = self.ask(Request::RefreshAt(node)).await?;
            if outcome != Outcome::Refused {
                return Err(self.told("a grant whose revocation was answered is alive"));
            }
        }
        Ok(())
    }

    /// Asks until something is decided.
    async fn ask(&mut self, request: Request) -> Result<(Outcome, Option<Tokens>), String> {
        let decided = timeout(DECIDED_WITHIN, self.ask_until_decided(request)).await;
        decided.map_err(|_| self.told(&format!("{request:?} was not answered")))
    }

    async fn ask_until_decided(&mut self, request: Request) -> (Outcome, Option<Tokens>) {
        let first = self.history.operations.len();
        loop {
            let (operation, tokens) = self.ask_once(request).await;
            self.history.operations.push(operation);
            if operation.outcome != Outcome::Unknown {
                // What was not decided for all that was told may have been committed a little later, but not after this.
                for before in &mut self.history.operations[first..] {
                    before.completed = before.completed.max(operation.completed);
                }
                return (operation.outcome, tokens);
            }
            sleep(ASKED_AGAIN).await;
        }
    }

    async fn ask_once(&self, request: Request) -> (Operation, Option<Tokens>) {
        match request {
            Request::Refresh => self.doors.refresh(0, &self.tokens).await,
            Request::Revocation => (self.doors.revoke(&self.tokens).await, None),
            Request::RefreshAt(node) => self.doors.refresh_at(node, &self.tokens).await,
        }
    }

    fn told(&self, what: &str) -> String {
        format!("{what} (grant {}, generation {} acknowledged)", self.tokens.grant, self.tokens.generation())
    }
}
