use std::path::Path;

use regrant_crypto::KeyRing;
use regrant_data_directory::DataDirectory;
use regrant_protocol::Clock;
use regrant_store_postgres::{Copying, Examination, Settings, examine};

use super::check::Check;
use super::journal_database;

const DATABASE: &str = "database";
const CLOCK: &str = "database clock";
const BACKUP: &str = "backup";
const KEYS: &str = "keys of store";

/// What clocks that are set by the network may differ by.
const CLOCK_MILLISECONDS_MAX: i64 = 2_000;

/// Whether the database can keep what is promised, and is that of the keys in `data`.
pub(super) async fn check(settings: &Settings, data: &Path, clock: &dyn Clock) -> Vec<Check> {
    let found = match examine(&settings.address, clock).await {
        Ok(found) => found,
        Err(error) => return vec![Check::fail(DATABASE, error.to_string())],
    };
    let mut checks = judge(&found);
    checks.extend(judge_copying(&found.copying));
    if found.schema.is_some_and(|schema| schema >= found.newest_schema) {
        checks.push(journal_database::check(settings).await);
    }
    // A key file that cannot be read is told by itself.
    checks.extend(DataDirectory::kept_keys(data).ok().and_then(|ring| judge_keys(&found, &ring)));
    checks
}

fn judge(found: &Examination) -> Vec<Check> {
    let Examination { server, synchronous_commit, schema, newest_schema, .. } = found;
    let standby = if found.waits_for_standby { "waits for a standby" } else { "waits for no standby" };
    let mut checks = Vec::new();
    match schema {
        None => {
            let told = "there is no store in it yet; the first `regrant serve` makes it, or `regrant store migrate`";
            checks.push(Check::warn(DATABASE, told));
        }
        Some(schema) if schema < newest_schema => checks.push(Check::warn(
            DATABASE,
            format!(
                "it has schema {schema}; the next start of a server brings it to {newest_schema}, or `regrant store migrate` \
                 before that: make a backup first"
            ),
        )),
        Some(schema) if schema > newest_schema => checks.push(Check::warn(
            DATABASE,
            format!(
                "it has schema {schema}, and this version knows {newest_schema} and works on it; bring this server up to date too"
            ),
        )),
        Some(schema) => checks.push(Check::ok(
            DATABASE,
            format!(
                "PostgreSQL {server} is a primary, with schema {schema}; synchronous_commit = {synchronous_commit}, and a commit \
                 {standby}"
            ),
        )),
    }
    if !found.survives_power_cut {
        let told =
            "fsync or full_page_writes is off: what is acknowledged does not survive a power cut; set both to on";
        checks.push(Check::warn(DATABASE, told));
    }
    checks.push(judge_clock(found.ahead_milliseconds));
    checks
}

/// Whether a backup by PostgreSQL's own programs can be made, and brings back what it should.
fn judge_copying(found: &Copying) -> Vec<Check> {
    let Copying { unreadable, bytes, archives_log, archive_fails_since } = found;
    let mut checks = Vec::new();
    checks.push(match unreadable {
        Some(unreadable) => Check::warn(
            BACKUP,
            format!("pg_dump by this user would fail: it may not read {unreadable}; let the owner of the database make the dump"),
        ),
        None => Check::ok(BACKUP, format!("pg_dump by this user may read all of it, {} MB", bytes.div_ceil(1_000_000))),
    });
    checks.push(match (archives_log, archive_fails_since) {
        (_, Some(since)) => Check::warn(
            BACKUP,
            format!("the server has failed to archive its log since {}; mend archive_command or its target: see the server's log",
                since.to_rfc3339()
            ),
        ),
        (true, None) => Check::ok(BACKUP, "the server archives its log, so that pg_basebackup can be brought to any moment"),
        (false, None) => Check::ok(
            BACKUP,
            "the server does not archive its log (archive_mode = off): a copy brings back the moment at which it was made",
        ),
    });
    checks
}

fn judge_clock(ahead_milliseconds: i64) -> Check {
    let seconds = ahead_milliseconds.unsigned_abs() / 1000;
    let side = if ahead_milliseconds < 0 { "behind" } else { "ahead of" };
    match ahead_milliseconds.abs() {
        0..=CLOCK_MILLISECONDS_MAX => Check::ok(CLOCK, "it agrees with the clock of this machine"),
        _ => Check::warn(
            CLOCK,
            format!(
                "it is {seconds} s {side} the clock of this machine, and tokens are judged by both; let a time service set the \
                 clocks of all machines"
            ),
        ),
    }
}

