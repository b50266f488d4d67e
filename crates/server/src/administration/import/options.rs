use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use regrant_import::load::RefreshLifetime;
use regrant_import::{Digest, Options, Source, System, Zones, time_zone};
use regrant_protocol::{Lifetime, Secret, Timestamp};

use super::super::place::CommonOptions;
use super::super::secret_input::given;

/// What `regrant import` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ImportOptions {
    #[command(flatten)]
    pub(super) common: CommonOptions,
    /// Whose data they are.
    #[arg(value_name = "SYSTEM")]
    system: SystemName,
    /// The database: a SQLite file, a dump, a directory of CSV files, or the URL of a server without its password.
    #[arg(long, value_name = "FILE-OR-URL")]
    pub(super) from: String,
    /// Read the password of the URL from this file; else from REGRANT_IMPORT_PASSWORD.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Tell what would be taken over and what not, and write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// What a broken row does: `stop` before anything is written, or `skip` that row.
    #[arg(long, value_enum, default_value_t = OnError::Stop)]
    pub(super) on_error: OnError,
    /// The time zone in which the old program wrote dates, as PHP's date.timezone says (bshaffer, redcore); else UTC.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The time zone of the MySQL server that a dump was taken from; else UTC.
    #[arg(long, value_name = "ZONE")]
    database_timezone: Option<String>,
    /// What stands before the names of all tables, such as jos_.
    #[arg(long, value_name = "PREFIX")]
    table_prefix: Option<String>,
    /// A table that was given another name; may be repeated.
    #[arg(long, value_name = "OWN=OTHER")]
    rename_table: Vec<String>,
    /// The tenant whose rows are read (dotauth); else all.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Go on though the dates speak against the time zone: it is right, and nobody used the old server for so long.
    #[arg(long)]
    pub(super) accept_clock: bool,
    /// How long the old server's access tokens live: by it the time zone is checked.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    access_lifetime: u32,
    /// How long a token goes on that the old server would never have ended, 0 for ever; else as long as a grant of its client.
    #[arg(long, value_name = "SECONDS")]
    refresh_lifetime: Option<u32>,
    /// Read the setting `Salt` of DotAuth from this file; else from REGRANT_IMPORT_SALT. Without it no password verifies.
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
    /// WSO2: the PasswordDigest of the user store, PBKDF2 among them.
    #[arg(long, value_name = "NAME", default_value = "SHA-256")]
    pub(super) password_digest: String,
    /// WSO2: the pbkdf2.prf of the user store.
    #[arg(long, value_name = "NAME", default_value = "PBKDF2WithHmacSHA256")]
    pub(super) pbkdf2_prf: String,
    /// WSO2: the pbkdf2.iteration.count of the user store.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub(super) pbkdf2_iterations: u32,
}

const EXAMPLES: &str = "\
Examples:
  regrant import bshaffer --from /var/lib/oauth/oauth.sqlite --timezone Europe/Berlin --dry-run
  regrant import bshaffer --from mysql://oauth@127.0.0.1/oauth --password-file db.password --timezone Europe/Berlin
  regrant import redcore --from dump.sql --timezone UTC --table-prefix jos_
  regrant import wso2 --from postgres://wso2@127.0.0.1/identity --json > report.json
  regrant import dotauth --from postgres://dotauth@127.0.0.1/dotauth --salt-file salt --refresh-lifetime 7776000

The old database is only read. Stop the old server before the import, and start regrant after it: a token that the old server
gives out in between is not taken over. An import that was interrupted, or is repeated, adds what is missing.";

/// What a broken row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnError {
    /// Everything is read first, and nothing is written.
    Stop,
    /// That row is left behind, and told.
    Skip,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SystemName {
    Bshaffer,
    Redcore,
    Wso2,
    Dotauth,
}

impl ImportOptions {
    pub(super) fn system(&self) -> System {
        match self.system {
            SystemName::Bshaffer => System::Bshaffer,
            SystemName::Redcore => System::Redcore,
            SystemName::Wso2 => System::Wso2,
            SystemName::Dotauth => System::Dotauth,
        }
    }

    /// Whether the old program wrote dates in a zone that has to be said; the others write UTC.
    pub(super) fn has_zone(&self) -> bool {
        matches!(self.system(), System::Bshaffer | System::Redcore)
    }

    /// The command, as far as it says which rows are read.
    pub(super) fn command(&self) -> String {
        let mut command = format!("regrant import {} --from {}", self.system(), self.from);
        for (name, value) in [("--table-prefix", &self.table_prefix), ("--tenant", &self.tenant)] {
            if let Some(value) = value {
                write!(command, " {name} {value}").expect("a String takes whatever is written to it");
            }
        }
        for pair in &self.rename_table {
            write!(command, " --rename-table {pair}").expect("a String takes whatever is written to it");
        }
        command
    }

    /// Where the old database is.
    pub(super) fn source(&self) -> Result<Source> {
        let password = given(false, self.password_file.as_deref(), "REGRANT_IMPORT_PASSWORD")?;
        Ok(Source::parse(&self.from, password)?)
    }

    /// How the old database is read.
    pub(super) fn reading(&self, now: Timestamp, digest: Digest) -> Result<Options> {
        let of = self.system();
        let is_php = matches!(of, System::Bshaffer | System::Redcore);
        for (is_said, is_fitting, name) in [
            (self.timezone.is_some(), is_php, "--timezone"),
            (self.tenant.is_some(), of == System::Dotauth, "--tenant"),
            (self.salt_file.is_some(), of == System::Dotauth, "--salt-file"),
        ] {
            if is_said && !is_fitting {
                bail!("{name} says nothing about {of}; leave it out");
            }
        }
        let mut reading = Options::new(now, digest);
        let zone = |name: &Option<String>| name.as_deref().map(time_zone).transpose();
        reading.zones = Zones {
            program: zone(&self.timezone)?.unwrap_or(Zones::utc().program),
            database: zone(&self.database_timezone)?,
        };
        reading.table_prefix.clone_from(&self.table_prefix);
        reading.renamed_tables = self.rename_table.iter().map(|pair| renamed(pair)).collect::<Result<_>>()?;
        reading.tenant.clone_from(&self.tenant);
        reading.access_lifetime_seconds = self.access_lifetime;
        Ok(reading)
    }

    /// How long a token goes on that would never have ended.
    pub(super) fn endless(&self) -> RefreshLifetime {
        match self.refresh_lifetime {
            Some(seconds) => RefreshLifetime::Of(Lifetime::from_seconds(seconds)),
            None => RefreshLifetime::OfClient,
        }
    }

    /// DotAuth's `Salt`.
    pub(super) fn salt(&self) -> Result<Option<Secret>> {
        given(false, self.salt_file.as_deref(), "REGRANT_IMPORT_SALT")
    }
}

fn renamed(pair: &str) -> Result<(String, String)> {
    let (own, other) = pair.split_once('=').ok_or_else(|| {
        anyhow!("--rename-table {pair}: write the system's own name, =, and the name that the table has")
    })?;
    Ok((own.to_owned(), other.to_owned()))
}
