use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::{AuthorizationServer, Overloaded, TokenError};

/// The most calls of clients that are answered at once: what piles up while a disk stands still for some 30 ms under the
/// highest load that it bears. Whoever comes on top would wait for the answers of all of them.
pub const CALLS_MAX: usize = 1_024;

/// The most of them that wait for somebody else: the claims hook of the program around, or a client's old server. One that hangs
/// keeps nobody from what needs neither.
pub const CALLS_ELSEWHERE_MAX: usize = CALLS_MAX / 2;

/// Counts the calls that are being answered, so that load above what can be done is turned away at the door, where it costs
/// least, and what was let in is answered in time.
pub(crate) struct Admission {
    calls: Arc<Semaphore>,
    elsewhere: Semaphore,
}

/// A call that was let in, until this is dropped.
#[derive(Debug)]
pub struct Admitted(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Admission {
    pub(crate) fn new() -> Self {
        Self { calls: Arc::new(Semaphore::new(CALLS_MAX)), elsewhere: Semaphore::new(CALLS_ELSEWHERE_MAX) }
    }

    /// A place for a call that waits for somebody else, until it is dropped; `None` when all are taken.
    pub(crate) fn elsewhere(&self) -> Option<SemaphorePermit<'_>> {
        self.elsewhere.try_acquire().ok()
    }
}

impl AuthorizationServer {
    /// Lets a call of a client in, to be asked once its form was read, and to be held until its answer is made.
    ///
    /// # Errors
    /// [`Overloaded::Calls`], when [`CALLS_MAX`] others are being answered. It is no event: [`AuthorizationServer::turned_away`]
    /// counts them.
    pub fn admit(&self) -> Result<Admitted, TokenError> {
        let place = Arc::clone(&self.admission.calls).try_acquire_owned();
        place.map(Admitted).map_err(|_| self.turned_away.count(Overloaded::Calls).into())
    }
}

#[cfg(test)]
mod tests {
    use crate::world::World;
    use crate::{CALLS_MAX, Overloaded, TokenError};

    #[tokio::test]
    async fn a_call_too_many_is_turned_away_until_another_is_answered() {
        let server = World::new().await.server;
        let mut admitted: Vec<_> = (0..CALLS_MAX).map(|_| server.admit().unwrap()).collect();
        assert_eq!(server.admit().unwrap_err(), TokenError::Overloaded(Overloaded::Calls));
        admitted.pop();
        let one_more = server.admit().unwrap();
        assert!(server.admit().is_err());
        drop(one_more);
        assert!(server.admit().is_ok());
        assert_eq!(server.turned_away(), [0, 2, 0]);
    }
}
