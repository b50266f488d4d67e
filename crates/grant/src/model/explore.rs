use std::sync::Arc;

use stateright::{Checker, HasDiscoveries, Model};

use super::action::Action;
use super::breach::Breach;
use super::rule::Rule;
use super::settings::Settings;
use super::world::{LAST_GENERATION, State, World};
use crate::{RotationMode, Verdict};

/// Two cores, which every machine that runs this has.
const THREADS: usize = 2;

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Transitions that were taken.
    pub states: usize,
    /// Different states.
    pub unique_states: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// The first promise that was found broken, and the shortest trace to a breach, one line per step.
    pub breach: Option<(Breach, Vec<String>)>,
    /// Whether the client came to hold the last generation; `true` where tokens do not rotate.
    pub reaches_last_generation: bool,
    /// The verdicts that were given.
    pub verdicts: Vec<Verdict>,
}

/// Visits every state of the world of `settings` under `rule`, or stops at a breach and looks for the shortest trace to
/// one.
#[must_use]
pub fn explore(settings: &Settings, rule: &Arc<dyn Rule>) -> Exploration {
    let mut found = explore_to(settings, rule, THREADS, None);
    let Some((_, trace)) = &found.breach else { return found };
    let mut steps = trace.len();
    while let Some((_, shorter)) = explore_to(settings, rule, THREADS, Some(steps - 1)).breach {
        steps = shorter.len();
    }
    // One thread always finds the same one.
    found.breach = explore_to(settings, rule, 1, Some(steps)).breach;
    found
}

/// Looks at the states that are at most `steps` steps away, or at all of them.
fn explore_to(settings: &Settings, rule: &Arc<dyn Rule>, threads: usize, steps: Option<usize>) -> Exploration {
    let world = World::new(settings.clone(), Arc::clone(rule));
    let builder = world.clone().checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let builder = match steps {
        // The checker counts states, the first one too, and leaves out those at the limit.
        Some(steps) => builder.target_max_depth(steps + 2),
        None => builder,
    };
    let checker = builder.spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let reaches_last_generation =
        settings.rotation != RotationMode::Rotate || discoveries.remove(LAST_GENERATION).is_some();
    let traces = discoveries.into_iter().map(|(promise, path)| (path.into_actions(), promise));
    let shortest = traces.min_by_key(|(actions, promise)| (actions.len(), *promise));
    Exploration {
        states: checker.state_count(),
        unique_states: checker.unique_state_count(),
        depth: checker.max_depth(),
        breach: shortest.and_then(|(actions, _)| narrate(&world, &actions)),
        reaches_last_generation,
        verdicts: world.verdicts(),
    }
}

/// The breach at the end of `actions`, and each step in words.
fn narrate(world: &World, actions: &[Action]) -> Option<(Breach, Vec<String>)> {
    let mut state: State = world.init_states().into_iter().next()?;
    let mut lines = Vec::new();
    for &action in actions {
        let (next, verdict) = world.step(&state, action);
        let line = world.describe(&state, action);
        lines.push(match verdict {
            Some(verdict) => format!("{line} → {verdict}"),
            None => line,
        });
        state = next;
    }
    Some((state.breach()?, lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientType, Fault, RealRule, Restore, Theft};

    #[test]
    fn the_real_rule_keeps_every_promise_to_a_confidential_client_and_all_its_states_are_visited() {
        let settings = Settings::honest(ClientType::Confidential);
        let rule: Arc<dyn Rule> = Arc::new(RealRule);
        let (first, again) = (explore(&settings, &rule), explore(&settings, &rule));
        assert_eq!(first.breach, None);
        assert!(first.reaches_last_generation);
        assert_eq!(first.verdicts, [Verdict::Rotated, Verdict::Retried]);
        assert_eq!(first.unique_states, again.unique_states, "an exhaustive run has one size");
    }

    #[test]
    fn the_real_rule_keeps_every_promise_about_an_imported_token() {
        let rule: Arc<dyn Rule> = Arc::new(RealRule);
        for (rotation, verdict) in [
            (RotationMode::Rotate, Verdict::Rotated),
            (RotationMode::Reuse, Verdict::Reissued),
            (RotationMode::Consume, Verdict::Consumed),
            (RotationMode::Fork, Verdict::Forked),
        ] {
            let settings = Settings {
                imported: true,
                rotation,
                generations_max: 2,
                key_rotations_max: 1,
                restore: Restore::Strict,
                ..Settings::honest(ClientType::Confidential)
            };
            let found = explore(&settings, &rule);
            assert_eq!(found.breach, None, "{rotation:?}");
            assert!(found.reaches_last_generation, "{rotation:?}");
            for reached in [verdict, Verdict::DeadEpoch] {
                assert!(found.verdicts.contains(&reached), "{rotation:?}, {reached}");
            }
        }
    }

    #[test]
    fn a_breach_comes_with_its_shortest_trace_and_with_the_same_one_every_time() {
        let settings = Settings { theft: Theft::Token, ..Settings::honest(ClientType::Confidential) };
        let rule: Arc<dyn Rule> = Arc::new(Fault::SENDER_EQUALITY_OFF);
        let breach = explore(&settings, &rule).breach;
        assert_eq!(explore(&settings, &rule).breach, breach);
        let (breach, trace) = breach.unwrap();
        assert_eq!((breach, trace.len()), (Breach::AnsweredToThief, 4), "{trace:?}");
        assert!(trace.last().unwrap().ends_with("→ retried"), "{trace:?}");
    }
}
