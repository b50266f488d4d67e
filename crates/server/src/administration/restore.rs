//! `regrant restore`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use regrant_crypto::SystemEntropy;
use regrant_data_directory::{
    DataDirectory, DataDirectoryError, RECOVERY_SECONDS_MAX, Restoration, RestorePolicy, Restored,
};
use regrant_grant::RecoverPublic;
use regrant_protocol::{Clock, SystemClock};
use serde::Serialize;

use crate::config::StoreConfig;

use super::api::run;
use super::confirm::Consent;
use super::output::Output;
use super::place::CommonOptions;

/// What `regrant restore` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RestoreOptions {
    #[command(flatten)]
    common: CommonOptions,
    /// The copy that `regrant backup` made; without it, the database that somebody has put in place already, as always with
    /// PostgreSQL.
    #[arg(value_name = "BACKUP")]
    backup: Option<PathBuf>,
    /// What becomes of the tokens that were issued before.
    #[arg(long)]
    policy: Policy,
    /// With recover, how long tokens from before are taken: so many minutes (m), hours (h) or days (d). Without it, 24h.
    #[arg(long = "for", value_name = "DURATION", value_parser = seconds)]
    seconds: Option<u32>,
    /// With recover, what becomes of clients that prove nothing, while the others go on. Without it, log_in_again.
    #[arg(long, value_name = "HOW")]
    recover_public: Option<Public>,
    /// A journal from before the present one was begun, where the backup is from its time; once for each. With PostgreSQL there is none.
    #[arg(long = "earlier-journal", value_name = "FILE")]
    earlier_journals: Vec<PathBuf>,
    /// Go on although the journal lacks what ended after the backup.
    #[arg(long)]
    without_journal: bool,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// All of them are dead: everybody logs in again.
    Strict,
    /// For a time, clients that authenticate or hold the key of their grant go on.
    Recover,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Public {
    /// Their users log in again.
    LogInAgain,
    /// Tokens from after the backup are taken, be it from a thief who is faster.
    AcceptAhead,
}

/// How long tokens from before are taken unless it is said: a day.
const RECOVERY_SECONDS: u32 = 24 * 60 * 60;

const EXAMPLES: &str = "\
Examples:
  regrant restore --policy strict /mnt/backups/20271121T030000Z.db
  regrant restore --policy recover --for 24h --config /etc/regrant/regrant.toml /mnt/backups/20271121T030000Z.db
  regrant restore --policy recover

Stop the server first, or with PostgreSQL all of them. The key file, and where they are kept the mark and the journal, have to be in place; name the configuration of
the server, which says where. What was in place is kept beside it, under another name.";

/// What was done, as JSON.
#[derive(Serialize)]
struct RestoredView {
    epoch: u8,
    replayed: u64,
    recovers_until: Option<String>,
    replaced: Option<PathBuf>,
}

/// Runs `regrant restore`: puts a copy of the database in its place, with what ended since, and begins an epoch.
///
/// # Errors
/// Why nothing was restored.
pub fn restore(options: RestoreOptions) -> Result<()> {
    let RestoreOptions { common, backup, policy, seconds, recover_public, earlier_journals, without_journal, consent } =
        options;
    let policy = restore_policy(policy, seconds, recover_public)?;
    let place = common.look()?;
    if matches!(place.store(), StoreConfig::Postgres(_)) && backup.is_some() {
        bail!(
            "a PostgreSQL database is put back by its own means; do that first, by pg_restore or from the archive of its log, and run \
             this without the name of a file"
        );
    }
    if matches!(place.store(), StoreConfig::Postgres(_)) && !earlier_journals.is_empty() {
        bail!("with PostgreSQL there is one journal, the database of store.journal; --earlier-journal is for files");
    }
    let outside = place.outside().cloned().unwrap_or_default();
    let directory = match DataDirectory::open(&place.data) {
        Err(DataDirectoryError::InUse(_)) => {
            bail!("a server has {} open; stop it, and run this again", place.data.display())
        }
        opened => opened?,
    };
    let has_journal = match place.store() {
        StoreConfig::Sqlite => outside.journal.is_some(),
        StoreConfig::Postgres(settings) => settings.journal.is_some(),
    };
    consent.to(&question(policy, has_journal), &common)?;
    let output = Output { is_json: common.json };
    match place.store() {
        StoreConfig::Sqlite => {
            let restoration = Restoration { backup, policy, earlier_journals, gives_up_journal: without_journal };
            let restored = directory.restore(&restoration, &outside, &SystemEntropy, SystemClock.now())?;
            output.done(&view(&restored), &told(&restored, has_journal, "Start the server"))
        }
        StoreConfig::Postgres(settings) => run(async {
            let (settings, clock) = (settings.as_ref().clone(), Arc::new(SystemClock));
            let restoring =
                directory.restore_postgres(settings, &outside, policy, without_journal, &SystemEntropy, clock);
            let restored = restoring.await?;
            output.done(&view(&restored), &told(&restored, has_journal, "Start the nodes"))
        }),
    }
}

