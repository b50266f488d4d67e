//! What we want of ourselves: a gate that has to be passed, and a reach beyond it.

use regrant_bench::SyncTimes;
use serde_json::{Value, json};

use crate::bench::options::StoreChoice;
use crate::bench::pass::{Pass, Purpose};

/// One row of the table of goals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Goal {
    pub(super) what: &'static str,
    unit: Unit,
    gate: f64,
    reach: f64,
    better: Better,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    More,
    Less,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    PerSecond,
    Microseconds,
    Milliseconds,
    Times,
    Megabytes,
    Kilobytes,
    Bytes,
    Percent,
    Count,
}

/// A goal, and where we are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) goal: Goal,
    pub(super) measured: f64,
}

/// What was measured beside the loads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    pub(super) store: StoreChoice,
    pub(super) sync: SyncTimes,
    /// Until the first answer.
    pub(super) start_milliseconds: f64,
    /// At rest.
    pub(super) resident_bytes: u64,
    pub(super) has_other_grants: bool,
    /// By how much the file of the store has grown in all loads, if it is one.
    pub(super) growth_bytes: Option<u64>,
    /// How much of the file each grant takes, where many were made.
    pub(super) grant_bytes: Option<f64>,
    /// Whether the processor time of a database server is in that of the server.
    pub(super) database_is_counted: bool,
}

const fn more(what: &'static str, unit: Unit, gate: f64, reach: f64) -> Goal {
    Goal { what, unit, gate, reach, better: Better::More }
}

const fn less(what: &'static str, unit: Unit, gate: f64, reach: f64) -> Goal {
    Goal { what, unit, gate, reach, better: Better::Less }
}

/// What a page of SQLite takes.
const PAGE_BYTES: u64 = 4096;

const RATE_OPAQUE: Goal = more("refreshes a second, opaque", Unit::PerSecond, 30_000.0, 50_000.0);
const RATE_POSTGRES: Goal = more("refreshes a second, opaque", Unit::PerSecond, 15_000.0, 20_000.0);
const CPU_POSTGRES: Goal = less("server and database CPU of a refresh, opaque", Unit::Microseconds, 90.0, 65.0);
const RATE_ES256: Goal = more("refreshes a second, ES256", Unit::PerSecond, 25_000.0, 35_000.0);
const CPU_OPAQUE: Goal = less("server CPU of a refresh, opaque", Unit::Microseconds, 35.0, 25.0);
const CPU_ES256: Goal = less("server CPU of a refresh, ES256", Unit::Microseconds, 55.0, 42.0);
const TIMES_OPAQUE: Goal = less("… as a multiple of bare axum, opaque", Unit::Times, 4.1, 3.0);
const TIMES_ES256: Goal = less("… as a multiple of bare axum, ES256", Unit::Times, 6.4, 5.0);
const ALONE: Goal = less("p50 with 1 chain, above the disk's sync", Unit::Milliseconds, 0.2, 0.12);
const STEADY: Goal = less("p99 at 70 % of the peak", Unit::Milliseconds, 15.0, 5.0);
const STEADY_FAILED: Goal = less("requests at 70 % of the peak that failed", Unit::Count, 0.0, 0.0);
const WITHIN: Goal = less("server CPU as a multiple of a refresh's", Unit::Times, 2.0, 1.2);
const START: Goal = less("start to first answer", Unit::Milliseconds, 100.0, 30.0);
const START_FULL: Goal = less("start to first answer, with other grants", Unit::Milliseconds, 500.0, 100.0);
const GROWTH: Goal = less("bytes the store grows by 100,000 refreshes", Unit::Bytes, 0.0, 0.0);
const GRANT: Goal = less("bytes of a grant with all indexes", Unit::Bytes, 220.0, 160.0);
const GRANT_POSTGRES: Goal = less("bytes of a grant with all indexes", Unit::Bytes, 350.0, 260.0);
const OVERLOAD: Goal = more("good answers at 3 × the peak, of the peak", Unit::Percent, 90.0, 100.0);
const SHED: Goal = less("p99 of a refusal at 3 × the peak", Unit::Milliseconds, 50.0, 10.0);
const UNEXPLAINED: Goal = less("refusals without Retry-After", Unit::Count, 0.0, 0.0);
const IDLE: Goal = less("memory of an idle connection", Unit::Kilobytes, 20.0, 10.0);
const SUCCESSORS: Goal = less("successors of a token used at once", Unit::Count, 1.0, 1.0);
const RESIDENT: Goal = less("resident memory at rest", Unit::Megabytes, 25.0, 15.0);

