//! `regrant doctor`.

use std::fmt::Write;

use anyhow::{Result, bail};
use clap::Args;
use regrant_protocol::{Clock, SystemClock};
use serde::Serialize;

use super::api::{AdminApi, run};
use super::output::Output;
use super::place::{CommonOptions, Place};
use super::table::printable;

use crate::config::StoreConfig;

use check::{Check, State};

mod certificate;
mod check;
mod clients;
mod clock;
mod database;
mod defaults;
mod files;
mod journal_database;
mod outside;
mod postgres;
mod server;

pub(crate) use certificate::certificate_problems;

/// What `regrant doctor` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DoctorOptions {
    #[command(flatten)]
    common: CommonOptions,
}

const EXAMPLES: &str = "\
Examples:
  regrant doctor
  regrant doctor --config /etc/regrant/regrant.toml
  regrant doctor --json | jq '.checks[] | select(.state != \"ok\")'

It changes nothing, reads the whole database, and ends with 1 if anything is wrong that has to be mended now.";

/// What was found.
#[derive(Serialize)]
struct Findings {
    checks: Vec<Check>,
}

/// Runs `regrant doctor`.
///
/// # Errors
/// When something has to be mended now.
pub fn doctor(options: DoctorOptions) -> Result<()> {
    let common = options.common;
    run(async {
        let findings = Findings { checks: examine(&common).await };
        Output { is_json: common.json }.answer(&findings, told)?;
        match findings.checks.iter().filter(|check| check.state == State::Fail).count() {
            0 => Ok(()),
            1 => bail!("1 check failed"),
            count => bail!("{count} checks failed"),
        }
    })
}

async fn examine(common: &CommonOptions) -> Vec<Check> {
    let now = SystemClock.now();
    let place = match common.look() {
        Ok(place) => place,
        Err(error) => return vec![Check::fail("configuration", format!("{error:#}").replace('\n', "; "))],
    };
    let mut checks = Vec::new();
    if let Some(config) = &place.config {
        checks.push(Check::ok("configuration", format!("it is good, for {}", config.server.issuer.as_str())));
        let warnings = config.warnings.iter().map(|warning| Check::warn("configuration", warning.to_string()));
        checks.extend(warnings);
        checks.extend(certificate::check(config, now));
        checks.extend(server::check_listener(config));
    }
    let is_there = files::check_directory(&place, &mut checks);
    if !is_there {
        return checks;
    }
    checks.push(clock::check(&place.data, now));
    let keys = files::check_keys(&place.data);
    let (database, may_be_opened) = match place.store() {
        StoreConfig::Sqlite => {
            checks.push(files::check_disk(&place.data));
            let mut found = database::check(&place.data);
            let is_sound = found.iter().all(|check| check.state == State::Ok);
            let (outside, has_all) =
                place.outside().map_or((Vec::new(), true), |files| outside::check(files, &place.data));
            found.extend(outside);
            (found, is_sound && has_all)
        }
        StoreConfig::Postgres(settings) => {
            let mut found = postgres::check(settings, &place.data, &SystemClock).await;
            found.extend(place.outside().map(|files| outside::check_mark(files, &place.data)));
            // Opened, it could begin a journal, or find that it was put back and stop every node.
            (found, false)
        }
    };
    let may_be_opened = may_be_opened && keys.state != State::Fail;
    checks.push(keys);
    checks.extend(database);
    checks.extend(ask(&place, may_be_opened).await);
    checks
}

/// What the server says about itself, or its store where none runs. To open a store that is not as it should be could change it.
async fn ask(place: &Place, may_be_opened: bool) -> Vec<Check> {
    let api = match AdminApi::reach_server(place).await {
        Ok(None) if may_be_opened => AdminApi::reach(place).await.map(Some),
        reached => reached,
    };
    let api = match api {
        Ok(Some(api)) => api,
        Ok(None) => return vec![Check::ok("server", "none runs here, and the store was not opened")],
        Err(error) => return vec![Check::fail("server", format!("{error:#}"))],
    };
    let mut checks = server::check(&api).await;
    checks.extend(clients::check(&api, place.config.as_ref()).await);
    checks
}

fn told(findings: &Findings) -> String {
    let mut text = String::new();
    let width = findings.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for Check { name, state, found } in &findings.checks {
        writeln!(text, "{:4}  {name:width$}  {}", state.as_str(), printable(found)).expect("a String takes everything");
    }
    text
}
