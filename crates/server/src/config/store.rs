use crate::config::key::{Key, Kind, words};
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section =
    Section { name: "store", shape: Shape::Table, doc: "What keeps clients, users and grants.", keys: &[KIND] };

const KIND: Key = Key::new(
    "kind",
    Kind::Choice(&KINDS_WORDS),
    Preset::Text("sqlite"),
    "`sqlite` is a database file in the directory `server.data`, for one server.",
)
.at_start();

const KINDS: [(&str, StoreKind); 1] = [("sqlite", StoreKind::Sqlite)];
const KINDS_WORDS: [&str; 1] = words(&KINDS);

/// What keeps clients, users and grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite in the data directory.
    Sqlite,
}

impl StoreKind {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        table.choice(&KIND, &KINDS)
    }
}