/// Where we are, as far as these passes tell.
pub(super) fn standings(passes: &[Pass], around: &Surroundings) -> Vec<Standing> {
    let find = |workload: &str, format: Option<&str>, purpose: Purpose| {
        passes.iter().find(|pass| {
            let kind = pass.kind;
            kind.workload == workload && kind.purpose == purpose && (format.is_none() || kind.access_token == format)
        })
    };
    let microseconds = |pass: Option<&Pass>| pass.and_then(|pass| pass.measured.server_microseconds());
    let bare = microseconds(find("hello", None, Purpose::Peak));
    let mut standings = Vec::new();
    let mut stand = |goal: Goal, measured: Option<f64>| {
        standings.extend(measured.map(|measured| Standing { goal, measured }));
    };
    if around.store == StoreChoice::Postgres {
        let peak = find("refresh", Some("opaque"), Purpose::Peak);
        stand(RATE_POSTGRES, peak.map(|pass| pass.measured.rate()));
        stand(CPU_POSTGRES, microseconds(peak).filter(|_| around.database_is_counted));
        stand(GRANT_POSTGRES, around.grant_bytes);
        return standings;
    }
    for (format, rate, cpu, times) in
        [("opaque", RATE_OPAQUE, CPU_OPAQUE, TIMES_OPAQUE), ("ES256", RATE_ES256, CPU_ES256, TIMES_ES256)]
    {
        let peak = find("refresh", Some(format), Purpose::Peak);
        stand(rate, peak.map(|pass| pass.measured.rate()));
        stand(cpu, microseconds(peak));
        stand(times, microseconds(peak).zip(bare).map(|(own, bare)| own / bare));
    }
    let alone = find("refresh", None, Purpose::Alone).map(|pass| pass.measured.milliseconds(0.5));
    let above_sync = alone.map(|milliseconds| milliseconds - around.sync.in_place_p50.as_secs_f64() * 1e3);
    // Where the disk was slower when it was looked at than under the load, the difference says nothing.
    stand(ALONE, above_sync.filter(|milliseconds| *milliseconds >= 0.0));
    let steady = find("refresh", None, Purpose::Steady).map(|pass| &pass.measured);
    stand(STEADY, steady.map(|steady| steady.milliseconds(0.99)));
    // Of those no time is in the line above.
    stand(STEADY_FAILED, steady.map(|steady| steady.failed() as f64));
    let refresh = microseconds(find("refresh", None, Purpose::Peak));
    for pass in passes.iter().filter(|pass| !["refresh", "hello"].contains(&pass.kind.workload)) {
        stand(WITHIN, microseconds(Some(pass)).zip(refresh).map(|(own, refresh)| own / refresh));
    }
    let refreshes = || passes.iter().filter(|pass| pass.kind.workload == "refresh");
    let overloaded = refreshes().find(|pass| pass.kind.purpose == Purpose::Overload).map(|pass| &pass.measured);
    let peak = find("refresh", None, Purpose::Peak).map(|pass| pass.measured.rate());
    stand(OVERLOAD, overloaded.zip(peak).map(|(overloaded, peak)| overloaded.rate() / peak * 100.0));
    // Who refuses nobody, at three times what can be done, refuses nobody in time.
    let refused = overloaded.filter(|overloaded| overloaded.failed() > 0);
    stand(SHED, refused.map(|overloaded| overloaded.failed_latency.value_at_quantile(0.99) as f64 / 1e6));
    stand(UNEXPLAINED, overloaded.map(|overloaded| (overloaded.failed() - overloaded.with_retry_after) as f64));
    let refreshed: u64 = refreshes().map(|pass| pass.measured.good()).sum();
    let only_refreshes = passes.iter().all(|pass| ["refresh", "hello"].contains(&pass.kind.workload));
    // A row becomes a few bytes longer as its generation and version become larger, at the first refresh, the 127th and the 32,767th, and a
    // page that was full is split for that once. One for each load is not counted.
    let longer_rows = refreshes().count() as u64 * PAGE_BYTES;
    let growth = around.growth_bytes.map(|bytes| bytes.saturating_sub(longer_rows));
    let growth = growth.map(|bytes| bytes as f64 * 100_000.0 / refreshed.max(1) as f64);
    stand(GROWTH, growth.filter(|_| only_refreshes && refreshed > 0));
    stand(GRANT, around.grant_bytes);
    stand(if around.has_other_grants { START_FULL } else { START }, Some(around.start_milliseconds));
    stand(RESIDENT, Some(around.resident_bytes as f64 / 1e6));
    standings
}

impl Standing {
    /// What one connection more takes in memory.
    pub(super) fn of_idle_connections(bytes: f64) -> Self {
        Self { goal: IDLE, measured: bytes / 1e3 }
    }

    /// How many different refresh tokens came of one.
    pub(super) fn of_successors(count: usize) -> Self {
        Self { goal: SUCCESSORS, measured: count as f64 }
    }

    fn is_at_least_as_good_as(&self, bound: f64) -> bool {
        match self.goal.better {
            Better::More => self.measured >= bound,
            Better::Less => self.measured <= bound,
        }
    }

