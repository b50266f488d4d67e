use std::time::Duration;

/// The time that is measured, since the beginning of the load. A request belongs to the window in which it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

impl Window {
    /// What follows the warm-up.
    pub(crate) fn after(warm_up: Duration, length: Duration) -> Self {
        Self { start: warm_up, end: warm_up + length }
    }

    /// Whether a request that was due at `due` is counted.
    pub(crate) fn counts(self, due: Duration) -> bool {
        (self.start..self.end).contains(&due)
    }

    /// The same window, ended at `now` when it was to last longer.
    pub(crate) fn cut(self, now: Duration) -> Self {
        Self { end: self.end.min(now.max(self.start)), ..self }
    }

    pub(crate) fn length(self) -> Duration {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_request_counts_when_it_was_due_in_the_window() {
        let window = Window::after(s(2), s(10));
        for (due, counts) in [(0, false), (1, false), (2, true), (11, true), (12, false)] {
            assert_eq!(window.counts(s(due)), counts, "{due}");
        }
    }

    #[test]
    fn a_window_can_only_become_shorter() {
        let window = Window::after(s(2), s(10));
        for (now, length) in [(1, 0), (2, 0), (5, 3), (12, 10), (20, 10)] {
            assert_eq!(window.cut(s(now)).length(), s(length), "{now}");
        }
    }
}
