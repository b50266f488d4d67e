use regrant_store::JournalMisfit;
use regrant_store_postgres::{ExaminedJournal, FoundJournal, Settings, examine_journal};

use super::check::Check;
use super::outside::{JOURNAL, no_journal};

/// Whether the revocation journal of a store on PostgreSQL is where the configuration says, and has what the store has.
pub(super) async fn check(settings: &Settings) -> Check {
    match examine_journal(settings).await {
        Ok(found) => judge(&found),
        Err(error) => Check::fail(JOURNAL, error.to_string()),
    }
}

fn judge(examined: &ExaminedJournal) -> Check {
    let known = examined.known;
    let Some(FoundJournal { address, span, shares_server }) = &examined.found else {
        return match known {
            0 => no_journal(),
            _ => Check::fail(
                JOURNAL,
                "the store has one, and the configuration names none: no node starts like this; name it in store.journal",
            ),
        };
    };
    match span.map(|span| (span.last, span.fit(known))) {
        None if known > 0 => Check::fail(
            JOURNAL,
            format!("{address} has none in it, and the store has records of one; name that one in store.journal"),
        ),
        None => Check::ok(JOURNAL, format!("{address} has none in it; the next start begins it")),
        Some((last, Err(JournalMisfit::EndsBefore))) => Check::fail(
            JOURNAL,
            format!(
                "{address} ends with record {last}, and the store has {known}: it was put back to an earlier day; put a copy of today there"
            ),
        ),
        Some((_, Err(JournalMisfit::BeginsAfter))) => Check::fail(
            JOURNAL,
            format!(
                "{address} begins after record {known}, the last that the store has; name the journal from before it"
            ),
        ),
        Some(_) if *shares_server => Check::warn(
            JOURNAL,
            format!("{address} is at the server of the store, and lost with it; name a database of another server"),
        ),
        Some((last, Ok(()))) => {
            Check::ok(JOURNAL, format!("{address} goes to record {last}, at another server than the store"))
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_store::JournalSpan;

    use super::*;
    use crate::administration::doctor::check::State;

    #[test]
    fn a_journal_that_is_not_what_the_store_has_fails_and_one_beside_it_is_warned_of() {
        let span = |begins_after, last| Some(JournalSpan { begins_after, last, reached: None });
        for (known, found, state, told) in [
            (0, None, State::Ok, "there is none"),
            (7, None, State::Fail, "the configuration names none"),
            (0, Some((None, false)), State::Ok, "the next start begins it"),
            (7, Some((None, false)), State::Fail, "has records of one"),
            (7, Some((span(0, 6), false)), State::Fail, "ends with record 6, and the store has 7"),
            (7, Some((span(8, 9), false)), State::Fail, "begins after record 7"),
            (7, Some((span(0, 7), true)), State::Warn, "at the server of the store"),
            (7, Some((span(0, 8), false)), State::Ok, "goes to record 8"),
        ] {
            let found = found.map(|(span, shares_server)| FoundJournal {
                address: "postgres://db3.example/journal".to_owned(),
                span,
                shares_server,
            });
            let check = judge(&ExaminedJournal { known, found });
            assert!(check.state == state && check.found.contains(told), "{told}: {check:?}");
        }
    }
}
