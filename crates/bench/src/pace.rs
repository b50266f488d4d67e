use std::time::Duration;

/// When requests are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each chain sends its next request when it has its answer.
    AsAnswered,
    /// So many a second from all chains together, whatever was answered.
    Rate(f64),
}

/// One chain among others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Counted from 0.
    pub(crate) chain: usize,
    /// How many there are.
    pub(crate) chains: usize,
}

impl Pace {
    /// When request `number` (from 0) of a chain is due, since the beginning of the load; `None` where it is due when the chain is
    /// free.
    ///
    /// The requests of all chains are evenly spaced: chains take turns.
    pub(crate) fn due(self, place: Place, number: u64) -> Option<Duration> {
        let Self::Rate(per_second) = self else { return None };
        let before = number as f64 * place.chains as f64 + place.chain as f64;
        Some(Duration::from_secs_f64(before / per_second))
    }

    /// When each request of a chain is due from `number` on, before `end`.
    pub(crate) fn due_before(self, place: Place, number: u64, end: Duration) -> impl Iterator<Item = Duration> {
        (number..).map_while(move |number| self.due(place, number)).take_while(move |due| *due < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(times: impl Iterator<Item = Duration>) -> Vec<u128> {
        times.map(|due| due.as_millis()).collect()
    }

    #[test]
    fn chains_take_turns_at_a_rate() {
        let pace = Pace::Rate(100.0);
        let end = Duration::from_millis(100);
        for (chain, chains, number, expected) in [
            (0, 1, 0, vec![0, 10, 20, 30, 40, 50, 60, 70, 80, 90]),
            (0, 4, 0, vec![0, 40, 80]),
            (1, 4, 0, vec![10, 50, 90]),
            (3, 4, 0, vec![30, 70]),
            (3, 4, 1, vec![70]),
            (3, 4, 2, vec![]),
        ] {
            let place = Place { chain, chains };
            assert_eq!(milliseconds(pace.due_before(place, number, end)), expected, "{chain} of {chains}");
        }
    }

    #[test]
    fn without_a_rate_nothing_is_due_by_itself() {
        let place = Place { chain: 0, chains: 1 };
        assert_eq!(Pace::AsAnswered.due(place, 0), None);
        assert_eq!(Pace::AsAnswered.due_before(place, 0, Duration::MAX).count(), 0);
    }
}
