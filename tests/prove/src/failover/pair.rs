use std::mem;

use anyhow::Result;
use regrant_databases::Postgres;
use regrant_protocol::Secret;
use regrant_store_postgres::Address;

use super::way::Way;

/// What becomes of a primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It and everything it has started is dead.
    Killed,
    /// It stands still. Connections to it are made, and nobody answers.
    Paused,
    /// It goes on, and nothing comes from the nodes to it, or from it to them.
    CutOff,
}

impl Failure {
    /// Every one.
    pub(crate) const ALL: [Self; 3] = [Self::Killed, Self::Paused, Self::CutOff];

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killed => "primary_killed",
            Self::Paused => "primary_paused",
            Self::CutOff => "primary_cut_off",
        }
    }
}

/// A primary and its standby, and the ways from the nodes to both.
pub(crate) struct Pair {
    primary: Postgres,
    standby: Postgres,
    ways: [Way; 2],
    /// Which of the ways leads to the primary.
    place: usize,
}

impl Pair {
    /// Starts both. Commits do not wait for the standby yet.
    pub(crate) async fn start() -> Result<Self> {
        let primary = Postgres::start();
        let standby = primary.standby();
        let ways = [Way::to(primary.port()).await?, Way::to(standby.port()).await?];
        Ok(Self { primary, standby, ways, place: 0 })
    }

    /// Both servers, as a node is told of them.
    pub(crate) fn address(&self) -> Result<Address> {
        let [one, other] = self.ways.each_ref().map(Way::port);
        let url = format!("postgres://postgres@127.0.0.1:{one},127.0.0.1:{other}/postgres?sslmode=disable");
        let password = Secret::new(self.primary.password().to_owned());
        Ok(Address::parse(&url, Some(&password))?)
    }

    /// Returns when every commit that was acknowledged is at the standby too, and every later one will be. Nodes have to be
    /// writing.
    pub(crate) fn wait_for_standby(&self) {
        self.primary.wait_for_standby();
    }

    /// Lets the standby fall behind.
    pub(crate) fn stop_following(&self) {
        self.standby.stop_following();
    }

    /// Lets the primary fail.
    pub(crate) fn fail(&mut self, failure: Failure) {
        match failure {
            Failure::Killed => self.primary.kill(),
            Failure::Paused => self.primary.pause(),
            Failure::CutOff => self.ways[self.place].cut(),
        }
    }

    /// Makes the standby the primary of the nodes.
    pub(crate) fn promote(&self) {
        self.standby.promote();
    }

    /// Runs statements at the server that was promoted.
    pub(crate) fn promoted(&self, statements: &str) -> String {
        self.standby.sql(statements)
    }

    /// Lets the primary go on that was paused.
    pub(crate) fn resume(&self) {
        self.primary.resume();
    }

    /// Ends the primary that has failed, and puts a new standby of the promoted one in its place.
    pub(crate) fn replace(&mut self) {
        self.primary.kill();
        let standby = self.standby.standby();
        self.primary = mem::replace(&mut self.standby, standby);
        self.ways[self.place].lead_to(self.standby.port());
        self.place = 1 - self.place;
    }
}
