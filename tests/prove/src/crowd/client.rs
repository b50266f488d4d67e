use std::mem;
use std::sync::Arc;
use std::time::Duration;

use regrant_crypto::{SeededEntropy, random};
use tokio::time::sleep;

use super::{Crowd, Nodes};
use crate::history::{History, Operation, Outcome, Tokens};

/// How long a client waits after a 503, or no answer.
const UNAVAILABLE_PAUSE: Duration = Duration::from_millis(20);

/// How many operations are judged together, at least.
const OPERATIONS_MIN: usize = 500;

/// An honest client with one grant, which refreshes without a pause and follows the retry rule. There is no quiet time for it:
/// every request is answered, or its node is dead and decides nothing any more.
pub(crate) struct Client {
    number: usize,
    nodes: Arc<dyn Nodes>,
    crowd: Arc<Crowd>,
    tokens: Tokens,
    history: History,
    /// Which operations were answered 503, or not at all, since the last 200.
    undecided: Vec<usize>,
    chance: SeededEntropy,
}

/// Its grant is not what it was promised to be, or the run is over.
struct Stop;

impl Client {
    /// One that was just logged in, with its number in the crowd.
    pub(crate) fn new(number: usize, nodes: Arc<dyn Nodes>, crowd: Arc<Crowd>, tokens: Tokens, seed: u64) -> Self {
        let history = History { generation: tokens.generation(), operations: Vec::new() };
        let chance = SeededEntropy::new(seed);
        Self { number, nodes, crowd, tokens, history, undecided: Vec::new(), chance }
    }

    /// Refreshes until the crowd comes to its end.
    pub(crate) async fn live(mut self) {
        while !self.crowd.is_over() {
            let [choice] = random(&self.chance);
            let done = match choice {
                0..200 => self.refresh().await,
                200..228 => self.refresh_twice_at_once().await,
                228.. => self.refresh_and_retry().await,
            };
            if done.is_err() {
                break;
            }
            if self.history.operations.len() >= OPERATIONS_MIN && self.undecided.is_empty() {
                self.be_judged();
            }
        }
        self.be_judged();
    }

    /// Presents the newest token until it is answered.
    async fn refresh(&mut self) -> Result<(), Stop> {
        let presented = self.tokens.clone();
        self.present(&presented).await
    }

    async fn present(&mut self, presented: &Tokens) -> Result<(), Stop> {
        loop {
            let answer = self.ask(presented).await;
            if self.hear(presented, answer)? {
                return Ok(());
            }
            if self.crowd.is_over() {
                return Err(Stop);
            }
            sleep(UNAVAILABLE_PAUSE).await;
        }
    }

    /// What two tabs do: both answers are the same.
    async fn refresh_twice_at_once(&mut self) -> Result<(), Stop> {
        let presented = self.tokens.clone();
        let (one, other) = tokio::join!(self.ask(&presented), self.ask(&presented));
        let is_answered = [self.hear(&presented, one)?, self.hear(&presented, other)?].contains(&true);
        if is_answered { Ok(()) } else { self.present(&presented).await }
    }

    /// What a client does that lost an answer: the same token again.
    async fn refresh_and_retry(&mut self) -> Result<(), Stop> {
        let superseded = self.tokens.clone();
        self.present(&superseded).await?;
        self.present(&superseded).await
    }

    async fn ask(&self, presented: &Tokens) -> (Operation, Option<Tokens>) {
        let _unanswered = self.crowd.in_flight.enter();
        self.nodes.refresh(self.number, presented).await
    }

    /// Goes on with what a refresh was answered; `false` when it has to be asked again.
    fn hear(&mut self, presented: &Tokens, (operation, tokens): (Operation, Option<Tokens>)) -> Result<bool, Stop> {
        self.history.operations.push(operation);
        let Some(tokens) = tokens else {
            if operation.outcome == Outcome::Refused {
                return Err(self.violate("an acknowledged successor, or a retry of it, was refused"));
            }
            self.undecided.push(self.history.operations.len() - 1);
            self.crowd.saw_unavailable(self.number);
            return Ok(false);
        };
        // What was not decided for all that was told may have been committed a little later, and has happened by now if it ever does.
        for undecided in mem::take(&mut self.undecided) {
            let before = &mut self.history.operations[undecided];
            before.completed = before.completed.max(operation.completed);
        }
        let is_successor = tokens.grant == presented.grant && tokens.generation() == presented.generation() + 1;
        let is_known = tokens.generation() == self.tokens.generation();
        if !is_successor || (is_known && tokens.refresh_token != self.tokens.refresh_token) {
            return Err(self.violate("two refreshes with one token had two successors"));
        }
        if is_known && tokens.successor != self.tokens.successor {
            self.crowd.saw_rotation_again(self.number);
        }
        self.crowd.refreshed(self.number, tokens.generation(), operation.completed);
        self.tokens = tokens;
        Ok(true)
    }

    fn be_judged(&mut self) {
        let next = History { generation: self.tokens.generation(), operations: Vec::new() };
        self.undecided.clear();
        self.crowd.hear(&mem::replace(&mut self.history, next));
    }

    fn violate(&self, what: &str) -> Stop {
        let (grant, generation) = (self.tokens.grant, self.tokens.generation());
        self.crowd.violate(format!("{what} (grant {grant}, generation {generation} acknowledged)"));
        Stop
    }
}
