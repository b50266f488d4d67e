use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regrant_protocol::Clock;
use tokio::sync::Notify;

use crate::failures::{FailureKey, Failures};

/// Lets tries at once wait for each other: while those before are being checked, nobody knows whether they are failures, and an
/// honest crowd that knows its password is not to be refused for its size.
pub(crate) struct Turns {
    open: Mutex<HashMap<FailureKey, u32>>,
    settled: Notify,
}

/// A try that is charged and being checked. It is settled when this is dropped; what was no failure is given back before.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    key: FailureKey,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { open: Mutex::new(HashMap::new()), settled: Notify::new() }
    }

    /// Charges a try of `key`, after others that are being checked where they have taken what is left of the budget. When none
    /// of them is open any more and it is still spent, says after how many seconds the next try is allowed.
    pub(crate) async fn take(&self, failures: &Failures, key: FailureKey, clock: &dyn Clock) -> Result<Turn<'_>, u32> {
        loop {
            let settled = self.settled.notified();
            {
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                match failures.charge(&[key], clock.monotonic()) {
                    Ok(()) => {
                        *open.entry(key).or_default() += 1;
                        return Ok(Turn { turns: self, key });
                    }
                    Err(wait) if !open.contains_key(&key) => return Err(wait),
                    Err(_) => {}
                }
            }
            settled.await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut open = self.turns.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
        self.turns.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use regrant_protocol::{ManualClock, Timestamp};

    use super::*;
    use crate::failures::FAILURE_BURST;

    #[tokio::test]
    async fn a_crowd_waits_its_turn_and_is_let_in_or_refused_by_what_became_of_those_before() {
        for is_right in [true, false] {
            let (turns, failures) = (Arc::new(Turns::new()), Arc::new(Failures::new()));
            let clock = ManualClock::new(Timestamp::from_seconds(0));
            let key = FailureKey::user([192, 0, 2, 1].into(), "alice");
            let mut open = Vec::new();
            for _ in 0..FAILURE_BURST {
                open.push(turns.take(&failures, key, &clock).await.ok().unwrap());
            }
            let mut next = Box::pin(turns.take(&failures, key, &clock));
            tokio::select! {
                biased;
                _ = &mut next => panic!("nobody knows yet"),
                () = tokio::task::yield_now() => {}
            }
            for turn in open {
                if is_right {
                    failures.give_back(&[key]);
                }
                drop(turn);
            }
            assert_eq!(next.await.is_ok(), is_right);
        }
    }
}
