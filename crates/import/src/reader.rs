use std::collections::BTreeMap;

use regrant_protocol::Timestamp;

use crate::database::{Cells, Database};
use crate::dotauth::{self, DotauthTables};
use crate::ledger::Ledger;
use crate::php::{self, PhpTables};
use crate::table::{ColumnFault, Pages, Row, Table};
use crate::tables::{Naming, Wanted};
use crate::wso2::{self, Wso2Tables};
use crate::{Kind, LeftOut, OpenError, Options, Origin, ReadError, Reason, Record, RowProblem, Source, System};

/// Reads a foreign database from its first scope to its last token, a page at a time.
///
/// Everything is seen as it was when the reader was opened, also while others go on writing (but in a file of SQLite
/// that is not in WAL mode, whose writers wait). Nothing is ever written to the source.
pub struct Reader {
    tables: Tables,
    steps: Vec<Step>,
    step: usize,
    pages: Pages,
    context: Context,
}

/// What became of a row.
#[derive(Clone, Debug)]
pub enum Item {
    /// It can be taken over.
    Record(Record),
    /// It is in order, but nothing that anybody could still use.
    LeftOut(LeftOut),
    /// It is broken.
    Problem(RowProblem),
}

/// A table and what is in it.
pub(crate) struct Step {
    pub(crate) content: Content,
    pub(crate) table: Table,
}

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Scopes,
    Clients,
    Users,
    Consents,
    RefreshTokens,
    /// Where a row is both kinds of token, they are read from here.
    AccessTokens,
}

/// What reading any row may need.
pub(crate) struct Context {
    pub(crate) database: Database,
    pub(crate) options: Options,
    pub(crate) ledger: Ledger,
}

enum Tables {
    Php(PhpTables),
    Wso2(Wso2Tables),
    Dotauth(DotauthTables),
}

impl Reader {
    /// Opens `source` as a database of `system`, and checks that its tables are those of that system.
    ///
    /// # Errors
    /// When it cannot be read, or is another system's.
    pub async fn open(system: System, source: &Source, options: Options) -> Result<Self, OpenError> {
        let renamed: BTreeMap<String, String> = options.renamed_tables.clone();
        let mut naming = Naming { system, prefix: options.table_prefix.clone(), renamed };
        let specs = match system {
            System::Bshaffer => php::BSHAFFER,
            System::Redcore => php::REDCORE,
            System::Wso2 => wso2::TABLES,
            System::Dotauth => dotauth::TABLES,
        };
        let mut database = source.open(&Wanted { naming: &naming, specs }).await?;
        let tables = match system {
            System::Bshaffer | System::Redcore => Tables::Php(PhpTables::find(&mut naming, &mut database).await?),
            System::Wso2 => Tables::Wso2(Wso2Tables::find(&naming, &mut database).await?),
            System::Dotauth => Tables::Dotauth(DotauthTables::find(&naming, &mut database).await?),
        };
        let mut context = Context { database, options, ledger: Ledger::new()? };
        let steps = match &tables {
            Tables::Php(tables) => tables.steps(),
            Tables::Wso2(tables) => tables.steps(),
            Tables::Dotauth(tables) => tables.steps(),
        };
        if let Tables::Wso2(tables) = &tables {
            tables.claim_tokens(&mut context).await?;
        }
        Ok(Self { tables, steps, step: 0, pages: Pages::default(), context })
    }

    /// What this database has no table for, or an empty one: its users may be elsewhere.
    #[must_use]
    pub fn absent(&self) -> Vec<Kind> {
        match &self.tables {
            Tables::Php(tables) => tables.absent(),
            Tables::Wso2(tables) => tables.absent(),
            Tables::Dotauth(tables) => tables.absent(),
        }
    }

    /// Whether this is a dump that `mysqldump` wrote in UTC, so that [`Zones::database`](crate::Zones) counts.
    #[must_use]
    pub fn is_dumped_in_utc(&self) -> bool {
        self.context.database.is_dumped_in_utc()
    }

    /// What the reader was opened with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.context.options
    }

    /// Begins again. What is seen is the same as before.
    pub fn rewind(&mut self) {
        self.step = 0;
        self.pages = Pages::default();
        self.context.ledger.begin_pass();
    }

    /// What became of the next rows, at most 500 of them; a row of WSO2 or DotAuth can be two tokens. `None` after the last.
    ///
    /// # Errors
    /// When the database fails. What was given out before stays good.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, ReadError> {
        while let Some(step) = self.steps.get(self.step) {
            let Some(rows) = self.pages.next(&step.table, &mut self.context.database).await? else {
                self.step += 1;
                self.pages = Pages::default();
                continue;
            };
            return Ok(Some(match &self.tables {
                Tables::Php(tables) => tables.items(step, &rows, &mut self.context).await?,
                Tables::Wso2(tables) => tables.items(step, &rows, &mut self.context).await?,
                Tables::Dotauth(tables) => tables.items(step, &rows, &mut self.context).await?,
            }));
        }
        Ok(None)
    }
}

impl Context {
    /// Reads rows of which each is one record or a problem.
    pub(crate) fn each(
        &self,
        step: &Step,
        rows: &[Cells],
        kind: Kind,
        read: impl Fn(&Row<'_>, &Self) -> Result<Record, ColumnFault>,
    ) -> Vec<Item> {
        rows.iter()
            .map(|cells| {
                let row = step.table.row(cells, self.options.digest);
                match read(&row, self) {
                    Ok(record) => Item::Record(record),
                    Err(fault) => Item::Problem(fault.in_row(kind, row.origin)),
                }
            })
            .collect()
    }

    /// The token, unless another row that comes before it has the same.
    ///
    /// # Errors
    /// When there is no room for the list of digests.
    pub(crate) fn unless_duplicate(&self, record: Record) -> Result<Item, ReadError> {
        let digest = match &record {
            Record::RefreshToken(token) => token.digest,
            Record::AccessToken(token) => token.digest,
            Record::Scope(_) | Record::Client(_) | Record::User(_) | Record::Consent(_) => {
                return Ok(Item::Record(record));
            }
        };
        let origin = record.origin().clone();
        match self.ledger.takes(&digest, &origin.to_string()) {
            Ok(true) => return Ok(Item::Record(record)),
            Ok(false) => {}
            Err(error) => return Err(ReadError { table: origin.table, cause: error.to_string() }),
        }
        Ok(Item::left_out(record.kind(), &origin, Reason::Duplicate))
    }
}

impl Item {
    pub(crate) fn left_out(kind: Kind, origin: &Origin, reason: Reason) -> Self {
        Self::LeftOut(LeftOut { kind, origin: origin.clone(), reason, ended_at: None })
    }

    pub(crate) fn expired(kind: Kind, origin: &Origin, ended_at: Option<Timestamp>) -> Self {
        Self::LeftOut(LeftOut { kind, origin: origin.clone(), reason: Reason::Expired, ended_at })
    }
}
