use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use regrant_crypto::SeededEntropy;
use regrant_databases::{Database, Postgres};
use regrant_grant::Grant;
use regrant_protocol::Secret;
use regrant_store::Store;
use regrant_store_postgres::{Address, PostgresStore, Settings};
use tokio::time::sleep;

use super::way::Way;
use crate::history::{History, Judge, Outcome, Tokens};
use crate::report::Entry;
use crate::world::{Carelessness, Login, Origin, Refresh, World, open_node, row};

/// The node whose way to the database is cut.
pub(super) const BEHIND_WAY: usize = 0;

/// The node that reaches the database by itself.
pub(super) const DIRECT: usize = 1;

/// How long after an answer that decides nothing it is asked again.
const ASKED_AGAIN: Duration = Duration::from_millis(2);

/// How often it is asked until something is decided.
const ASKED_TIMES_MAX: usize = 5_000;

/// Two nodes of one store with a journal, of which one comes to both by a way that is cut, and what was seen there.
pub(super) struct Site {
    pub(super) way: Way,
    pub(super) world: World,
    pub(super) cuts: usize,
    /// How often a request was decided although a connection was cut while it was under way.
    pub(super) answered: usize,
    /// How often it was answered that nobody knows.
    pub(super) unanswered: usize,
    /// How often it had been done all the same.
    pub(super) unanswered_and_done: usize,
    /// The grant that is refreshed, and its newest tokens.
    pub(super) login: Login,
    pub(super) violations: Vec<String>,
    judge: Judge,
    chance: SeededEntropy,
    /// Who sees the rows, and nothing is cut of.
    observer: PostgresStore,
    journal: Database<'static>,
    _database: Database<'static>,
}

impl Site {
    /// Makes the store, and opens it for both nodes; a fault is planted in both.
    pub(super) async fn open(planted: Option<Carelessness>, seed: u64) -> Result<Self> {
        let postgres = Postgres::shared();
        let [database, journal] = [(); 2].map(|()| postgres.database());
        let way = Way::to(postgres.port()).await?;
        let password = Secret::new(postgres.password().to_owned());
        let by_way = |database: &Database<'_>| {
            let url = format!("postgres://postgres@127.0.0.1:{}/{}?sslmode=disable", way.port(), database.name());
            Address::parse(&url, Some(&password))
        };
        let direct = |database: &Database<'_>| Address::parse(&database.url(), None);
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        let settings = |store, journal| Settings { journal: Some(journal), ..Settings::new(store) };
        let direct = settings(direct(&database)?, direct(&journal)?);
        for settings in [settings(by_way(&database)?, by_way(&journal)?), direct.clone()] {
            stores.push(Arc::new(open_node(settings, None).await?));
        }
        let observer = open_node(direct, None).await?;
        let world = World::open(stores, planted, None).await?;
        let login = world.begin(Origin::LogIn).await?;
        Ok(Self {
            way,
            world,
            cuts: 0,
            answered: 0,
            unanswered: 0,
            unanswered_and_done: 0,
            login,
            violations: Vec::new(),
            judge: Judge::default(),
            chance: SeededEntropy::new(seed),
            observer,
            journal,
            _database: database,
        })
    }

    /// Makes a grant. The node that was cut off may have to connect first.
    pub(super) async fn log_in(&self) -> Result<Login> {
        let mut login = self.world.begin(Origin::LogIn).await;
        for _ in 0..ASKED_TIMES_MAX {
            if login.is_ok() {
                break;
            }
            sleep(ASKED_AGAIN).await;
            login = self.world.begin(Origin::LogIn).await;
        }
        login
    }

    /// The row of the grant of a login.
    pub(super) async fn row(&self, login: &Login) -> Result<Grant> {
        row(&self.observer, login.tokens.grant).await
    }

    /// Refreshes at a node until that is decided.
    pub(super) async fn refresh_until_decided(&self, node: usize, login: &Login, presented: &Tokens) -> Refresh {
        let mut answer = self.world.refresh_at(node, login, presented).await;
        for _ in 0..ASKED_TIMES_MAX {
            if answer.0.outcome != Outcome::Unknown {
                break;
            }
            sleep(ASKED_AGAIN).await;
            answer = self.world.refresh_at(node, login, presented).await;
        }
        answer
    }

    /// Revokes at a node until that is answered. Where a commit had failed after it was journalled, the next that ends something hears so,
    /// and finds it mended when it asks again.
    pub(super) async fn revoke_until_decided(&self, node: usize, login: &Login) -> Result<()> {
        let mut answer = self.world.revoke_at(node, login).await;
        for _ in 0..ASKED_TIMES_MAX {
            if answer.is_ok() {
                break;
            }
            sleep(ASKED_AGAIN).await;
            answer = self.world.revoke_at(node, login).await;
        }
        answer
    }

    /// Whether the journal tells of the end of the grant of a login.
    pub(super) fn is_recorded(&self, login: &Login) -> bool {
        let records = self.journal.sql("SELECT ending FROM regrant_journal.records");
        records.contains(&format!("\"{}\"", login.tokens.grant))
    }

    /// Judges what was asked of a grant.
    pub(super) fn hear(&mut self, history: &History) {
        self.judge.hear(history, &self.chance);
    }

    /// Adds what was judged to a result; what was not as it has to be.
    pub(super) fn close(&self, entry: &mut Entry) -> Vec<String> {
        self.judge.describe(entry);
        self.violations.iter().cloned().chain(self.judge.violations()).collect()
    }
}