    /// `reach`, `gate` or `no`.
    pub(super) fn met(&self) -> &'static str {
        match (self.is_at_least_as_good_as(self.goal.reach), self.is_at_least_as_good_as(self.goal.gate)) {
            (true, _) => "reach",
            (false, true) => "gate",
            (false, false) => "no",
        }
    }

    /// The header of [`Standing::line`].
    pub(super) const HEADER: [&'static str; 5] = ["GOAL", "GATE", "REACH", "MEASURED", "MET"];

    /// As a line of words.
    pub(super) fn line(&self) -> [String; 5] {
        let Self { goal, measured } = self;
        let shown = |value| goal.unit.show(value);
        [goal.what.to_owned(), shown(goal.gate), shown(goal.reach), shown(*measured), self.met().to_owned()]
    }

    /// As a JSON object.
    pub(super) fn to_json(self) -> Value {
        let Goal { what, gate, reach, .. } = self.goal;
        json!({ "goal": what, "gate": gate, "reach": reach, "measured": self.measured, "met": self.met() })
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Microseconds => format!("{value:.1} µs"),
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::Times => format!("{value:.2} ×"),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::Kilobytes => format!("{value:.1} KB"),
            Self::Bytes => format!("{value:.0}"),
            Self::Percent => format!("{value:.0} %"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use regrant_bench::{Measured, Pace};

    use super::*;
    use crate::bench::pass::PassKind;

    /// A load with so many good answers and refusals, each after a millisecond.
    fn load(purpose: Purpose, good: u64, refused: u64) -> Pass {
        let latencies = |count| {
            let mut latencies = hdrhistogram::Histogram::new(3).unwrap();
            latencies.record_n(1_000_000, count).unwrap();
            latencies
        };
        let measured = Measured {
            length: Duration::from_secs(1),
            latency: latencies(good),
            answered: good,
            failed_latency: latencies(refused),
            failures: [("503".to_owned(), refused)].into(),
            with_retry_after: refused,
            server_cpu: None,
            server_memory: None,
            own_cpu: Duration::ZERO,
        };
        let kind = PassKind { workload: "refresh", access_token: Some("RS256"), purpose };
        Pass { kind, chains: 1, pace: Pace::AsAnswered, measured }
    }

    fn surroundings(growth_bytes: Option<u64>) -> Surroundings {
        let sync =
            SyncTimes { in_place_p50: Duration::ZERO, in_place_p99: Duration::ZERO, appended_p50: Duration::ZERO };
        Surroundings {
            store: StoreChoice::Sqlite,
            sync,
            start_milliseconds: 1.0,
            resident_bytes: 1,
            has_other_grants: false,
            growth_bytes,
            grant_bytes: None,
            database_is_counted: false,
        }
    }

    #[test]
    fn a_page_of_each_load_is_no_growth_and_every_other_is() {
        let grows = |bytes, loads: &[u64]| {
            let passes: Vec<_> = loads.iter().map(|refreshes| load(Purpose::Peak, *refreshes, 0)).collect();
            let standings = standings(&passes, &surroundings(Some(bytes)));
            standings.iter().find(|standing| standing.goal == GROWTH).map(|standing| standing.measured)
        };
        assert_eq!(grows(0, &[100_000]), Some(0.0));
        assert_eq!(grows(PAGE_BYTES, &[100_000]), Some(0.0));
        assert_eq!(grows(2 * PAGE_BYTES, &[100_000]), Some(4096.0));
        assert_eq!(grows(2 * PAGE_BYTES, &[50_000, 50_000]), Some(0.0));
        assert_eq!(grows(3 * PAGE_BYTES, &[50_000, 150_000]), Some(2048.0));
    }

    #[test]
    fn what_fails_is_no_good_answer_and_who_refuses_nobody_sheds_nothing() {
        let around = surroundings(None);
        let of = |refused| {
            let passes = [Purpose::Peak, Purpose::Steady, Purpose::Overload].map(|purpose| load(purpose, 100, refused));
            standings(&passes, &around)
        };
        let met = |standings: &[Standing], goal: Goal| {
            standings.iter().find(|standing| standing.goal == goal).map(|standing| standing.met())
        };
        let (all_answered, some_refused) = (of(0), of(7));
        let goals = [STEADY, STEADY_FAILED, OVERLOAD, SHED];
        assert_eq!(goals.map(|goal| met(&all_answered, goal)), [Some("reach"), Some("reach"), Some("reach"), None]);
        let expected = [Some("reach"), Some("no"), Some("reach"), Some("reach")];
        assert_eq!(goals.map(|goal| met(&some_refused, goal)), expected);
    }

    #[test]
    fn a_goal_is_met_at_its_bound_and_on_the_right_side_of_it() {
        for (goal, measured, met) in [
            (RATE_OPAQUE, 29_999.0, "no"),
            (RATE_OPAQUE, 30_000.0, "gate"),
            (RATE_OPAQUE, 50_000.0, "reach"),
            (CPU_OPAQUE, 35.1, "no"),
            (CPU_OPAQUE, 35.0, "gate"),
            (CPU_OPAQUE, 25.0, "reach"),
        ] {
            assert_eq!(Standing { goal, measured }.met(), met, "{measured}");
        }
        let line = Standing { goal: CPU_OPAQUE, measured: 30.04 }.line();
        assert_eq!(line, ["server CPU of a refresh, opaque", "35.0 µs", "25.0 µs", "30.0 µs", "gate"]);
    }
}
