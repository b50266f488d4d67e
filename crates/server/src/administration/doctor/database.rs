use std::path::Path;

use regrant_store_sqlite::{Examination, examine};

use regrant_data_directory::DATABASE;

use super::check::Check;

/// Whether the database is sound, and of this version.
pub(super) fn check(data: &Path) -> Vec<Check> {
    const NAME: &str = "database";
    match examine(&data.join(DATABASE)) {
        Ok(found) => judge(NAME, &found),
        Err(error) => vec![Check::fail(NAME, error.to_string())],
    }
}

fn judge(name: &'static str, found: &Examination) -> Vec<Check> {
    let Examination { library, schema, newest_schema, journal_mode, faults } = found;
    let mut checks = Vec::new();
    if let Some(first) = faults.first() {
        let others = if faults.len() > 1 { format!(", and {} others", faults.len() - 1) } else { String::new() };
        checks.push(Check::fail(name, format!("it is damaged: {first}{others}; stop the server and restore a backup")));
    }
    if schema > newest_schema {
        let told = format!(
            "it has schema {schema}, and this version knows schemas up to {newest_schema}; use the newer program"
        );
        checks.push(Check::fail(name, told));
    } else if schema < newest_schema {
        let told = format!(
            "it has schema {schema}; the next start brings it to {newest_schema}, and then an older program cannot read it: \
             make a backup before"
        );
        checks.push(Check::warn(name, told));
    }
    if journal_mode != "wal" {
        let told =
            format!("its journal is {journal_mode} and not wal; the next start mends that, on a local file system");
        checks.push(Check::warn(name, told));
    }
    if checks.is_empty() {
        checks.push(Check::ok(name, format!("it is sound, with schema {schema}, read by SQLite {library}")));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::doctor::check::State;

    #[test]
    fn whatever_is_wrong_with_a_database_is_told() {
        let good = || Examination {
            library: "3.99.0",
            schema: 4,
            newest_schema: 4,
            journal_mode: "wal".to_owned(),
            faults: Vec::new(),
        };
        let faults = vec!["row 1 missing".to_owned(), "row 2 missing".to_owned()];
        for (found, state, told) in [
            (good(), State::Ok, "schema 4"),
            (Examination { faults, ..good() }, State::Fail, "row 1 missing, and 1 others"),
            (Examination { schema: 5, ..good() }, State::Fail, "use the newer program"),
            (Examination { schema: 3, ..good() }, State::Warn, "make a backup before"),
            (Examination { journal_mode: "delete".to_owned(), ..good() }, State::Warn, "not wal"),
        ] {
            let checks = judge("database", &found);
            assert!(checks.len() == 1 && checks[0].state == state && checks[0].found.contains(told), "{checks:?}");
        }
    }
}
