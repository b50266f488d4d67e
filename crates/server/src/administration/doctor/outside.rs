use std::path::Path;

use regrant_data_directory::{DATABASE, OutsideFiles};
use regrant_store_sqlite::has_journal;

use super::check::{Check, State};

const MARK: &str = "mark";
pub(super) const JOURNAL: &str = "journal";

/// Whether mark and journal are where the configuration says, and whether to open the store would make neither: a journal that is
/// begun anew where the old one's disk is missing hides what that has.
pub(super) fn check(outside: &OutsideFiles, data: &Path) -> (Vec<Check>, bool) {
    let beside = |path: &Path| outside.on_the_same_disk(data).iter().any(|found| found == path);
    let journal = judge_journal(
        outside.journal.as_deref(),
        outside.journal.as_deref().is_some_and(Path::exists),
        has_journal(&data.join(DATABASE)).unwrap_or_default(),
        beside,
    );
    let may_be_opened = outside.mark_in(data).exists() && journal.state != State::Fail;
    (vec![check_mark(outside, data), journal], may_be_opened)
}

/// Whether the mark is where the configuration says, and what it is good for there.
pub(super) fn check_mark(outside: &OutsideFiles, data: &Path) -> Check {
    let mark = outside.mark_in(data);
    let is_beside = outside.on_the_same_disk(data).contains(&mark);
    judge_mark(&mark, mark.exists(), outside.mark.is_some(), is_beside)
}

fn judge_mark(mark: &Path, is_there: bool, is_named: bool, is_beside: bool) -> Check {
    let shown = mark.display();
    match is_there {
        false => Check::warn(
            MARK,
            format!(
                "{shown} is not there, and the next start makes it: see that its disk is, or that you moved it away"
            ),
        ),
        true if is_named && is_beside => {
            Check::warn(MARK, format!("{shown} is on the disk of the database: what puts the one back puts both back"))
        }
        true if is_beside => Check::ok(
            MARK,
            format!("{shown} tells of a database that was put back alone; name one on another disk in store.mark"),
        ),
        true => Check::ok(MARK, format!("{shown} is on another disk than the database")),
    }
}

/// What is told where a store has no journal, and none is named.
pub(super) fn no_journal() -> Check {
    Check::ok(
        JOURNAL,
        "there is none: what ends after a backup is not known to it when it is restored; name one in store.journal",
    )
}

fn judge_journal(journal: Option<&Path>, is_there: bool, had_one: bool, beside: impl Fn(&Path) -> bool) -> Check {
    let Some(journal) = journal else {
        return match had_one {
            true => Check::fail(
                JOURNAL,
                "the store has one, and the configuration names none: what ends now is in none, and not known to a backup that is \
                 restored; name it in store.journal",
            ),
            false => no_journal(),
        };
    };
    let shown = journal.display();
    match (is_there, had_one) {
        (false, true) => Check::fail(
            JOURNAL,
            format!(
                "{shown} is not there, and the store has one: see that its disk is there, or put the journal back. The next start \
                 begins another, and what this one has is lost to older backups"
            ),
        ),
        (false, false) => Check::ok(JOURNAL, format!("{shown} is begun by the next start")),
        (true, _) if beside(journal) => Check::warn(
            JOURNAL,
            format!("{shown} is on the disk of the database: what is lost with that is lost with it"),
        ),
        (true, _) => Check::ok(JOURNAL, format!("{shown} is on another disk than the database")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_the_store_has_and_nobody_finds_fails() {
        let named = Some(Path::new("/mnt/journal"));
        for (journal, is_there, had_one, is_beside, state, told) in [
            (None, false, false, false, State::Ok, "there is none"),
            (None, false, true, false, State::Fail, "the configuration names none"),
            (named, false, false, false, State::Ok, "begun by the next start"),
            (named, false, true, false, State::Fail, "/mnt/journal is not there"),
            (named, true, true, true, State::Warn, "on the disk of the database"),
            (named, true, true, false, State::Ok, "on another disk"),
        ] {
            let check = judge_journal(journal, is_there, had_one, |_| is_beside);
            assert!(check.state == state && check.found.contains(told), "{check:?}");
        }
    }

    #[test]
    fn a_mark_on_the_disk_of_the_database_is_not_what_somebody_names_one_for() {
        for (is_there, is_named, is_beside, state, told) in [
            (false, false, true, State::Warn, "the next start makes it"),
            (true, false, true, State::Ok, "name one on another disk"),
            (true, true, true, State::Warn, "puts both back"),
            (true, true, false, State::Ok, "on another disk than the database"),
        ] {
            let check = judge_mark(Path::new("/mnt/mark"), is_there, is_named, is_beside);
            assert!(check.state == state && check.found.contains(told), "{check:?}");
        }
    }
}
