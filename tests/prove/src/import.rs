//! Ten million tokens of another system, taken over in one run: how fast, and in how much memory.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use regrant_bench::Processes;
use regrant_crypto::sha256;
use regrant_protocol::{Clock, SystemClock};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::crash::Program;
use crate::report::{Entry, Report};
use crate::scale::Scale;

const CI_ROWS: u64 = 20_000;
const NIGHT_ROWS: u64 = 1_000_000;
const GATE_ROWS: u64 = 10_000_000;

/// The most memory that an import may take, however many rows there are.
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How often it is looked how much memory the program has had at most: what it takes after the last look is missed.
const LOOK: Duration = Duration::from_millis(50);
/// How many tokens a user has, and how many refresh tokens there are for an access token.
const TOKENS_PER_USER: u64 = 100;

/// Makes a source of `rows` refresh tokens, takes it over, and does so again.
pub(crate) fn run(scale: Scale, rows: Option<u64>, report: &mut Report) -> Result<()> {
    let rows = rows.unwrap_or(match scale {
        Scale::Ci => CI_ROWS,
        Scale::Night => NIGHT_ROWS,
        Scale::Gate => GATE_ROWS,
    });
    let program = Program::build()?;
    let folder = tempfile::tempdir().context("there is no temporary directory")?;
    let source = folder.path().join("source.sqlite");
    make_source(&source, rows).context("the source cannot be made")?;
    let tokens = rows + rows / TOKENS_PER_USER;
    for (name, expected) in [("first", "taken_over"), ("again", "known")] {
        let mut entry = Entry::begin("import", name);
        let taken = take_over(&program, &source, &folder.path().join("data"))?;
        let count = |kind: &str| taken.report["rows"][kind][expected].as_u64().unwrap_or_default();
        let done = count("refresh tokens") + count("access tokens");
        entry.add("rows", tokens);
        entry.add("rows_per_second", (tokens as f64 / taken.seconds).round());
        entry.add("peak_memory_bytes", taken.peak_memory_bytes);
        let is_within = taken.peak_memory_bytes <= MEMORY_BYTES_MAX;
        report.close(entry, done.try_into()?, usize::from(done != tokens) + usize::from(!is_within));
    }
    Ok(())
}

/// What a run of the program said.
struct TakenOver {
    report: Value,
    seconds: f64,
    peak_memory_bytes: u64,
}

#[expect(clippy::disallowed_methods, reason = "how long an import takes is asked of the real clock")]
fn take_over(program: &Program, source: &Path, data: &Path) -> Result<TakenOver> {
    let (mut answer, mut told) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let began = Instant::now();
    let mut process = Command::new(program.path())
        .args(["import", "bshaffer", "--json", "--timezone", "UTC", "--from"])
        .arg(source)
        .arg("--data")
        .arg(data)
        .stdout(answer.try_clone()?)
        .stderr(told.try_clone()?)
        .spawn()?;
    let processes = Processes::new(&[process.id()])?;
    let mut peak_memory_bytes = 0;
    let status = loop {
        peak_memory_bytes = peak_memory_bytes.max(processes.memory().resident_max);
        match process.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(LOOK),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    ensure!(status.success(), "the import failed: {}", text(&mut told)?);
    ensure!(peak_memory_bytes > 0, "how much memory the program took is not known");
    Ok(TakenOver { report: serde_json::from_str(&text(&mut answer)?)?, seconds, peak_memory_bytes })
}

fn text(file: &mut File) -> Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// bshaffer's tables, with so many live refresh tokens.
fn make_source(path: &Path, rows: u64) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch(SCHEMA)?;
    let in_days = |days: i64| SystemClock.now().plus_seconds(days * 86_400).to_rfc3339().replace(['T', 'Z'], " ");
    let (expires, soon) = (in_days(10), SystemClock.now().plus_seconds(3000).to_rfc3339().replace(['T', 'Z'], " "));
    let users = (rows / TOKENS_PER_USER).max(1);
    let transaction = connection.transaction()?;
    {
        let mut add_user = transaction.prepare(
            "INSERT INTO oauth_users VALUES (?1, 'e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4', 'A', 'B', NULL, 0, NULL)",
        )?;
        let mut add_refresh =
            transaction.prepare("INSERT INTO oauth_refresh_tokens VALUES (?1, 'shop', ?2, ?3, 'basic')")?;
        let mut add_access =
            transaction.prepare("INSERT INTO oauth_access_tokens VALUES (?1, 'shop', ?2, ?3, 'basic')")?;
        for user in 0..users {
            add_user.execute([format!("user{user}")])?;
        }
        for number in 0..rows {
            let user = format!("user{}", number % users);
            add_refresh.execute(params![token("refresh", number), user, expires.trim()])?;
            if number < rows / TOKENS_PER_USER {
                add_access.execute(params![token("access", number), user, soon.trim()])?;
            }
        }
    }
    Ok(transaction.commit()?)
}

/// 40 hexadecimal digits in no order, as SHA-1 makes them.
fn token(kind: &str, number: u64) -> String {
    sha256(format!("{kind}{number}").as_bytes())[..20].iter().map(|byte| format!("{byte:02x}")).collect()
}

const SCHEMA: &str = "
CREATE TABLE oauth_clients (client_id VARCHAR(80) NOT NULL PRIMARY KEY, client_secret VARCHAR(80), redirect_uri VARCHAR(2000), grant_types VARCHAR(80), scope VARCHAR(4000), user_id VARCHAR(80));
CREATE TABLE oauth_access_tokens (access_token VARCHAR(40) NOT NULL PRIMARY KEY, client_id VARCHAR(80) NOT NULL, user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000));
CREATE TABLE oauth_refresh_tokens (refresh_token VARCHAR(40) NOT NULL PRIMARY KEY, client_id VARCHAR(80) NOT NULL, user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000));
CREATE TABLE oauth_users (username VARCHAR(80), password VARCHAR(80), first_name VARCHAR(80), last_name VARCHAR(80), email VARCHAR(80), email_verified BOOLEAN, scope VARCHAR(4000));
CREATE TABLE oauth_scopes (scope VARCHAR(80) NOT NULL PRIMARY KEY, is_default BOOLEAN);
INSERT INTO oauth_clients VALUES ('shop', 'secret', 'https://shop.example/cb', NULL, NULL, NULL);
INSERT INTO oauth_scopes VALUES ('basic', 1);
";
