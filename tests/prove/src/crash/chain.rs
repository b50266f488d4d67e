use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use regrant_crypto::{SeededEntropy, random};

use super::life::Life;
use super::request::{Said, Sent, refresh, revoke};
use crate::history::{Call, History, Operation, Outcome, Tokens};
use crate::load::{Connection, Lost};

/// How often in a row a refresh may be answered 503 before that counts as an end of the grant.
const UNAVAILABLE_IN_A_ROW_MAX: u32 = 40;

/// How long to wait after a 503.
const UNAVAILABLE_PAUSE_MILLISECONDS: u64 = 10;

/// How many requests a chain has in flight at most.
const REQUESTS_AT_ONCE_MAX: usize = 2;

/// When an operation was completed of which that is not known yet.
const UNKNOWN_YET: u64 = u64::MAX;

/// An honest client with one grant, from life to life of the server.
#[derive(Debug)]
pub(crate) struct Chain {
    tokens: Tokens,
    history: History,
    /// The last refresh was not answered.
    is_unanswered: bool,
    /// In this life the grant was found as it should be.
    is_proved: bool,
    /// How many operations lie before that moment, and the generation that was current then.
    proved: (usize, u32),
    fate: Fate,
    chance: SeededEntropy,
    violations: Vec<String>,
}

/// What is to become of the grant of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It lives until the end of the run.
    Lives,
    /// Its client revokes it after so many more refreshes.
    WillBeRevoked(u8),
    /// Its revocation was answered 200.
    IsRevoked,
    /// Nothing more is to be asked of it.
    Over,
}

/// Why a chain does not go on in this life.
enum Stop {
    Lost,
    Over,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

impl Chain {
    /// A chain that lives until the end of the run.
    pub(crate) fn new(tokens: Tokens, seed: u64) -> Self {
        let history = History { generation: tokens.generation(), operations: Vec::new() };
        let chance = SeededEntropy::new(seed);
        Self {
            proved: (0, tokens.generation()),
            tokens,
            history,
            is_unanswered: false,
            is_proved: false,
            fate: Fate::Lives,
            chance,
            violations: Vec::new(),
        }
    }

    /// A chain that revokes its grant after some refreshes.
    pub(crate) fn mortal(tokens: Tokens, seed: u64) -> Self {
        let chain = Self::new(tokens, seed);
        let [refreshes] = random(&chain.chance);
        Self { fate: Fate::WillBeRevoked(refreshes % 32), ..chain }
    }

    /// Whether there is more to be asked of it.
    pub(crate) fn goes_on(&self) -> bool {
        self.fate != Fate::Over
    }

    /// What was wrong since this was asked for last.
    pub(crate) fn take_violations(&mut self) -> Vec<String> {
        mem::take(&mut self.violations)
    }

    /// What was asked and answered up to the last proof, or up to the end where nothing more is to be asked.
    pub(crate) fn take_history(&mut self) -> History {
        let (length, generation) = match self.fate {
            Fate::Over => (self.history.operations.len(), self.tokens.generation()),
            Fate::Lives | Fate::WillBeRevoked(_) | Fate::IsRevoked => self.proved,
        };
        let later = self.history.operations.split_off(length);
        self.proved = (0, generation);
        mem::replace(&mut self.history, History { generation, operations: later })
    }

    /// Checks what the last life left, then refreshes until the server is gone.
    pub(crate) async fn live(mut self, life: Arc<Life>) -> Self {
        self.is_proved = false;
        let Err(stop) = self.try_to_live(&life).await;
        if matches!(stop, Stop::Lost) && !life.is_about_to_end() {
            self.violate("the connection was lost, and nobody killed the server");
        }
        if !self.is_proved {
            life.saw_chain();
        }
        self
    }

    /// After the server is dead: what it has not answered by `death` it has done before, or never.
    pub(crate) fn bury(&mut self, death: u64) {
        let unanswered = self.history.operations.iter_mut().rev().take(REQUESTS_AT_ONCE_MAX);
        for operation in unanswered.filter(|operation| operation.completed == UNKNOWN_YET) {
            operation.completed = death.max(operation.invoked);
        }
    }

    async fn try_to_live(&mut self, life: &Life) -> Result<Infallible, Stop> {
        let mut first = life.connect().await?;
        let mut second = life.connect().await?;
        self.prove(life, &mut first, &mut second).await?;
        loop {
            match self.fate {
                Fate::Lives => {}
                Fate::WillBeRevoked(0) => {
                    // Whether it holds is asked in the next life.
                    self.revoke(life, &mut first).await?;
                    return Err(Stop::Over);
                }
                Fate::WillBeRevoked(refreshes) => self.fate = Fate::WillBeRevoked(refreshes - 1),
                Fate::IsRevoked | Fate::Over => return Err(Stop::Over),
            }
            let [choice] = random(&self.chance);
            match choice {
                0..200 => self.refresh(life, &mut first).await?,
                200..228 => self.refresh_twice_at_once(life, &mut first, &mut second).await?,
                228.. => self.refresh_and_retry(life, &mut first).await?,
            }
        }
    }

    /// The last acknowledged successor is accepted; an unanswered refresh, repeated twice, has one successor; a revoked
    /// grant is refused.
    async fn prove(&mut self, life: &Life, first: &mut Connection, second: &mut Connection) -> Result<(), Stop> {
        if self.fate == Fate::IsRevoked {
            return self.prove_revocation(life, first).await;
        }
        if mem::take(&mut self.is_unanswered) {
            let generation = self.tokens.generation();
            self.refresh_twice_at_once(life, first, second).await?;
            if self.tokens.generation() == generation {
                self.refresh(life, first).await?;
            }
            life.proved_retry();
        } else {
            self.refresh(life, first).await?;
            life.proved_acknowledged();
        }
        life.saw_chain();
        self.is_proved = true;
        self.proved = (self.history.operations.len(), self.tokens.generation());
        Ok(())
    }

