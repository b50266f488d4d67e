//! Reading a source to its end, and what came of it.

use std::path::Path;

use regrant_import::{
    Item, Kind, LeftOut, OpenError, Options, Reader, Reason, Record, RowProblem, Source, System, TokenDigest,
};
use regrant_protocol::Timestamp;

/// 2026-11-21 12:00:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

/// Everything that a source gave out.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    pub(crate) records: Vec<Record>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) problems: Vec<RowProblem>,
}

/// The options of most tests: everything in UTC, at [`NOW`].
pub(crate) fn options() -> Options {
    Options::new(NOW, regrant_crypto::sha256)
}

/// What a token is found by.
pub(crate) fn digest(token: &str) -> TokenDigest {
    TokenDigest::of(token, regrant_crypto::sha256)
}

/// The file of that name among the fixtures.
pub(crate) fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).display().to_string()
}

/// Reads the file at `path` to its end.
pub(crate) async fn read(system: System, path: &str, options: Options) -> Result<Readings, OpenError> {
    let mut reader = Reader::open(system, &Source::parse(path, None)?, options).await?;
    let mut readings = Readings::default();
    while let Some(items) = reader.next().await? {
        for item in items {
            match item {
                Item::Record(record) => readings.records.push(record),
                Item::LeftOut(left_out) => readings.left_out.push(left_out),
                Item::Problem(problem) => readings.problems.push(problem),
            }
        }
    }
    Ok(readings)
}

impl Readings {
    /// What became of the one row of that kind, in a few words for tables of cases.
    pub(crate) fn outcome(&self, kind: Kind) -> String {
        let records = self.records.iter().filter(|record| record.kind() == kind).map(|record| match record {
            Record::RefreshToken(token) => format!("live, {:?}", token.expires_at),
            Record::AccessToken(token) => format!("live, {:?}", token.expires_at),
            other @ (Record::Scope(_) | Record::Client(_) | Record::User(_) | Record::Consent(_)) => {
                format!("{other:?}")
            }
        });
        let left_out = self.left_out.iter().filter(|row| row.kind == kind).map(|row| row.reason.to_string());
        let problems =
            self.problems.iter().filter(|row| row.kind == kind).map(|row| format!("{}: {}", row.column, row.fault));
        records.chain(left_out).chain(problems).collect::<Vec<_>>().join("; ")
    }

    /// How often something of that kind was left out for that reason.
    pub(crate) fn left_out_for(&self, kind: Kind, reason: &Reason) -> usize {
        self.left_out.iter().filter(|row| row.kind == kind && row.reason == *reason).count()
    }
}

/// The records of a variant that a source gave out.
macro_rules! all {
    ($readings:expr, $variant:ident) => {{
        let mut found = Vec::new();
        for record in &$readings.records {
            if let regrant_import::Record::$variant(record) = record {
                found.push(record);
            }
        }
        found
    }};
}
pub(crate) use all;

/// The one record of a variant that a source gave out.
macro_rules! only {
    ($readings:expr, $variant:ident) => {{
        let found = $crate::readings::all!($readings, $variant);
        assert_eq!(found.len(), 1, "there is one, and only one: {found:?}");
        found[0]
    }};
}
pub(crate) use only;