/// What is wrong with the keys of a node, or of its store.
fn judge_keys(found: &Examination, ring: &KeyRing) -> Option<Check> {
    let wrong = found.announced_keys.iter().find_map(|key| match ring.check_value(key.kid) {
        None => Some(format!(
            "the store knows master key {}, which the key file does not have; copy the key file of another server here",
            key.kid
        )),
        Some(value) if value != key.check_value => Some(format!(
            "master key {} in the key file is another than the store was told of: this is the key file of another store, or the \
             database of another",
            key.kid
        )),
        Some(_) => None,
    });
    wrong.map(|told| Check::fail(KEYS, told))
}

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::{Kid, Timestamp};
    use regrant_store::AnnouncedKey;

    use super::*;
    use crate::administration::doctor::check::State;

    fn good() -> Examination {
        Examination {
            server: "15.14".to_owned(),
            synchronous_commit: "on".to_owned(),
            waits_for_standby: false,
            survives_power_cut: true,
            schema: Some(4),
            newest_schema: 4,
            ahead_milliseconds: 0,
            announced_keys: Vec::new(),
            copying: copying(),
        }
    }

    fn copying() -> Copying {
        Copying { unreadable: None, bytes: 9_500_000, archives_log: true, archive_fails_since: None }
    }

    #[test]
    fn what_a_backup_would_meet_is_told() {
        let failing = Some(Timestamp::from_seconds(1_800_000_000));
        for (found, state, told) in [
            (copying(), State::Ok, "may read all of it, 10 MB"),
            (copying(), State::Ok, "brought to any moment"),
            (Copying { archives_log: false, ..copying() }, State::Ok, "archive_mode = off"),
            (Copying { archive_fails_since: failing, ..copying() }, State::Warn, "since 2027-01-15T08:00:00Z"),
            (
                Copying { unreadable: Some("grants, users".to_owned()), ..copying() },
                State::Warn,
                "not read grants, users",
            ),
        ] {
            let checks = judge_copying(&found);
            let is_told = |check: &Check| check.state == state && check.found.contains(told);
            assert!(checks.iter().any(is_told), "{told}: {checks:?}");
        }
    }

    #[test]
    fn whatever_is_strange_about_a_database_is_told() {
        for (found, state, told) in [
            (good(), State::Ok, "PostgreSQL 15.14 is a primary, with schema 4"),
            (Examination { waits_for_standby: true, ..good() }, State::Ok, "a commit waits for a standby"),
            (Examination { schema: None, ..good() }, State::Warn, "no store in it yet"),
            (Examination { schema: Some(3), ..good() }, State::Warn, "brings it to 4"),
            (Examination { schema: Some(5), ..good() }, State::Warn, "works on it"),
            (Examination { survives_power_cut: false, ..good() }, State::Warn, "power cut"),
            (Examination { ahead_milliseconds: 2_000, ..good() }, State::Ok, "agrees"),
            (Examination { ahead_milliseconds: 2_001, ..good() }, State::Warn, "2 s ahead of the clock"),
            (Examination { ahead_milliseconds: -63_000, ..good() }, State::Warn, "63 s behind the clock"),
        ] {
            let checks = judge(&found);
            let is_told = |check: &Check| check.state == state && check.found.contains(told);
            assert!(checks.iter().any(is_told), "{told}: {checks:?}");
        }
    }

    #[test]
    fn the_keys_of_a_node_are_those_of_its_store() {
        let (ours, other) = (KeyRing::generate(&SeededEntropy::new(1)), KeyRing::generate(&SeededEntropy::new(2)));
        let of = |ring: &KeyRing| AnnouncedKey { kid: Kid::FIRST, check_value: ring.check_value(Kid::FIRST).unwrap() };
        let second = AnnouncedKey { kid: Kid(2), ..of(&ours) };
        for (announced_keys, told) in [
            (vec![], None),
            (vec![of(&ours)], None),
            (vec![of(&ours), second], Some("master key 2, which the key file does not have")),
            (vec![of(&other)], Some("key file of another store")),
        ] {
            let check = judge_keys(&Examination { announced_keys, ..good() }, &ours);
            assert_eq!(check.is_some(), told.is_some(), "{told:?}");
            assert!(check.is_none_or(|check| check.found.contains(told.unwrap_or_default())), "{told:?}");
        }
    }
}
