use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use regrant_crypto::SeededEntropy;
use regrant_data_directory::{DataDirectory, KEY_FILE, MARK_FILE, OutsideFiles, RestorePolicy, Restored};
use regrant_databases::{Database, Postgres};
use regrant_protocol::{ManualClock, Timestamp};
use regrant_store_postgres::{Address, Settings, TimeOfDay};
use tempfile::TempDir;

use crate::instance::{Instance, START_SECONDS};
use crate::world::NODES;

/// How long after the nodes were stopped the store is restored, or another journal begun: a node that was seen a moment before may be
/// there still.
const STOPPED_SECONDS: i64 = 60;

/// A database, one for the journal, and the directories of the nodes.
pub(super) struct Databases {
    parent: TempDir,
    store: Database<'static>,
    journal: Option<Database<'static>>,
    then: Option<Then>,
    /// When the nodes start, in seconds since the Unix epoch.
    starts: i64,
}

/// What there was at the backup.
struct Then {
    store: Database<'static>,
    journal: Database<'static>,
    /// The mark of each node.
    marks: Vec<Vec<u8>>,
}

impl Databases {
    pub(super) fn make() -> Result<Self> {
        let (parent, postgres) = (tempfile::tempdir()?, Postgres::shared());
        Ok(Self {
            parent,
            store: postgres.database(),
            journal: Some(postgres.database()),
            then: None,
            starts: START_SECONDS,
        })
    }

    pub(super) fn back_up(&mut self) -> Result<()> {
        let postgres = Postgres::shared();
        let journal = self.journal.as_ref().context("a drill begins with a journal")?;
        let (store, journal) = (postgres.copy_of(&self.store), postgres.copy_of(journal));
        let marks = self.directories().map(|path| fs::read(path.join(MARK_FILE))).collect::<Result<_, _>>()?;
        self.then = Some(Then { store, journal, marks });
        Ok(())
    }

    /// The same in databases of its own.
    pub(super) fn again(&self) -> Result<Self> {
        let postgres = Postgres::shared();
        let then = self.then()?;
        let then = Then {
            store: postgres.copy_of(&then.store),
            journal: postgres.copy_of(&then.journal),
            marks: then.marks.clone(),
        };
        let again = Self {
            parent: tempfile::tempdir()?,
            store: postgres.copy_of(&self.store),
            journal: self.journal.as_ref().map(|journal| postgres.copy_of(journal)),
            then: Some(then),
            starts: self.starts,
        };
        for (from, to) in self.directories().zip(again.directories()) {
            DirBuilder::new().mode(0o700).create(&to)?;
            for name in [KEY_FILE, MARK_FILE] {
                fs::copy(from.join(name), to.join(name))?;
            }
        }
        Ok(again)
    }

    pub(super) async fn open(&self, seed: u64) -> Result<Instance> {
        let now = Timestamp::from_seconds(self.starts);
        let directories: Vec<_> = self.directories().collect();
        let key_file = directories[0].join(KEY_FILE);
        if !key_file.exists() {
            // The first node makes it, and the operator copies it.
            let first = [(directories[0].as_path(), OutsideFiles::default())];
            drop(Instance::open_nodes(&self.settings()?, &first, now, seed.wrapping_add(500)).await?);
            for directory in &directories[1..] {
                DirBuilder::new().mode(0o700).create(directory)?;
                fs::copy(&key_file, directory.join(KEY_FILE))?;
            }
        }
        let places: Vec<_> = directories.iter().map(|path| (path.as_path(), OutsideFiles::default())).collect();
        Instance::open_nodes(&self.settings()?, &places, now, seed).await
    }

    pub(super) fn put_back(&self) {
        if let Some(then) = &self.then {
            self.store.put_back(&then.store);
        }
    }

    pub(super) fn put_outside_back(&self) -> Result<()> {
        let then = self.then()?;
        if let Some(journal) = &self.journal {
            journal.put_back(&then.journal);
        }
        for (directory, mark) in self.directories().zip(&then.marks) {
            fs::write(directory.join(MARK_FILE), mark)?;
        }
        Ok(())
    }

    pub(super) fn lose_outside(&mut self) -> Result<()> {
        self.journal = Some(Postgres::shared().database());
        self.starts += STOPPED_SECONDS;
        for directory in self.directories() {
            fs::remove_file(directory.join(MARK_FILE))?;
        }
        Ok(())
    }

    pub(super) fn forget_journal(&mut self) {
        self.journal = None;
    }

    pub(super) async fn restore(&self, policy: RestorePolicy, with_journal: bool, seed: u64) -> Result<Restored> {
        self.put_back();
        let settings = self.settings()?;
        let journal = settings.journal.clone().filter(|_| with_journal);
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(self.starts + STOPPED_SECONDS)));
        let directory = DataDirectory::open(&self.directories().next().context("there is a node")?)?;
        let (outside, entropy) = (OutsideFiles::default(), SeededEntropy::new(seed));
        let settings = Settings { journal, ..settings };
        Ok(directory.restore_postgres(settings, &outside, policy, !with_journal, &entropy, clock).await?)
    }

    fn settings(&self) -> Result<Settings> {
        let address = Address::parse(&self.store.url(), None)?;
        let journal = self.journal.as_ref().map(|journal| Address::parse(&journal.url(), None)).transpose()?;
        Ok(Settings { time_of_day: TimeOfDay::Given, journal, ..Settings::new(address) })
    }

    fn directories(&self) -> impl Iterator<Item = PathBuf> + '_ {
        (1..=NODES).map(|number| self.parent.path().join(format!("node-{number}")))
    }

    fn then(&self) -> Result<&Then> {
        self.then.as_ref().context("a backup was made")
    }
}
