//! The token manager under torture: many processes with many threads share one credential, at our server and at others, on
//! a way that loses answers, and are killed at every step of an exchange.

mod careless;
mod crew;
mod death;
mod exchange;
mod fast_clock;
mod judge;
mod process;
mod proxy;
mod run;
mod server;

use anyhow::Result;

use self::careless::Fault;
use self::proxy::Odds;
use self::run::{Extent, Run};
use self::server::Server;
use crate::report::{Entry, Report};
use crate::scale::Scale;

pub(crate) use self::process::{COMMAND, run as be_a_process};

const KIND: &str = "client";

/// The servers, and whether the client proves itself there.
const RUNS: [(Server, bool); 5] = [
    (Server::Regrant, false),
    (Server::Regrant, true),
    (Server::OidcProvider, false),
    (Server::Authlib, true),
    (Server::NodeOauth, false),
];

/// What is done wrong on purpose, and at which server: the retry rule of ours forgives most of what a missing lock does.
const FAULTS: [(Fault, Server); 3] =
    [(Fault::NoLock, Server::OidcProvider), (Fault::NoMarker, Server::Regrant), (Fault::WrittenLater, Server::Regrant)];

/// One in twenty answers is lost.
const ODDS: Odds = Odds { dropped_before: 30, dropped_after: 25, truncated: 25, delayed: 100 };
/// So much is lost that something is in a few seconds.
const MANY: Odds = Odds { dropped_before: 70, dropped_after: 60, truncated: 60, delayed: 150 };

/// Tortures a credential at each server, and then once with each planted fault at ours.
pub(crate) async fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let few = Extent { processes: 4, threads: 8, seconds: 12, clock_factor: 20, odds: MANY, dies_everywhere: false };
    let all = Extent { processes: 8, threads: 32, seconds: 120, clock_factor: 10, odds: ODDS, dies_everywhere: true };
    let extent = match scale {
        Scale::Ci => few,
        Scale::Night => all,
        Scale::Gate => Extent { seconds: 1200, ..all },
    };
    for (server, is_confidential) in RUNS {
        let name = format!("{}_{}", server.name(), if is_confidential { "confidential" } else { "public" });
        if name.contains(only) {
            let run = Run { server, is_confidential, extent, fault: None, seed };
            run.run(Entry::begin(KIND, &name), report).await?;
        }
    }
    for (fault, server) in FAULTS {
        let name = format!("{}_at_{}_must_be_caught", fault.name().replace('-', "_"), server.name());
        if name.contains(only) {
            let extent = Extent { seconds: 6, ..few };
            let run = Run { server, is_confidential: false, extent, fault: Some(fault), seed };
            run.run(Entry::begin(KIND, &name), report).await?;
        }
    }
    Ok(())
}
