use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::sync::Notify;

use crate::timer::Timer;

/// How long whatever is due waits at most for more that is due: to be woken for each request costs as much as sending it, and the server
/// lacks what the load takes. The wait counts, as all latency is counted from when a request was due.
const GATHERING_MICROSECONDS: u64 = 500;

/// Wakes the chains of a load when their requests are due, by one timer for all.
pub(crate) struct Alarms {
    timer: Timer,
    bells: Vec<Notify>,
    /// When each chain that waits is to be woken, the next one first.
    waiting: RefCell<BinaryHeap<Reverse<(Duration, usize)>>>,
    /// Somebody is to be woken before all others.
    has_new_first: Notify,
}

impl Alarms {
    /// For so many chains.
    pub(crate) fn new(chains: usize) -> io::Result<Self> {
        Ok(Self {
            timer: Timer::new()?,
            bells: (0..chains).map(|_| Notify::new()).collect(),
            waiting: RefCell::default(),
            has_new_first: Notify::new(),
        })
    }

    /// Lets `chain` wait until `due`, while [`Alarms::ring`] is running: to its end, and once at a time for each chain.
    pub(crate) async fn wait(&self, chain: usize, due: Duration) {
        self.waiting.borrow_mut().push(Reverse((due, chain)));
        if self.first() == Some(due) {
            self.has_new_first.notify_one();
        }
        self.bells[chain].notified().await;
    }

    /// Wakes whoever is due by the clock `now`, for ever.
    pub(crate) async fn ring(&self, now: impl Fn() -> Duration) -> io::Result<Infallible> {
        let gathering = Duration::from_micros(GATHERING_MICROSECONDS);
        let mut not_before = Duration::ZERO;
        loop {
            let Some(first) = self.first() else {
                self.has_new_first.notified().await;
                continue;
            };
            let (due, now) = (first.max(not_before), now());
            if due <= now {
                self.wake_all_due(now);
                not_before = now + gathering;
                continue;
            }
            tokio::select! {
                biased;
                () = self.has_new_first.notified() => {}
                waited = self.timer.wait(due - now) => waited?,
            }
        }
    }

    fn first(&self) -> Option<Duration> {
        self.waiting.borrow().peek().map(|Reverse((due, _))| *due)
    }

    fn wake_all_due(&self, now: Duration) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(first) = waiting.peek_mut().filter(|first| first.0.0 <= now) {
            let Reverse((_, chain)) = PeekMut::pop(first);
            self.bells[chain].notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::task::yield_now;
    use tokio::time::{Instant, timeout};

    use super::*;

    fn milliseconds(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[tokio::test]
    async fn chains_are_woken_when_they_are_due_and_not_before() {
        let alarms = Alarms::new(4).unwrap();
        let origin = Instant::now();
        let chain = |chain, due| {
            let alarms = &alarms;
            async move {
                alarms.wait(chain, due).await;
                assert!(origin.elapsed() >= due, "chain {chain} is early");
            }
        };
        let (last, first) = (chain(0, milliseconds(6)), chain(1, milliseconds(2)));
        let (middle, with_it) = (chain(2, milliseconds(4)), chain(3, milliseconds(4)));
        tokio::select! {
            _ = async { tokio::join!(last, first, middle, with_it) } => {}
            failed = alarms.ring(|| origin.elapsed()) => panic!("{failed:?}"),
        }
        assert_eq!(alarms.first(), None);
    }

    #[tokio::test]
    async fn whoever_comes_before_all_that_wait_is_not_overslept() {
        let alarms = Alarms::new(2).unwrap();
        let now = Cell::new(Duration::ZERO);
        let woken = async {
            tokio::select! {
                () = alarms.wait(0, Duration::from_secs(1_000)) => panic!("it is not due"),
                () = async {
                    // The timer of the first is set by now.
                    for _ in 0..10 {
                        yield_now().await;
                    }
                    now.set(milliseconds(5));
                    alarms.wait(1, milliseconds(5)).await;
                } => {}
            }
        };
        tokio::select! {
            woken = timeout(Duration::from_secs(100), woken) => woken.expect("the timer of the first is not waited for"),
            failed = alarms.ring(|| now.get()) => panic!("{failed:?}"),
        }
    }
}
