use regrant_crypto::{SeededEntropy, random};

use super::{Call, History, Operation, Outcome, Successor};

/// How many operations a history has.
const OPERATIONS: usize = 40;

/// A history that happened: of a grant that does what it should, asked by many at once, some of whom get no answer.
pub(crate) fn history(seed: u64) -> History {
    let chance = SeededEntropy::new(seed);
    let mut grant = Simulated { generation: 1, has_ended: false, has_end: false };
    let operations = (0..OPERATIONS).map(|turn| grant.operation(turn as u64, random(&chance))).collect();
    History { generation: 1, operations }
}

struct Simulated {
    generation: u32,
    has_ended: bool,
    has_end: bool,
}

impl Simulated {
    /// The operation that happens in this turn, whenever it was sent and answered.
    fn operation(&mut self, turn: u64, [kind, age, fate, before, after]: [u8; 5]) -> Operation {
        let happens = 1_000 + turn * 10;
        let is_end = kind < 8 && !self.has_end;
        let age = match age {
            0..160 => 0,
            160..250 => 1,
            250.. => 2,
        };
        let call = if is_end { Call::End } else { Call::Refresh(self.generation.saturating_sub(age).max(1)) };
        let is_lost_on_its_way = fate < 16;
        let outcome = if is_lost_on_its_way { Outcome::Unknown } else { self.ask(call) };
        let outcome = if fate < 32 { Outcome::Unknown } else { outcome };
        // Up to eight turns earlier and later.
        let (invoked, completed) = (happens - u64::from(before) % 80, happens + u64::from(after) % 80);
        Operation { invoked, completed, call, outcome }
    }

    fn ask(&mut self, call: Call) -> Outcome {
        let Call::Refresh(presented) = call else {
            (self.has_ended, self.has_end) = (true, true);
            return Outcome::Ended;
        };
        if presented + 1 < self.generation {
            self.has_ended = true;
        }
        if self.has_ended {
            return Outcome::Refused;
        }
        self.generation = presented + 1;
        Outcome::Refreshed(Successor { generation: self.generation, digest: u64::from(self.generation) })
    }
}