    /// A grant whose revocation was acknowledged is dead.
    async fn prove_revocation(&mut self, life: &Life, connection: &mut Connection) -> Result<(), Stop> {
        let presented = self.tokens.clone();
        let said = self.ask(life, connection, &presented).await?;
        match said {
            Said::Refused => life.proved_revoked(),
            Said::Unavailable => return Err(Stop::Over),
            Said::Refreshed(_) | Said::Unreadable => self.violate("a grant whose revocation was answered is alive"),
        }
        self.fate = Fate::Over;
        Err(Stop::Over)
    }

    async fn refresh(&mut self, life: &Life, connection: &mut Connection) -> Result<(), Stop> {
        let presented = self.tokens.clone();
        for _ in 0..UNAVAILABLE_IN_A_ROW_MAX {
            let said = self.ask(life, connection, &presented).await?;
            if self.hear(&presented, said)? {
                return Ok(());
            }
            life.saw_unavailable();
            tokio::time::sleep(Duration::from_millis(UNAVAILABLE_PAUSE_MILLISECONDS)).await;
        }
        self.violate("an acknowledged successor is answered 503 again and again");
        self.fate = Fate::Over;
        Err(Stop::Over)
    }

    /// What two tabs do: both answers are the same.
    async fn refresh_twice_at_once(
        &mut self,
        life: &Life,
        first: &mut Connection,
        second: &mut Connection,
    ) -> Result<(), Stop> {
        let presented = self.tokens.clone();
        let (one, other) = tokio::join!(refresh(life, first, &presented), refresh(life, second, &presented));
        let answers = [self.note(&presented, one), self.note(&presented, other)];
        let mut is_lost = false;
        for answer in answers {
            match answer {
                Ok(said) => drop(self.hear(&presented, said)?),
                Err(Lost) => is_lost = true,
            }
        }
        if is_lost { Err(Stop::Lost) } else { Ok(()) }
    }

    /// What a client does that lost an answer: the same token again.
    async fn refresh_and_retry(&mut self, life: &Life, connection: &mut Connection) -> Result<(), Stop> {
        let superseded = self.tokens.clone();
        self.refresh(life, connection).await?;
        let said = self.ask(life, connection, &superseded).await?;
        self.hear(&superseded, said).map(drop)
    }

    async fn ask(&mut self, life: &Life, connection: &mut Connection, presented: &Tokens) -> Result<Said, Lost> {
        let sent = refresh(life, connection, presented).await;
        self.note(presented, sent)
    }

    /// Writes a request and its answer into the history.
    fn note(&mut self, presented: &Tokens, sent: Sent<Said>) -> Result<Said, Lost> {
        let Sent { invoked, completed, answer: said } = sent;
        let (completed, outcome) = match &said {
            Ok(Said::Refreshed(tokens)) => (completed, Outcome::Refreshed(tokens.successor)),
            Ok(Said::Refused) => (completed, Outcome::Refused),
            Ok(Said::Unavailable | Said::Unreadable) => (completed, Outcome::Unknown),
            Err(Lost) => (UNKNOWN_YET, Outcome::Unknown),
        };
        self.is_unanswered |= said.is_err() && presented.generation() == self.tokens.generation();
        let call = Call::Refresh(presented.generation());
        self.history.operations.push(Operation { invoked, completed, call, outcome });
        said
    }

    /// Goes on with what a refresh was answered; `false` when it has to be asked again.
    fn hear(&mut self, presented: &Tokens, said: Said) -> Result<bool, Stop> {
        let violation = match said {
            Said::Unavailable => return Ok(false),
            Said::Refreshed(tokens) => {
                let is_successor = tokens.grant == presented.grant && tokens.generation() == presented.generation() + 1;
                let is_known = tokens.generation() == self.tokens.generation();
                if is_successor && (!is_known || tokens.successor == self.tokens.successor) {
                    if !is_known {
                        self.tokens = tokens;
                        self.is_unanswered = false;
                    }
                    return Ok(true);
                }
                "two refreshes with one token had two successors"
            }
            // A revocation that was not answered may have been done.
            Said::Refused if matches!(self.fate, Fate::WillBeRevoked(0)) => {
                self.fate = Fate::Over;
                return Err(Stop::Over);
            }
            Said::Refused => "an acknowledged successor, or a retry of it, was refused",
            Said::Unreadable => "an answer was neither tokens nor a refusal",
        };
        self.violate(violation);
        self.fate = Fate::Over;
        Err(Stop::Over)
    }

    async fn revoke(&mut self, life: &Life, connection: &mut Connection) -> Result<(), Stop> {
        let Sent { invoked, completed, answer } = revoke(life, connection, &self.tokens).await;
        let (completed, outcome) = match answer {
            Ok(true) => (completed, Outcome::Ended),
            Ok(false) => (completed, Outcome::Unknown),
            Err(Lost) => (UNKNOWN_YET, Outcome::Unknown),
        };
        self.history.operations.push(Operation { invoked, completed, call: Call::End, outcome });
        answer?;
        if outcome == Outcome::Ended {
            self.fate = Fate::IsRevoked;
        }
        Ok(())
    }

    fn violate(&mut self, what: &str) {
        let (grant, generation) = (self.tokens.grant, self.tokens.generation());
        self.violations.push(format!("{what} (grant {grant}, generation {generation} acknowledged)"));
    }
}
