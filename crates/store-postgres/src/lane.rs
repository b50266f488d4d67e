use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use regrant_protocol::EpochNumber;
use regrant_store::{Rule, Step, StoreError, Target};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::yield_now;

use crate::alone::{self, grant_of};
use crate::ending_lane::{BeingEnded, EndingLane};
use crate::pool::Pool;
use crate::store_clock::StoreClock;
use crate::together::{self, take_different};

/// The most steps that are decided and committed together.
pub const STEPS_TOGETHER_MAX: usize = 256;

/// The most steps that wait; those that come then are refused.
pub const WAITING_STEPS_MAX: usize = 4096;

/// How many turns of the runtime a lane lets pass before it begins, in which others may hand steps over: a busy node has more of them in a
/// batch, and an idle one takes its turns in microseconds.
const GATHERING_TURNS: u32 = 3;

/// Where steps wait: those on one grant always in the same lane, one after another. As many lanes as there are connections for
/// steps, so that no grant has two of them; and one more for what ends something, where that has to wait for a journal.
pub(crate) struct Lanes {
    queues: Vec<UnboundedSender<Waiting>>,
    places: Arc<Semaphore>,
    hasher: RandomState,
    turn: AtomicUsize,
}

impl Lanes {
    /// Starts so many lanes, which use the connections of `pool`; with `ending` another, which uses those for what ends something. They
    /// end when they have nothing to do and this was dropped.
    pub(crate) fn start(
        count: usize,
        pool: &Arc<Pool>,
        ending: Option<&Arc<Pool>>,
        clock: &StoreClock,
        epoch: EpochNumber,
    ) -> Self {
        let lane = |pool: &Arc<Pool>, ending| Lane { pool: Arc::clone(pool), clock: clock.clone(), epoch, ending };
        let ending = ending.map(|pool| EndingLane::new(start(lane(pool, None))));
        Self {
            queues: (0..count).map(|_| start(lane(pool, ending.clone()))).collect(),
            places: Arc::new(Semaphore::new(WAITING_STEPS_MAX)),
            hasher: RandomState::new(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Runs a step in its turn, and answers when what it wrote is durable. It is done even when nobody waits for it any more.
    pub(crate) async fn run(&self, step: Step) -> Result<(), StoreError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| StoreError::Overloaded(WAITING_STEPS_MAX))?;
        let Step { target, begin_before, rule } = step;
        let (answer, answered) = oneshot::channel();
        let lane = self.lane_of(&target);
        let waiting = Waiting { target, begin_before, rule, answer, being_ended: None, _place: place };
        // Where nobody serves, it is dropped, and so is its answer.
        let _ = self.queues[lane].send(waiting);
        let ended = || StoreError::Unavailable("the store has ended; start the process again".to_owned());
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    fn lane_of(&self, target: &Target) -> usize {
        let number = match grant_of(target) {
            Some(grant) => self.hasher.hash_one(grant),
            None => self.turn.fetch_add(1, Ordering::Relaxed) as u64,
        };
        let lane = number % self.queues.len() as u64;
        usize::try_from(lane).expect("it is less than a length")
    }
}

/// A step in its lane.
pub(crate) struct Waiting {
    pub(crate) target: Target,
    pub(crate) begin_before: Option<Instant>,
    pub(crate) rule: Rule,
    /// Where it was handed over, that its grant is being ended.
    pub(crate) being_ended: Option<BeingEnded>,
    answer: oneshot::Sender<Result<(), StoreError>>,
    _place: OwnedSemaphorePermit,
}

impl Waiting {
    /// Fails when it is too late to decide this step: its sender may have given up, and sent the same again.
    pub(crate) fn in_time(&self, clock: &StoreClock) -> Result<(), StoreError> {
        let is_late = self.begin_before.is_some_and(|latest| clock.monotonic() > latest);
        if is_late { Err(StoreError::TooLate) } else { Ok(()) }
    }

    /// Tells what became of it.
    pub(crate) fn answer(self, outcome: Result<(), StoreError>) {
        // Whoever gave up waiting does not need the answer; what was written stays.
        let _ = self.answer.send(outcome);
    }
}

/// What a lane works with.
pub(crate) struct Lane {
    pub(crate) pool: Arc<Pool>,
    pub(crate) clock: StoreClock,
    pub(crate) epoch: EpochNumber,
    /// Where a step goes on that ends something; `None` where it does so here.
    pub(crate) ending: Option<EndingLane>,
}

impl Lane {
    async fn serve(self, mut queue: UnboundedReceiver<Waiting>) {
        let mut waiting = Vec::new();
        while let Some(first) = queue.recv().await {
            waiting.push(first);
            for _ in 0..GATHERING_TURNS {
                yield_now().await;
            }
            while !waiting.is_empty() {
                while let Ok(next) = queue.try_recv() {
                    waiting.push(next);
                }
                let steps = take_different(&mut waiting, STEPS_TOGETHER_MAX);
                self.run(steps).await;
            }
        }
    }

    /// Runs steps on different grants. Those on a grant that is being ended elsewhere would wait for its row: they go there too.
    async fn run(&self, steps: Vec<Waiting>) {
        let mut here = Vec::new();
        for step in steps {
            match self.ending.as_ref().filter(|ending| ending.is_ending(&step.target)) {
                Some(ending) => ending.take(step),
                None => here.push(step),
            }
        }
        for step in together::run(self, here).await {
            alone::run(self, step).await;
        }
    }
}

fn start(lane: Lane) -> UnboundedSender<Waiting> {
    let (queue, waiting) = unbounded_channel();
    tokio::spawn(lane.serve(waiting));
    queue
}
