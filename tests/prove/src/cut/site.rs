use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use regrant_crypto::SeededEntropy;
use regrant_databases::{Database, Postgres};
use regrant_grant::Grant;
use regrant_protocol::Secret;
use regrant_store::Store;
use regrant_store_postgres::{Address, PostgresStore, Settings};

use super::way::Way;
use crate::history::{History, Judge, Outcome, Tokens};
use crate::report::Entry;
use crate::rows::unrecorded;
use crate::waiting;
use crate::world::{Carelessness, Login, Origin, Refresh, World, open_node, row};

/// The node whose way to the database is cut.
pub(super) const BEHIND_WAY: usize = 0;

/// The node that reaches the database by itself.
pub(super) const DIRECT: usize = 1;

/// How long after an answer that decides nothing it is asked again.
const ASKED_AGAIN: Duration = Duration::from_millis(2);

/// How long it may take until something is decided.
const DECIDED_WITHIN: Duration = Duration::from_secs(30);

/// Two nodes of one store with a journal, of which one comes to both by a way that is cut, and what was seen there.
pub(super) struct Site {
    pub(super) way: Way,
    pub(super) world: World,
    pub(super) counts: Counts,
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

/// What became of requests of which a connection was cut.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// How many there were.
    pub(super) cut: usize,
    /// How many were decided all the same.
    pub(super) answered: usize,
    /// How many were not, and had been done.
    pub(super) unanswered_and_done: usize,
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
            counts: Counts::default(),
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
        until_decided(|| async { self.world.begin(Origin::LogIn).await.ok() }).await.context("nobody can log in")
    }

    /// The row of the grant of a login.
    pub(super) async fn row(&self, login: &Login) -> Result<Grant> {
        row(&self.observer, login.tokens.grant).await
    }

    /// Refreshes at a node until that is decided; `None` when that takes too long.
    pub(super) async fn refresh_until_decided(
        &self,
        node: usize,
        login: &Login,
        presented: &Tokens,
    ) -> Option<Refresh> {
        let ask = || async {
            let answer = self.world.refresh_at(node, login, presented).await;
            (answer.0.outcome != Outcome::Unknown).then_some(answer)
        };
        until_decided(ask).await
    }

    /// Revokes at a node until that is answered; `None` when that takes too long. Where a commit had failed after it was journalled, the
    /// next that ends something hears so, and finds it mended when it asks again.
    pub(super) async fn revoke_until_decided(&self, node: usize, login: &Login) -> Option<()> {
        until_decided(|| async { self.world.revoke_at(node, login).await.ok() }).await
    }

    /// Whether the journal tells of the end of the grant of a login.
    pub(super) fn is_recorded(&self, login: &Login) -> bool {
        unrecorded(&[login.tokens.grant], |select| self.journal.sql(select)) == 0
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

async fn until_decided<T, Answer: Future<Output = Option<T>>>(ask: impl Fn() -> Answer) -> Option<T> {
    waiting::until_decided(ASKED_AGAIN, DECIDED_WITHIN, ask).await
}
