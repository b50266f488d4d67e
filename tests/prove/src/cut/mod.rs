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
use scene::{Played, Scene};
use site::{Counts, Site};

const KIND: &str = "cut";

/// How many messages a request takes at most, those of connections that are made anew among them.
const MESSAGES_MAX: usize = 2_000;

/// And at least: what reads, locks, changes and commits a row, and the answers.
const MESSAGES_MIN: usize = 20;

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
    let (mut least, mut most, mut caught) = (MESSAGES_MAX, 0, 0);
    for _ in 0..times {
        let mut messages = 0;
        loop {
            let found = site.violations.len();
            let played = scene.play(&mut site, messages).await?;
            caught += usize::from(site.violations.len() > found);
            if played == Played::Through || messages == MESSAGES_MAX {
                break;
            }
            messages += 1;
        }
        (least, most) = (least.min(messages), most.max(messages));
    }
    let Counts { cut, answered, unanswered_and_done } = site.counts;
    entry.add("rounds", times);
    entry.add("messages_least", least);
    entry.add("messages_most", most);
    entry.add("answered", answered);
    entry.add("unanswered_and_done", unanswered_and_done);
    let mut violations = site.close(&mut entry);
    if let Some(fault) = planted {
        entry.add("planted_fault", fault.name());
        entry.add("times_caught", caught);
        tell(&mut entry, &violations);
        report.close(entry, cut, usize::from(caught == 0));
        return Ok(());
    }
    if least < MESSAGES_MIN || most == MESSAGES_MAX {
        violations.push(format!("a request had {least} messages, or {most}"));
    }
    // Otherwise nothing was cut off between its commit and the answer, or nothing before, which is what this is about.
    if unanswered_and_done == 0 || cut == answered + unanswered_and_done {
        violations.push("no request was cut off after it was done, or none before".to_owned());
    }
    tell(&mut entry, &violations);
    report.close(entry, cut, violations.len());
    Ok(())
}
