use regrant_bench::Pace;
use regrant_engine::CALLS_MAX;

use crate::bench::options::{BenchOptions, FormatChoice, Workload};
use crate::bench::pass::{PassKind, Purpose};

/// How much of the peak a server is left at, to see how long each request takes.
const STEADY_PART: f64 = 0.7;
/// How much of the peak is too much.
const OVERLOAD_PARTS: f64 = 3.0;
/// On how many chains that is asked for. Each has one request under way at most, and is late with the next where that takes longer
/// than its turns are apart, so there are twice as many as the server lets in. More would measure how often the memory of another
/// connection has to be fetched.
const OVERLOAD_CHAINS: usize = 2 * CALLS_MAX;

/// A load that is to be run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Planned {
    pub(super) workload: Workload,
    pub(super) format: FormatChoice,
    pub(super) purpose: Purpose,
    pub(super) chains: usize,
}

/// The loads of a measurement, in order: the bare app first, as all others are compared with it, then refreshes.
pub(super) fn plan(options: &BenchOptions) -> Vec<Planned> {
    let slowest = options.workload == Workload::Overload;
    let format = options.access_token.unwrap_or(if slowest { FormatChoice::Rs256 } else { FormatChoice::Opaque });
    let load = |workload, format, purpose| {
        let chains = match purpose {
            Purpose::Alone => 1,
            Purpose::Overload => OVERLOAD_CHAINS,
            Purpose::Peak | Purpose::Steady | Purpose::Given => options.chains as usize,
        };
        Planned { workload, format, purpose, chains }
    };
    let bare = load(Workload::Hello, format, Purpose::Peak);
    let refresh = load(Workload::Refresh, format, Purpose::Peak);
    match (options.workload, options.rate) {
        (Workload::Hello | Workload::Bare | Workload::Instructions, None) => vec![bare],
        (Workload::AtOnce | Workload::Idle, _) => vec![load(Workload::Refresh, format, Purpose::Peak)],
        (Workload::Overload, _) => {
            let purposes = [Purpose::Peak, Purpose::Overload, Purpose::Steady];
            let loads = purposes.map(|purpose| load(Workload::Refresh, format, purpose));
            [bare].into_iter().chain(loads).collect()
        }
        (workload, Some(_)) => vec![bare, load(workload, format, Purpose::Given)],
        (Workload::Refresh, None) => {
            // Right behind its peak: a machine that others use may be slower a minute later.
            let mut plan = vec![bare, refresh, load(Workload::Refresh, format, Purpose::Steady)];
            if options.access_token.is_none() {
                plan.push(load(Workload::Refresh, FormatChoice::Es256, Purpose::Peak));
            }
            plan.push(load(Workload::Refresh, format, Purpose::Alone));
            plan
        }
        (workload, None) => vec![bare, refresh, load(workload, format, Purpose::Peak)],
    }
}

impl Planned {
    /// How many tokens or codes it begins with.
    pub(super) fn tokens(&self, supply: usize) -> usize {
        match self.workload {
            Workload::Refresh | Workload::Introspect | Workload::Hello => self.chains,
            Workload::Exchange | Workload::Revoke => supply,
            Workload::ClientCredentials
            | Workload::AtOnce
            | Workload::Idle
            | Workload::Overload
            | Workload::Bare
            | Workload::Instructions => 0,
        }
    }

    /// When its requests are due. `peak` is what can be done of the same a second.
    pub(super) fn pace(&self, rate: Option<u32>, peak: Option<f64>) -> Pace {
        let rate = match self.purpose {
            Purpose::Peak | Purpose::Alone => None,
            Purpose::Steady => peak.map(|peak| peak * STEADY_PART),
            Purpose::Overload => peak.map(|peak| peak * OVERLOAD_PARTS),
            Purpose::Given => rate.map(f64::from),
        };
        // Nothing was answered at the peak: there is no part of it.
        rate.filter(|rate| *rate > 0.0).map_or(Pace::AsAnswered, Pace::Rate)
    }

    pub(super) fn kind(&self) -> PassKind {
        let access_token = match self.workload {
            Workload::AtOnce
            | Workload::Idle
            | Workload::Overload
            | Workload::Hello
            | Workload::Bare
            | Workload::Instructions
            | Workload::Revoke => None,
            Workload::Refresh | Workload::Exchange | Workload::ClientCredentials | Workload::Introspect => {
                Some(self.format.name())
            }
        };
        PassKind { workload: self.workload.name(), access_token, purpose: self.purpose }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: BenchOptions,
    }

    fn planned(arguments: &str) -> Vec<(&'static str, &'static str, Purpose, usize)> {
        let line = Line::try_parse_from(["bench"].into_iter().chain(arguments.split(' '))).unwrap();
        let shown = |load: Planned| (load.workload.name(), load.format.name(), load.purpose, load.chains);
        plan(&line.options).into_iter().map(shown).collect()
    }

    #[test]
    fn a_measurement_compares_with_the_bare_app_and_with_refreshes() {
        use Purpose::{Alone, Given, Overload, Peak, Steady};
        let bare = ("hello", "opaque", Peak, 64);
        let refresh = ("refresh", "opaque", Peak, 64);
        let (steady, alone) = (("refresh", "opaque", Steady, 64), ("refresh", "opaque", Alone, 1));
        for (arguments, expected) in [
            ("hello", vec![bare]),
            ("refresh", vec![bare, refresh, steady, ("refresh", "ES256", Peak, 64), alone]),
            ("refresh --access-token opaque", vec![bare, refresh, steady, alone]),
            ("refresh --rate 100", vec![bare, ("refresh", "opaque", Given, 64)]),
            ("exchange", vec![bare, refresh, ("exchange", "opaque", Peak, 64)]),
            ("idle", vec![refresh]),
            (
                "overload",
                vec![
                    ("hello", "RS256", Peak, 64),
                    ("refresh", "RS256", Peak, 64),
                    ("refresh", "RS256", Overload, 2048),
                    ("refresh", "RS256", Steady, 64),
                ],
            ),
            ("hello --chains 2", vec![("hello", "opaque", Peak, 2)]),
        ] {
            assert_eq!(planned(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn a_steady_load_is_a_part_of_the_peak() {
        let load = |purpose| Planned { workload: Workload::Refresh, format: FormatChoice::Opaque, purpose, chains: 1 };
        for (purpose, rate, peak, pace) in [
            (Purpose::Peak, Some(5), Some(1_000.0), Pace::AsAnswered),
            (Purpose::Steady, None, Some(1_000.0), Pace::Rate(700.0)),
            (Purpose::Steady, None, Some(0.0), Pace::AsAnswered),
            (Purpose::Overload, None, Some(1_000.0), Pace::Rate(3_000.0)),
            (Purpose::Given, Some(5), None, Pace::Rate(5.0)),
        ] {
            assert_eq!(load(purpose).pace(rate, peak), pace, "{purpose:?}");
        }
    }
}
