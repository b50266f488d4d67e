use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::window::Window;

/// The longest latency that is told apart from longer ones, in seconds.
const LATENCY_SECONDS_MAX: u64 = 600;
const DIGITS: u8 = 3;

/// What became of the requests of a window.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Of good answers, in nanoseconds since their requests were due.
    pub(crate) latency: Histogram<u64>,
    /// How many good answers came while the window lasted, whenever they were due.
    pub(crate) answered: u64,
    /// Of all other answers.
    pub(crate) failed_latency: Histogram<u64>,
    /// How many of each kind of failure.
    pub(crate) failures: BTreeMap<String, u64>,
    /// How many failures said when to come again.
    pub(crate) with_retry_after: u64,
}

/// The kind of a failure: a request that was due, and has no answer at the end.
pub(crate) const UNANSWERED: &str = "unanswered at the end";

impl Tally {
    pub(crate) fn new() -> Self {
        let histogram = || {
            let histogram = Histogram::new_with_bounds(1, LATENCY_SECONDS_MAX * 1_000_000_000, DIGITS);
            histogram.expect("the bounds are in order")
        };
        let (latency, failed_latency) = (histogram(), histogram());
        Self { latency, answered: 0, failed_latency, failures: BTreeMap::new(), with_retry_after: 0 }
    }

    /// A good answer at `now` to what was due at `due`.
    pub(crate) fn good(&mut self, window: Window, due: Duration, now: Duration) {
        self.answered += u64::from(window.counts(now));
        if window.counts(due) {
            self.latency.saturating_record(nanoseconds(now.saturating_sub(due)));
        }
    }

    /// Any other end at `now` of what was due at `due`.
    pub(crate) fn failed(&mut self, window: Window, due: Duration, now: Duration, kind: &str, says_when: bool) {
        if !window.counts(due) {
            return;
        }
        self.failed_latency.saturating_record(nanoseconds(now.saturating_sub(due)));
        self.with_retry_after += u64::from(says_when);
        match self.failures.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.failures.insert(kind.to_owned(), 1)),
        }
    }

    /// Those that were due and have no answer when nobody waits any more: they took at least as long as until `now`.
    pub(crate) fn unanswered(&mut self, window: Window, dues: impl Iterator<Item = Duration>, now: Duration) {
        for due in dues {
            self.failed(window, due, now, UNANSWERED, false);
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pace;
    use crate::pace::Place;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Rounded, as the histogram keeps three digits.
    fn milliseconds_at(histogram: &Histogram<u64>, quantile: f64) -> f64 {
        (histogram.value_at_quantile(quantile) as f64 / 1e6).round()
    }

    /// What is counted of one chain at 100 a second, when the server answers each request in one millisecond, but stands still
    /// from 50 to 550 ms.
    fn one_chain_and_a_server_that_stands_still(window: Window) -> Tally {
        let mut tally = Tally::new();
        let mut free_at = Duration::ZERO;
        for due in Pace::Rate(100.0).due_before(Place { chain: 0, chains: 1 }, 0, window.end) {
            let sent = due.max(free_at);
            free_at = if (ms(50)..ms(550)).contains(&sent) { ms(551) } else { sent + ms(1) };
            tally.good(window, due, free_at);
        }
        tally
    }

    #[test]
    fn an_answer_after_the_window_is_none_of_its_rate() {
        let window = Window { start: ms(100), end: ms(200) };
        let mut tally = Tally::new();
        for (due, now) in [(90, 99), (90, 100), (110, 120), (150, 200), (199, 9_000)] {
            tally.good(window, ms(due), ms(now));
        }
        assert_eq!((tally.answered, tally.latency.len()), (2, 3));
    }

    #[test]
    fn who_waits_for_a_server_that_stands_still_is_counted_from_when_the_request_was_due() {
        let tally = one_chain_and_a_server_that_stands_still(Window::after(ms(0), ms(1_000)));
        assert_eq!(tally.latency.len(), 100);
        // Half of the second nobody was answered: those due then waited for 501, 492, 483, … ms, and not one alone.
        assert_eq!(milliseconds_at(&tally.latency, 0.01), 1.0);
        assert_eq!(milliseconds_at(&tally.latency, 0.9), 411.0);
        assert_eq!(milliseconds_at(&tally.latency, 1.0), 501.0);
        let late = tally.latency.count_between(10_000_000, u64::MAX);
        assert_eq!(late, 55);
    }

    #[test]
    fn what_was_due_in_the_warm_up_is_not_counted() {
        let tally = one_chain_and_a_server_that_stands_still(Window::after(ms(300), ms(700)));
        assert_eq!(tally.latency.len(), 70);
        let mut tally = Tally::new();
        tally.failed(Window::after(ms(300), ms(700)), ms(299), ms(400), "503", true);
        assert!(tally.failures.is_empty() && tally.with_retry_after == 0);
    }

    #[test]
    fn failures_are_counted_by_kind_and_apart_from_good_answers() {
        let window = Window::after(ms(0), ms(1_000));
        let mut tally = Tally::new();
        tally.good(window, ms(1), ms(2));
        tally.failed(window, ms(1), ms(31), "503", true);
        tally.failed(window, ms(2), ms(32), "503", true);
        tally.failed(window, ms(3), ms(4), "400 invalid_grant", false);
        assert_eq!(tally.failures, BTreeMap::from([("503".to_owned(), 2), ("400 invalid_grant".to_owned(), 1)]));
        assert_eq!((tally.latency.len(), tally.failed_latency.len(), tally.with_retry_after), (1, 3, 2));
        assert_eq!(milliseconds_at(&tally.failed_latency, 1.0), 30.0);
    }

    #[test]
    fn what_has_no_answer_at_the_end_waited_at_least_until_then() {
        let window = Window::after(ms(0), ms(100));
        let mut tally = Tally::new();
        let dues = Pace::Rate(100.0).due_before(Place { chain: 0, chains: 1 }, 7, window.end);
        tally.unanswered(window, dues, ms(1_000));
        assert_eq!(tally.failures, BTreeMap::from([(UNANSWERED.to_owned(), 3)]));
        assert_eq!(milliseconds_at(&tally.failed_latency, 1.0), 930.0);
    }
}
