use std::path::Path;

use regrant_data_directory::OutsideFiles;
use regrant_store_postgres::Address;

use crate::config::StoreConfig;
use crate::config::key::{Form, Key, Kind};
use crate::config::problem::Fault;
use crate::config::secret_or_file::SecretOrFile;
use crate::config::store::PASSWORD_BYTES_MAX;
use crate::config::table_reader::{PathOr, Reported, TableReader};
use crate::config::value::Preset;

pub(super) const MARK: Key = Key::new(
    "mark",
    Kind::Text(Form::Path),
    Preset::Absent,
    "The high-water mark: a small file that says how far the database has come, so that one that was put back to an earlier day is noticed. Best on another disk than the database; with PostgreSQL each server has its own. Without it, `high-water.mark` in the directory `server.data`.",
)
.at_start();

pub(super) const JOURNAL: Key = Key::new(
    "journal",
    Kind::Text(Form::Path),
    Preset::Absent,
    "The revocation journal, to which everything that ends is added before anybody hears of it, so that a restored database does not bring it back. With SQLite a file, best on another disk. With PostgreSQL another database, the same for all servers and best elsewhere: `postgres://user@host/database`, as in `url`. Without it there is none.",
)
.at_start();

pub(super) const JOURNAL_PASSWORD_FILE: Key = Key::new(
    "journal_password_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file with the password of the user of the journal's database and nothing else.",
)
.at_start();

pub(super) const JOURNAL_PASSWORD: Key = Key::new(
    "journal_password",
    Kind::Secret,
    Preset::Absent,
    "The password itself. Better name a file in `journal_password_file`, or set the environment variable.",
)
.at_start();

/// What keeps everything, and where the files outside of it are.
pub(super) type StoreAndOutside = (StoreConfig, OutsideFiles);

/// Reads the store, and what is outside of it.
pub(super) fn read(table: &mut TableReader<'_>) -> Result<StoreAndOutside, Reported> {
    let (store, mark, journal) = (StoreConfig::read(table), table.path(&MARK, in_directory), read_journal(table));
    let (mut store, mark, journal) = (store?, mark?.map(|(path, ())| path), journal?);
    let journal = match (&mut store, journal) {
        (_, None) => None,
        (StoreConfig::Sqlite, Some(PathOr::Path(path))) => Some(path),
        (StoreConfig::Sqlite, Some(PathOr::Other(_))) => {
            return Err(contradiction(table, "with SQLite the journal is a file; name one, or the url of the store"));
        }
        (StoreConfig::Postgres(_), Some(PathOr::Path(_))) => {
            let told = "a file is for one server, and any number may use the database of url; name a second database, for example \
                        journal = \"postgres://regrant@db3.example/journal\"";
            return Err(contradiction(table, told));
        }
        (StoreConfig::Postgres(settings), Some(PathOr::Other(address))) => {
            if address.to_string() == settings.address.to_string() {
                let told =
                    "it is the database of url, and lost and put back with it; name another, best on another server";
                return Err(contradiction(table, told));
            }
            settings.journal = Some(address);
            None
        }
    };
    Ok((store, OutsideFiles { mark, journal }))
}

fn read_journal(table: &mut TableReader<'_>) -> Result<Option<PathOr<Address>>, Reported> {
    let password = SecretOrFile {
        secret: &JOURNAL_PASSWORD,
        file: &JOURNAL_PASSWORD_FILE,
        owner: "the journal",
        power: "read and change everything in the journal",
        shape: format!("password of 1 to {PASSWORD_BYTES_MAX} bytes"),
        bytes_max: PASSWORD_BYTES_MAX,
        is_usable: |text| !text.is_empty(),
        is_for_its_owner: true,
    };
    let password = password.read(table).map(|found| found.map(|(_, secret)| secret));
    let known = password.as_ref().ok().and_then(Option::as_ref);
    // Whatever has a scheme is meant for a database: another one is told so.
    let parse = |text: &str| text.contains("://").then(|| Address::parse(text, known).map_err(Fault::value));
    let journal = table.path_or(&JOURNAL, parse, in_directory)?;
    if password?.is_some() && !matches!(journal, Some(PathOr::Other(_))) {
        let needy = [&JOURNAL_PASSWORD, &JOURNAL_PASSWORD_FILE].into_iter().find(|key| table.value(key).is_some());
        let needy = needy.unwrap_or(&JOURNAL_PASSWORD).name;
        let told =
            format!("{needy} needs a database in it, for example journal = \"postgres://regrant@db3.example/journal\"");
        return Err(table.refuse(table.origin(needy), JOURNAL.name, Fault::Missing(told)));
    }
    Ok(journal)
}

fn contradiction(table: &mut TableReader<'_>, told: &str) -> Reported {
    table.refuse(table.origin(JOURNAL.name), JOURNAL.name, Fault::Contradiction(told.to_owned()))
}

/// The file is made, its directory is not.
fn in_directory(path: &Path) -> Result<(), Fault> {
    match path.parent() {
        Some(parent) if parent.is_dir() => Ok(()),
        Some(parent) => Err(Fault::Value(format!("there is no directory {}; make it", parent.display()))),
        None => Err(Fault::Value("it is a directory; name a file".to_owned())),
    }
}
