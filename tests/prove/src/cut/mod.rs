//! A connection to PostgreSQL that is cut at each message of a request: what was not answered is asked again elsewhere, and nothing is
//! lost or done twice.

mod scene;
mod site;
mod way;

use anyhow::Result;

use crate::history::tell;
use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::world::Carelessness;
use scene::Scene;
use site::Site;

const KIND: &str = "cut";

/// How many messages a request takes at most, those of connections that are made anew among them.
const MESSAGES_MAX: usize = 2_000;

/// T-04: each request is cut off at its first message, its second, and so on until it is through, so many times over. Then the same with a
/// store that takes what it does not know for done, which has to be found.
pub(crate) async fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    for scene in Scene::ALL.into_iter().filter(|scene| scene.name().contains(only)) {
        cut_everywhere(scene, scene.times(scale), None, seed, report).await?;
        cut_everywhere(scene, 1, Some(Carelessness::TakesUnknownForDone), seed, report).await?;
    }
    Ok(())
}

async fn cut_everywhere(
    scene: Scene,
    times: usize,
    planted: Option<Carelessness>,
    seed: u64,
    report: &mut Report,
) -> Result<()> {
    let mut entry = Entry::begin(KIND, scene.name());
    entry.add("store", "postgres");
    let mut site = Site::open(planted, seed).await?;
    let mut messages_most = 0;
    for _ in 0..times {
        let mut messages = 0;
        while messages < MESSAGES_MAX && scene.play(&mut site, messages).await? {
            messages += 1;
        }
        messages_most = messages_most.max(messages);
    }
    entry.add("messages_most", messages_most);
    entry.add("answered_though_cut", site.answered);
    entry.add("unanswered", site.unanswered);
    entry.add("unanswered_and_done", site.unanswered_and_done);
    let mut violations = site.close(&mut entry);
    if let Some(fault) = planted {
        entry.add("planted_fault", fault.name());
        entry.add("times_caught", violations.len());
        tell(&mut entry, &violations);
        report.close(entry, site.cuts, usize::from(violations.is_empty()));
        return Ok(());
    }
    // Otherwise nothing was cut off between its commit and the answer, or nothing before, which is what this is about.
    if site.answered + site.unanswered_and_done == 0 || site.unanswered == site.unanswered_and_done {
        violations.push("no request was cut off after it was done, or none before".to_owned());
    }
    if messages_most == MESSAGES_MAX {
        violations.push(format!("a request that carries {MESSAGES_MAX} messages was never done"));
    }
    tell(&mut entry, &violations);
    report.close(entry, site.cuts, violations.len());
    Ok(())
}
