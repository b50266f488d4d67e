use std::convert::Infallible;

use tokio::time::sleep;

use super::{SweepOutcome, Sweeper};

impl Sweeper {
    /// Sweeps slice by slice, with the pauses that they ask for, until it is dropped. `told` hears of every slice.
    pub async fn run(self, told: impl Fn(&SweepOutcome)) -> Infallible {
        loop {
            let outcome = self.sweep_slice().await;
            told(&outcome);
            sleep(outcome.pause()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::world::World;

    const DAY_SECONDS: i64 = 24 * 60 * 60;

    #[tokio::test(start_paused = true)]
    async fn it_goes_round_and_round_and_waits_where_the_clock_jumped_until_that_is_said_to_be_right() {
        let world = World::new().await;
        world.server.trust_clock().await.unwrap();
        let (tell, mut told) = mpsc::unbounded_channel();
        let sweeper = world.server.sweeper();
        let running = tokio::spawn(sweeper.run(move |outcome| drop(tell.send(outcome.clone()))));
        let mut hears = async |is_sought: fn(&SweepOutcome) -> bool| {
            for _ in 0..100 {
                if is_sought(&told.recv().await.expect("it sweeps for as long as it is not stopped")) {
                    return;
                }
            }
            panic!("it goes on in another way");
        };
        let is_pass = |outcome: &SweepOutcome| matches!(outcome, SweepOutcome::Pass(_));
        let has_stopped = |outcome: &SweepOutcome| *outcome == SweepOutcome::ClockJumped;
        for _ in 0..2 {
            hears(is_pass).await;
        }
        world.clock.jump_to(world.now().plus_seconds(10 * DAY_SECONDS));
        for _ in 0..2 {
            hears(has_stopped).await;
        }
        world.server.trust_clock().await.unwrap();
        hears(is_pass).await;
        running.abort();
    }
}
