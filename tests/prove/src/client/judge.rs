//! What the promises of the token manager say about an honest record of its exchanges.

use std::collections::{BTreeMap, HashMap};

use super::crew::Told;
use super::exchange::{Exchange, Fate};

/// Everything that happened in a run.
pub(crate) struct Course {
    /// What the proxy carried.
    pub(crate) exchanges: Vec<Exchange>,
    /// What became of the processes.
    pub(crate) told: Told,
    /// How often somebody logged in, the first time included.
    pub(crate) logins: usize,
    /// Whether the server lets a client whose answer was lost have it again.
    pub(crate) has_retry_rule: bool,
    /// How many times as fast as the server's the clients' clock ran.
    pub(crate) clock_factor: u32,
}

/// What a run comes to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Refresh tokens that were presented: an access token of each was due.
    pub(crate) expiries: usize,
    /// Exchanges whose answer no process has used: lost, never given, or had by a process that was killed then.
    pub(crate) unheard: usize,
    /// Refresh tokens that the server refused, so that somebody had to log in again.
    pub(crate) sessions_lost: usize,
    /// Promises that were broken, in words.
    pub(crate) violations: Vec<String>,
}

/// Checks every promise against `course`.
pub(crate) fn judge(course: &Course) -> Verdict {
    let last: HashMap<u32, usize> =
        course.exchanges.iter().enumerate().map(|(place, exchange)| (exchange.process, place)).collect();
    let mut of_token: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    for (place, exchange) in course.exchanges.iter().enumerate() {
        let was_killed = course.told.killed.contains_key(&exchange.process) && last[&exchange.process] == place;
        of_token.entry(&exchange.refresh_token).or_default().push(Seen { exchange, was_killed });
    }
    let mut verdict = Verdict { expiries: of_token.len(), ..Verdict::default() };
    for (token, seen) in &of_token {
        verdict.unheard += seen.iter().filter(|seen| !seen.is_heard()).count();
        verdict.sessions_lost += usize::from(is_lost(seen));
        let found = broken(seen, course.has_retry_rule);
        verdict.violations.extend(found.into_iter().map(|what| format!("{what}: {}", history(token, seen))));
    }
    verdict.violations.extend(too_early(course, &of_token));
    if course.logins != 1 + verdict.sessions_lost {
        let (logins, lost) = (course.logins - 1, verdict.sessions_lost);
        verdict.violations.push(format!("{logins} new logins, but the server ended {lost} sessions"));
    }
    let (exchanges, expiries, unheard) = (course.exchanges.len(), verdict.expiries, verdict.unheard);
    if exchanges > expiries + unheard {
        verdict.violations.push(format!("{exchanges} exchanges for {expiries} expiries and {unheard} lost answers"));
    }
    verdict.violations.extend(course.told.complaints.iter().cloned());
    verdict
}

/// An exchange of one refresh token.
struct Seen<'a> {
    exchange: &'a Exchange,
    /// Whether its process was killed before it began another.
    was_killed: bool,
}

impl Seen<'_> {
    /// Whether the process that sent it knew the server's verdict, and lived on.
    fn is_heard(&self) -> bool {
        let is_verdict = self.exchange.answer.as_ref().is_some_and(|answer| answer.status < 429);
        is_verdict && !self.is_answer_lost() && !self.was_killed
    }

    fn is_answer_lost(&self) -> bool {
        matches!(self.exchange.fate, Fate::DroppedAfter | Fate::Truncated)
    }

    fn has_tokens(&self) -> bool {
        self.exchange.answer.as_ref().is_some_and(|answer| answer.has_tokens())
    }

    fn ends_session(&self) -> bool {
        self.exchange.answer.as_ref().is_some_and(|answer| answer.ends_session())
    }
}

