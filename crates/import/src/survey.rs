use std::collections::BTreeMap;

use regrant_protocol::Timestamp;

use crate::moment::LAST;
use crate::{Expiry, Item, Kind, ReadError, Reader, Reason, Record, RowProblem, UserStanding};

/// How many problems a survey keeps; it counts all.
const PROBLEMS_KEPT_MAX: usize = 100;
const YEAR_SECONDS: i64 = 365 * 86_400;
/// How far clocks may be apart before a time zone is doubted.
const CLOCK_LENIENCE_SECONDS: i64 = 10 * 60;

/// What a source holds, counted without keeping it.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// What can be taken over.
    pub records: BTreeMap<Kind, u64>,
    /// What is in order but left behind, by reason.
    pub left_out: BTreeMap<(Kind, Reason), u64>,
    /// Broken rows.
    pub broken: BTreeMap<Kind, u64>,
    /// The first broken rows, for people to read.
    pub problems: Vec<RowProblem>,
    /// Tokens that a column was too short for (they are among the broken): JWTs in `access_token VARCHAR(40)`.
    pub truncated: u64,
    /// Live tokens of users that are not there, though others are.
    pub orphans: BTreeMap<Kind, u64>,
    /// Live refresh tokens that never end.
    pub never_ending: u64,
    /// Clients whose secret cannot be had, and who need a new one.
    pub encrypted_secrets: u64,
    /// Redirect URIs that cannot be registered here.
    pub refused_redirect_uris: u64,
    /// When the newest live access token was issued, by its own date or by its end.
    pub newest_issue: Option<Timestamp>,
    /// When the newest access token ends or ended.
    pub newest_end: Option<Timestamp>,
    /// What is odd about the clock.
    pub clock_doubt: Option<ClockDoubt>,
    /// What the source has no table for.
    pub absent: Vec<Kind>,
}

/// A sign that dates were read in the wrong time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockDoubt {
    /// Nobody issues tokens in the future.
    #[error(
        "the newest access token would have been issued {} in the future: is --timezone right?", span(*.seconds)
    )]
    Ahead {
        /// How far.
        seconds: i64,
    },
    /// Refresh tokens are live, but no access token is: nobody used the server for that long, or the zone is wrong.
    #[error(
        "no access token is live, and the newest ended {} ago: is --timezone right, or was the server stopped?", span(*.seconds)
    )]
    Behind {
        /// How long.
        seconds: i64,
    },
}

/// Goes through everything that `reader` gives out, and counts.
///
/// # Errors
/// When the database fails.
pub async fn survey(reader: &mut Reader) -> Result<Survey, ReadError> {
    survey_each(reader, |_| Ok(())).await
}

/// As [`survey`], and shows everything to `visit` as it comes by.
///
/// # Errors
/// When the database fails, or what `visit` fails with.
pub async fn survey_each<E: From<ReadError>>(
    reader: &mut Reader,
    mut visit: impl FnMut(&Item) -> Result<(), E>,
) -> Result<Survey, E> {
    let now = reader.options().now;
    let lifetime = i64::from(reader.options().access_lifetime_seconds);
    let mut survey = Survey { absent: reader.absent(), ..Survey::default() };
    while let Some(items) = reader.next().await? {
        for item in items {
            visit(&item)?;
            match item {
                Item::Record(record) => survey.count(&record, lifetime),
                Item::LeftOut(left_out) => {
                    if left_out.kind == Kind::AccessToken {
                        survey.newest_end = survey.newest_end.max(left_out.ended_at);
                    }
                    *survey.left_out.entry((left_out.kind, left_out.reason)).or_default() += 1;
                }
                Item::Problem(problem) => survey.note(problem),
            }
        }
    }
    survey.clock_doubt = survey.doubt(now);
    Ok(survey)
}

impl Survey {
    fn count(&mut self, record: &Record, access_lifetime_seconds: i64) {
        *self.records.entry(record.kind()).or_default() += 1;
        match record {
            Record::RefreshToken(token) => {
                self.count_orphan(Kind::RefreshToken, token.user.as_ref().map(|user| user.standing));
                self.never_ending += u64::from(token.expires_at == Expiry::Never);
            }
            Record::AccessToken(token) => {
                self.count_orphan(Kind::AccessToken, token.user.as_ref().map(|user| user.standing));
                // What ends in the year 9999 does not end, and says nothing about the clock.
                let end = token.expires_at.filter(|end| end.plus_seconds(YEAR_SECONDS) < LAST);
                let issued_by_end = end.map(|end| end.plus_seconds(-access_lifetime_seconds));
                self.newest_end = self.newest_end.max(end);
                self.newest_issue = self.newest_issue.max(token.issued_at.or(issued_by_end));
            }
            Record::Client(client) => {
                self.encrypted_secrets += u64::from(client.secret == crate::ForeignSecret::Encrypted);
                self.refused_redirect_uris += client.refused_redirect_uris.len() as u64;
            }
            Record::Scope(_) | Record::User(_) | Record::Consent(_) => {}
        }
    }

    fn count_orphan(&mut self, kind: Kind, standing: Option<UserStanding>) {
        if standing == Some(UserStanding::Missing) {
            *self.orphans.entry(kind).or_default() += 1;
        }
    }

    fn note(&mut self, problem: RowProblem) {
        *self.broken.entry(problem.kind).or_default() += 1;
        self.truncated += u64::from(problem.is_truncation);
        if self.problems.len() < PROBLEMS_KEPT_MAX {
            self.problems.push(problem);
        }
    }

    fn doubt(&self, now: Timestamp) -> Option<ClockDoubt> {
        let ahead = |moment: Timestamp| moment.seconds() - now.seconds();
        if let Some(seconds) = self.newest_issue.map(ahead).filter(|seconds| *seconds > CLOCK_LENIENCE_SECONDS) {
            return Some(ClockDoubt::Ahead { seconds });
        }
        let has_live_sessions = self.records.contains_key(&Kind::RefreshToken);
        let behind = self.newest_end.map(|end| -ahead(end)).filter(|seconds| *seconds > CLOCK_LENIENCE_SECONDS);
        behind.filter(|_| has_live_sessions).map(|seconds| ClockDoubt::Behind { seconds })
    }
}

/// A span of time as people say it.
fn span(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
