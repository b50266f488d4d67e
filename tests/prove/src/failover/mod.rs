//! A primary that fails under load, again and again: the standby takes over, and what was answered 200 holds.

mod alarm;
mod mark;
mod pair;
mod revocations;
mod run;
mod site;
mod way;

use anyhow::Result;

use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::world::Origin;
use pair::Failure;
use run::Run;

const KIND: &str = "failover";

/// How much is done.
struct Extent {
    clients: usize,
    /// Fail-overs of a primary that is killed.
    kills: usize,
    /// Fail-overs of each kind where the primary falls silent, which takes the nodes some seconds to notice.
    silences: usize,
}

/// T-31: every kind of failure with a synchronous standby, where nothing is lost, and one with a standby that is behind, where
/// the loss is noticed.
pub(crate) async fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let extent = match scale {
        Scale::Ci => Extent { clients: 64, kills: 3, silences: 1 },
        Scale::Night => Extent { clients: 256, kills: 10, silences: 5 },
        Scale::Gate => Extent { clients: 640, kills: 30, silences: 12 },
    };
    for failure in Failure::ALL.into_iter().filter(|failure| failure.name().contains(only)) {
        let entry = begin(failure.name());
        let mut run = Run::begin(extent.clients, seed).await?;
        let fail_overs = if failure == Failure::Killed { extent.kills } else { extent.silences };
        for _ in 0..fail_overs {
            run.fail_over(failure).await?;
        }
        // With fewer requests in flight, in the middle, a failure means little.
        run.close(entry, extent.clients * 4 / 5, report).await;
    }
    if LOSS.contains(only) {
        let entry = begin(LOSS);
        let mut run = Run::begin(extent.clients, seed).await?;
        run.fail_over_with_loss().await?;
        run.close_planted(entry, report).await;
    }
    Ok(())
}

const LOSS: &str = "loss_must_be_noticed";

/// Every other client is public: nothing but its refresh token says who it is, and its time to retry is shorter.
fn origin(number: usize) -> Origin {
    if number.is_multiple_of(2) { Origin::LogIn } else { Origin::PublicLogIn }
}

fn begin(name: &str) -> Entry {
    let mut entry = Entry::begin(KIND, name);
    entry.add("store", "postgres");
    entry
}
