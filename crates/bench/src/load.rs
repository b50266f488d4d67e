use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::alarms::Alarms;
use crate::pace::Place;
use crate::process::cpu_time;
use crate::tally::Tally;
use crate::window::Window;
use crate::{Chain, Connection, Endpoint, Heard, Lost, Measured, Memory, Pace, Processes};

/// The most chains of a load, each with a connection.
pub const CONNECTIONS_MAX: usize = 100_000;
/// How long answers are waited for, and what was due is still sent, after the measured time.
pub const GRACE_SECONDS: u64 = 10;
/// How long a chain waits before it connects again after a failure.
const RECONNECT_PAUSE_MILLISECONDS: u64 = 10;

/// What a server is asked, how fast and how long.
pub struct Load {
    /// Where connections go.
    pub endpoint: Endpoint,
    /// At most [`CONNECTIONS_MAX`].
    pub chains: Vec<Box<dyn Chain>>,
    /// When requests are due.
    pub pace: Pace,
    /// How long requests are sent before they are counted.
    pub warm_up: Duration,
    /// How long they are counted.
    pub length: Duration,
    /// The processes whose use of processor and memory is told.
    pub server: Option<Processes>,
}

/// Why there is nothing measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There are none, or too many.
    #[error("a load has 1 to {CONNECTIONS_MAX} chains, and this has {0}")]
    Chains(usize),
    /// A connection could not be made at the beginning.
    #[error("connection {number} of {all} could not be made: {lost}; see that the server listens and takes as many")]
    Connect {
        /// Counted from 1.
        number: usize,
        /// How many were to be made.
        all: usize,
        /// Why.
        lost: Lost,
    },
    /// This process gets no timers or sockets.
    #[error("the load cannot be run: {0}; see how many files this process may open")]
    Io(#[from] io::Error),
}

