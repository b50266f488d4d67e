//! `regrant import`: another system's clients, users, consents and live tokens, taken over.
//!
//! Everything is read, as it is at one moment, before anything is written: whatever is wrong is found then ([`survey`]), and the
//! tokens are sorted, so that rows which belong together are written together ([`write`]). Both ask [`plan`] what becomes of a row.
//! What was written before stays as it is, so an import that was interrupted is begun again; until it has ended, [`unfinished`]
//! keeps a server from starting.

mod credentials;
mod options;
mod plan;
mod profile;
mod report;
mod survey;
mod tally;
pub(crate) mod unfinished;
mod write;

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use regrant_crypto::sha256;
use regrant_data_directory::{DataDirectory, DataDirectoryError};
use regrant_engine::{Act, Door, Event, Happening};
use regrant_import::Reader;
use regrant_protocol::{Clock, SystemClock, Timestamp};
use regrant_store::ClientDefaults;
use tokio::time::Instant;

pub use self::options::ImportOptions;
use self::options::OnError;
use self::report::{Report, Setting};
use self::unfinished::Unfinished;
use self::write::Writer;
use super::api::run;
use super::output::Output;
use super::place::Place;
use super::progress::Progress;
use crate::config::defaults_of;
use crate::open_store::open_store;

/// Runs `regrant import`.
///
/// # Errors
/// Why nothing was taken over; or why not everything, and how to go on.
pub fn import(options: ImportOptions) -> Result<()> {
    run(take_over(options))
}

async fn take_over(options: ImportOptions) -> Result<()> {
    let begun = Instant::now();
    let place = options.common.look()?;
    place.require_known_store()?;
    let (defaults, defaults_from) = defaults(&place, &options);
    // A directory that is there is held from now on, so that nobody waits for a survey in vain.
    let held = if options.dry_run || !place.data.exists() { None } else { Some(open(&place)?) };
    if held.is_some() {
        unfinished::refuse_another(&place.data, &options.command())?;
    }

    let now = SystemClock.now();
    let source = options.source()?;
    let reading = options.reading(now, sha256)?;
    let mut reader = Reader::open(options.system(), &source, reading).await?;
    let mut progress = Progress::begin("reading", 0);
    let plan = survey::survey(&mut reader, &options, defaults, &mut progress).await?;
    progress.end();

    let stands_in =
        place.config.as_ref().and_then(|config| config.server.stand_in) == Some(options.system().replaced());
    let unseen = options.dry_run && place.is_made().unwrap_or(true);
    let unseen = unseen.then(|| place.store().shown(&place.data));
    let mut report = Report::new(&options, &plan, Setting { defaults_from, stands_in, unseen });
    let is_broken = plan.tally.broken() > 0 && options.on_error == OnError::Stop;
    let is_refused = is_broken || plan.doubt.is_some();
    if options.dry_run || is_refused {
        report.end(begun.elapsed());
        Output { is_json: options.common.json }.answer(&report, Report::to_text)?;
        if is_refused {
            let stopped = if options.dry_run { WOULD_STOP } else { STOPPED };
            let remedy = if plan.doubt.is_some() { OF_CLOCK } else { OF_ROWS };
            bail!("{} in {}: {stopped}. {remedy}", plan.told(), options.from);
        }
        return Ok(());
    }

    let directory = match held {
        Some(directory) => directory,
        None => open(&place)?,
    };
    place.begin_trail()?;
    let (ring, store) = open_store(place.store(), place.outside(), &directory, Arc::new(SystemClock)).await?;
    let unfinished = Unfinished::begin(&place.data, &options.command(), now)?;
    let mut progress = Progress::begin("taking over", plan.tally.rows());
    let writer = Writer::new(store, plan, now);
    let written = writer.write(&mut reader, ring.pepper(), &mut progress).await.context(INTERRUPTED)?;
    progress.end();
    unfinished.end()?;
    tell(&options, now);
    report.written(written);
    report.end(begun.elapsed());
    Output { is_json: options.common.json }.answer(&report, Report::to_text)
}

/// One line of the audit trail. How many rows of what there were the report says.
fn tell(options: &ImportOptions, at: Timestamp) {
    let object = format!("{} {}", options.system(), options.from);
    let happening = Happening::Administered { act: Act::Imported, object: &object, door: Door::Process };
    Event { at, request: None, source: None, happening }.log();
}

const STOPPED: &str = "nothing was written";
const WOULD_STOP: &str = "the import would stop here";
const OF_ROWS: &str = "Correct that in the old database, or leave it behind with --on-error skip";
const OF_CLOCK: &str =
    "A wrong zone ends tokens early, or brings dead ones back. Where all is right, go on with --accept-clock";
const INTERRUPTED: &str = "the import was interrupted; what was written stays. Run the same command again: it goes on";

/// What holds for clients of which the old database says nothing, and who says so.
fn defaults(place: &Place, options: &ImportOptions) -> (ClientDefaults, String) {
    let system = options.system().replaced();
    match &place.config {
        Some(config) => (config.defaults.clone(), "the configuration".to_owned()),
        None => (defaults_of(system), format!("what {} does by itself", options.system())),
    }
}

fn open(place: &Place) -> Result<DataDirectory> {
    let opened = DataDirectory::open(&place.data);
    if let Err(DataDirectoryError::InUse(path)) = &opened {
        bail!(
            "{path} is in use by a running regrant: stop the server first (Ctrl+C, `systemctl stop regrant`, or SIGTERM), import, and \
             start it again"
        );
    }
    Ok(opened?)
}