fn is_lost(seen: &[Seen<'_>]) -> bool {
    seen.iter().any(Seen::ends_session)
}

/// What the exchanges of one refresh token break.
fn broken(seen: &[Seen<'_>], has_retry_rule: bool) -> Vec<&'static str> {
    let is_spent_unheard = seen.iter().any(|seen| seen.has_tokens() && !seen.is_heard());
    let is_answer_lost = seen.iter().any(|seen| seen.has_tokens() && seen.is_answer_lost());
    let unheard = seen.iter().filter(|seen| !seen.is_heard()).count();
    let dead = seen.iter().position(|seen| seen.ends_session() && seen.is_heard());
    let successors: Vec<_> = seen.iter().filter_map(|seen| seen.exchange.answer.as_ref()?.successor.as_ref()).collect();
    let checks = [
        (is_lost(seen) && has_retry_rule, "a session was lost where lost answers can be had again"),
        (is_lost(seen) && !is_spent_unheard, "a session was lost, and no answer was"),
        (is_answer_lost && !is_lost(seen) && !has_retry_rule, "an answer was lost, and the session was not"),
        (seen.len() > 1 + unheard, "more exchanges than one and the unheard ones"),
        (dead.is_some_and(|dead| dead + 1 < seen.len()), "a dead token was sent again"),
        (has_retry_rule && successors.iter().any(|one| *one != successors[0]), "two successors of one token"),
    ];
    checks.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, what)| what).collect()
}

/// Refresh tokens that were presented while the access token beside them had more than half of its life left. All access
/// tokens here are so short-lived that they are due at half of it.
fn too_early(course: &Course, of_token: &BTreeMap<&str, Vec<Seen<'_>>>) -> Vec<String> {
    let mut due = HashMap::new();
    for answer in course.exchanges.iter().filter_map(|exchange| exchange.answer.as_ref()) {
        if let (Some(successor), Some(expires_in)) = (&answer.successor, answer.expires_in) {
            let at = answer.came.as_secs_f64() + expires_in as f64 / 2.0 / f64::from(course.clock_factor);
            let earliest = due.entry(successor.as_str()).or_insert(at);
            *earliest = at.min(*earliest);
        }
    }
    let early = of_token.iter().filter(|(token, seen)| {
        let first = seen[0].exchange.came.as_secs_f64();
        due.get(*token).is_some_and(|due| first < due - ROUNDING_SECONDS)
    });
    early.map(|(token, seen)| format!("refreshed before it was due: {}", history(token, seen))).collect()
}

/// Clocks are read in whole milliseconds.
const ROUNDING_SECONDS: f64 = 0.005;

/// The exchanges of a token, for whoever looks for what went wrong. The token is cut: it tells two apart, and no more.
fn history(token: &str, seen: &[Seen<'_>]) -> String {
    let mut lines = format!("…{}", &token[token.len().saturating_sub(6)..]);
    for Seen { exchange, was_killed } in seen.iter().take(TOLD_MAX) {
        let answer = exchange.answer.as_ref();
        let status = answer.map_or("no answer".to_owned(), |answer| answer.status.to_string());
        let killed = if *was_killed { ", killed" } else { "" };
        let (came, process, fate) = (exchange.came.as_millis(), exchange.process, exchange.fate);
        lines += &format!("; {came} ms, process {process}{killed}: {fate:?}, {status}");
    }
    lines
}

/// How many exchanges of a token are told.
const TOLD_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::exchange::Answer;

    /// An exchange of `token` by `process`: 200 with `successor`, or `invalid_grant` with none.
    fn exchange(at: u64, process: u32, token: &str, fate: Fate, successor: Option<&str>) -> Exchange {
        let came = Duration::from_secs(at);
        let answer = Answer {
            came,
            status: if successor.is_some() { 200 } else { 400 },
            error: successor.is_none().then(|| "invalid_grant".to_owned()),
            successor: successor.map(str::to_owned),
            expires_in: successor.map(|_| 10),
        };
        let answer = (fate != Fate::DroppedBefore).then_some(answer);
        Exchange { process, refresh_token: token.to_owned(), came, fate, answer }
    }

    fn verdict(exchanges: &[Exchange], killed: &[u32], logins: usize, has_retry_rule: bool) -> Verdict {
        let killed = killed.iter().map(|process| (*process, "sent".to_owned())).collect();
        let told = Told { killed, ..Told::default() };
        judge(&Course { exchanges: exchanges.to_vec(), told, logins, has_retry_rule, clock_factor: 1 })
    }

    #[test]
    fn what_the_promises_allow_is_no_violation() {
        use Fate::{Arrives, DroppedAfter, DroppedBefore, Truncated};
        let lost = [exchange(0, 1, "a", DroppedAfter, Some("b")), exchange(1, 1, "a", Arrives, None)];
        let retried = [exchange(0, 1, "a", Truncated, Some("b")), exchange(1, 1, "a", Arrives, Some("b"))];
        let dropped = [exchange(0, 1, "a", DroppedBefore, None), exchange(1, 1, "a", Arrives, Some("b"))];
        let killed = [exchange(0, 1, "a", Arrives, Some("b")), exchange(1, 2, "a", Arrives, None)];
        let due = [exchange(0, 1, "a", Arrives, Some("b")), exchange(5, 2, "b", Arrives, Some("c"))];
        for (exchanges, killed, logins, has_retry_rule, sessions_lost) in [
            (&lost[..], &[][..], 2, false, 1),
            (&retried, &[], 1, true, 0),
            (&dropped, &[], 1, false, 0),
            (&killed, &[1], 2, false, 1),
            (&due, &[], 1, false, 0),
        ] {
            let verdict = verdict(exchanges, killed, logins, has_retry_rule);
            assert_eq!((verdict.violations, verdict.sessions_lost), (Vec::new(), sessions_lost));
        }
    }

    #[test]
    fn each_broken_promise_is_found() {
        use Fate::{Arrives, DroppedAfter, DroppedBefore};
        let end = |at, token| exchange(at, 1, token, Arrives, None);
        let fine = |at, token, successor| exchange(at, 1, token, Arrives, Some(successor));
        for (exchanges, logins, has_retry_rule, expected) in [
            (vec![exchange(0, 1, "a", DroppedAfter, Some("b")), end(1, "a")], 2, true, "lost answers can be had again"),
            (vec![exchange(0, 1, "a", DroppedBefore, None), end(1, "a")], 2, false, "no answer was"),
            (vec![fine(0, "a", "b"), end(1, "a")], 2, false, "more exchanges than one"),
            (vec![exchange(0, 1, "a", DroppedAfter, Some("b"))], 1, false, "the session was not"),
            (vec![end(0, "a"), end(1, "a")], 2, false, "a dead token was sent again"),
            (vec![fine(0, "a", "b"), fine(1, "a", "c")], 1, true, "two successors"),
            (vec![fine(0, "a", "b"), fine(4, "b", "c")], 1, true, "before it was due"),
            (vec![fine(0, "a", "b")], 2, true, "1 new logins"),
        ] {
            let found = verdict(&exchanges, &[], logins, has_retry_rule).violations;
            assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:?}");
        }
    }
}