/// The policy, or a refusal of what it does not have.
fn restore_policy(policy: Policy, seconds: Option<u32>, public: Option<Public>) -> Result<RestorePolicy> {
    if policy == Policy::Recover {
        let public = match public.unwrap_or(Public::LogInAgain) {
            Public::LogInAgain => RecoverPublic::LogInAgain,
            Public::AcceptAhead => RecoverPublic::AcceptAhead,
        };
        return Ok(RestorePolicy::Recover { seconds: seconds.unwrap_or(RECOVERY_SECONDS), public });
    }
    if seconds.is_some() || public.is_some() {
        bail!("--for and --recover-public are for --policy recover; by strict every token is dead");
    }
    Ok(RestorePolicy::Strict)
}

fn question(policy: RestorePolicy, has_journal: bool) -> String {
    let journal = match has_journal {
        true => "",
        false => " There is no journal: what was revoked, disabled or removed after the backup is so no more.",
    };
    match policy {
        RestorePolicy::Strict => format!("Restore, so that every token is dead and everybody logs in again?{journal}"),
        RestorePolicy::Recover { seconds, .. } => {
            let hours = f64::from(seconds) / 3600.0;
            format!("Restore, and take tokens of clients that prove themselves for {hours:.1} hours?{journal}")
        }
    }
}

fn view(restored: &Restored) -> RestoredView {
    let Restored { epoch, replayed, recovers_until, replaced } = restored;
    let recovers_until = recovers_until.map(|until| until.to_rfc3339());
    RestoredView { epoch: epoch.0, replayed: *replayed, recovers_until, replaced: replaced.clone() }
}

fn told(restored: &Restored, has_journal: bool, next: &str) -> String {
    let mut told = format!("restored: epoch {} begins", restored.epoch.0);
    match (has_journal, restored.replayed) {
        (true, replayed) => told += &format!(", with what ended since by the journal ({replayed})"),
        (false, _) => told += ", without a journal",
    }
    match restored.recovers_until {
        Some(until) => told += &format!("; clients that prove themselves go on until {}", until.to_rfc3339()),
        None => told += "; every older token is dead",
    }
    if let Some(replaced) = &restored.replaced {
        told += &format!(". What was in place is now {}", replaced.display());
    }
    format!("{told}. {next}")
}

/// Reads a length of time.
fn seconds(text: &str) -> Result<u32, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    let read =
        units.iter().find_map(|(unit, seconds)| text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(*seconds));
    match read {
        Some(seconds) if (1..=RECOVERY_SECONDS_MAX).contains(&seconds) => Ok(seconds),
        Some(_) => Err(format!("it is between 1s and {}d", RECOVERY_SECONDS_MAX / (24 * 60 * 60))),
        None => Err("write a number and s, m, h or d, as in 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        for (text, expected) in
            [("90s", Some(90)), ("30m", Some(1_800)), ("24h", Some(86_400)), ("30d", Some(2_592_000))]
        {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
        for text in ["", "24", "h", "0s", "31d", "-1h", "1.5h", "99999999999d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