/// Runs a load to its end, on the thread that calls.
///
/// # Errors
/// [`LoadError`]; failures after the beginning are counted instead.
pub fn run(load: Load) -> Result<Measured, LoadError> {
    if load.chains.is_empty() || load.chains.len() > CONNECTIONS_MAX {
        return Err(LoadError::Chains(load.chains.len()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, measure(load))
}

/// What all chains of a load share.
struct Shared {
    endpoint: Endpoint,
    pace: Pace,
    alarms: Alarms,
    origin: Instant,
    window: Cell<Window>,
    tally: RefCell<Tally>,
    /// A chain has nothing to send any more, and what follows is another load.
    is_exhausted: Notify,
}

impl Shared {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// What a chain has to do next: its number, and when it was due.
#[derive(Default)]
struct Progress {
    number: Cell<u64>,
    in_flight: Cell<Option<Duration>>,
}

async fn measure(load: Load) -> Result<Measured, LoadError> {
    let Load { endpoint, chains, pace, warm_up, length, server } = load;
    let all = chains.len();
    let mut connected = Vec::with_capacity(all);
    for (number, chain) in chains.into_iter().enumerate() {
        let connection = Connection::open(&endpoint).await;
        let connection = connection.map_err(|lost| LoadError::Connect { number: number + 1, all, lost })?;
        connected.push((chain, connection));
    }
    let shared = Rc::new(Shared {
        endpoint,
        pace,
        alarms: Alarms::new(all)?,
        origin: Instant::now(),
        window: Cell::new(Window::after(warm_up, length)),
        tally: RefCell::new(Tally::new()),
        is_exhausted: Notify::new(),
    });
    let (mut talking, mut progress) = (JoinSet::new(), Vec::with_capacity(all));
    for (place, (chain, connection)) in connected.into_iter().enumerate() {
        let own = Rc::<Progress>::default();
        progress.push(Rc::clone(&own));
        let talk = Talk { shared: Rc::clone(&shared), place: Place { chain: place, chains: all }, progress: own };
        talking.spawn_local(talk.on(chain, connection));
    }

    let Watched { server_cpu, own_cpu, server_memory } = tokio::select! {
        watched = watch(&shared, server.as_ref(), &mut talking) => watched,
        failed = shared.alarms.ring(|| shared.now()) => {
            let Err(error) = failed;
            return Err(error.into());
        }
    };
    let (window, now) = (shared.window.get(), shared.now());
    let mut tally = shared.tally.borrow_mut();
    for (place, progress) in progress.iter().enumerate() {
        let Some(in_flight) = progress.in_flight.get() else { continue };
        let place = Place { chain: place, chains: all };
        let behind_it = pace.due_before(place, progress.number.get() + 1, window.end);
        tally.unanswered(window, [in_flight].into_iter().chain(behind_it), now);
    }
    Ok(Measured {
        length: window.length(),
        latency: tally.latency.clone(),
        answered: tally.answered,
        failed_latency: tally.failed_latency.clone(),
        failures: tally.failures.clone(),
        with_retry_after: tally.with_retry_after,
        server_cpu,
        server_memory,
        own_cpu,
    })
}

/// What processes used in the window.
struct Watched {
    server_cpu: Option<Duration>,
    own_cpu: Duration,
    server_memory: Option<Memory>,
}

/// Lets the chains talk to their end, or until nobody waits for them any more, and looks at what processes use meanwhile.
async fn watch(shared: &Shared, server: Option<&Processes>, talking: &mut JoinSet<()>) -> Watched {
    let Window { start, end } = shared.window.get();
    let usage = || (server.map(Processes::cpu_time), cpu_time());
    sleep_until(shared.origin + start).await;
    let before = usage();
    let began = shared.now();
    tokio::select! {
        () = sleep_until(shared.origin + end) => {}
        () = shared.is_exhausted.notified() => shared.window.set(shared.window.get().cut(shared.now())),
    }
    let after = usage();
    let looked_at = shared.now() - began;
    let server_memory = server.map(Processes::memory);

    let window = shared.window.get();
    let patience = shared.origin + window.end + Duration::from_secs(GRACE_SECONDS);
    let all_ended = async { while talking.join_next().await.is_some() {} };
    let _ended_in_time = timeout_at(patience, all_ended).await;
    talking.shutdown().await;
    // Both were looked at a little later than the window says, and at the same moment.
    let in_window = |used: Duration| used.mul_f64(window.length().as_secs_f64() / looked_at.as_secs_f64().max(1e-9));
    Watched {
        server_cpu: before.0.zip(after.0).map(|(before, after)| in_window(after.saturating_sub(before))),
        own_cpu: in_window(after.1.saturating_sub(before.1)),
        server_memory,
    }
}

/// The part of a load that one chain is.
struct Talk {
    shared: Rc<Shared>,
    place: Place,
    progress: Rc<Progress>,
}

impl Talk {
    async fn on(self, mut chain: Box<dyn Chain>, connection: Connection) {
        let Self { shared, place, progress } = self;
        let mut connection = Some(connection);
        let mut request = Vec::new();
        for number in 0.. {
            let due = match shared.pace.due(place, number) {
                Some(due) => due,
                None => shared.now(),
            };
            if due >= shared.window.get().end {
                break;
            }
            progress.number.set(number);
            if due > shared.now() {
                shared.alarms.wait(place.chain, due).await;
            }
            progress.in_flight.set(Some(due));
            if !chain.next(&mut request) {
                progress.in_flight.set(None);
                shared.is_exhausted.notify_one();
                break;
            }
            let ended = ask(&shared, &mut connection, &mut *chain, &request, due).await;
            progress.in_flight.set(None);
            if ended {
                break;
            }
        }
    }
}

/// Sends one request, counts what comes of it, and tells whether the chain has ended.
async fn ask(
    shared: &Shared,
    connection: &mut Option<Connection>,
    chain: &mut dyn Chain,
    request: &[u8],
    due: Duration,
) -> bool {
    let asked = async {
        let open = match connection {
            Some(open) => open,
            None => connection.insert(Connection::open(&shared.endpoint).await?),
        };
        open.exchange(request, |answer| (chain.hear(answer), answer.says_when_to_retry)).await
    };
    let asked = asked.await;
    let next = shared.count(asked, due);
    let is_spent = connection.as_ref().is_some_and(Connection::is_spent);
    if is_spent {
        *connection = None;
    }
    if matches!(next, After::Pause) {
        tokio::time::sleep(Duration::from_millis(RECONNECT_PAUSE_MILLISECONDS)).await;
    }
    matches!(next, After::End)
}

/// What a chain does after an answer, or without one.
enum After {
    GoOn,
    /// There was no answer.
    Pause,
    End,
}

impl Shared {
    fn count(&self, asked: Result<(Heard, bool), Lost>, due: Duration) -> After {
        let (window, now) = (self.window.get(), self.now());
        let mut tally = self.tally.borrow_mut();
        let (kind, says_when, after) = match asked {
            Ok((Heard::Good, _)) => {
                tally.good(window, due, now);
                return After::GoOn;
            }
            Ok((Heard::Failed(kind), says_when)) => (kind, says_when, After::GoOn),
            Ok((Heard::Ended(kind), says_when)) => (kind, says_when, After::End),
            Err(lost) => (lost.to_string(), false, After::Pause),
        };
        tally.failed(window, due, now, &kind, says_when);
        after
    }
}
