use std::net::IpAddr;

use crate::AuthorizationServer;
use crate::failures::FailureKey;

impl AuthorizationServer {
    /// Whether an operator is let in who presents a token from this address: `is_right` compares it. Guessing is slowed down.
    ///
    /// # Errors
    /// Too many wrong ones came from there before; nothing was compared, and the next try is allowed in so many seconds.
    pub fn admit_operator(&self, source: IpAddr, is_right: impl FnOnce() -> bool) -> Result<bool, u32> {
        let failure = [FailureKey::operator(source)];
        self.failures.charge(&failure, self.clock.monotonic())?;
        let is_right = is_right();
        if is_right {
            self.failures.give_back(&failure);
        }
        Ok(is_right)
    }
}

#[cfg(test)]
mod tests {
    use crate::world::World;
    use crate::{FAILURE_BURST, FAILURE_INTERVAL_SECONDS};

    #[tokio::test]
    async fn guessing_at_the_admin_token_is_slowed_down_where_it_comes_from() {
        let world = World::new().await;
        let ([here, there], server) = ([[192, 0, 2, 1], [192, 0, 2, 2]], &world.server);
        for _ in 0..2 * FAILURE_BURST {
            assert_eq!(server.admit_operator(here.into(), || true), Ok(true));
        }
        for _ in 0..FAILURE_BURST {
            assert_eq!(server.admit_operator(here.into(), || false), Ok(false));
        }
        let not_compared = || panic!("nothing is compared");
        assert_eq!(server.admit_operator(here.into(), not_compared), Err(FAILURE_INTERVAL_SECONDS));
        assert_eq!(server.admit_operator(there.into(), || true), Ok(true));
        world.clock.advance_seconds(FAILURE_INTERVAL_SECONDS);
        assert_eq!(server.admit_operator(here.into(), || true), Ok(true));
    }
}
