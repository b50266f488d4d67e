//! What the admin API asks of the program around the server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use regrant_admin::{BackupError, Program, ProgramStatus, SweepState, SweepView};
use regrant_data_directory::DATABASE;
use regrant_engine::SweepOutcome;
use regrant_protocol::{ClientId, Timestamp};
use regrant_store::ClientDefaults;
use regrant_store_sqlite::{BackupError as StoreBackupError, back_up};

use crate::config::{ConfiguredClient, StoreConfig};

/// A process that has a store open.
pub(crate) struct StoreProgram {
    /// What keeps everything, and where.
    store: String,
    /// The file that it lies in, if it lies in one.
    database: Option<PathBuf>,
    defaults: RwLock<ClientDefaults>,
    /// The clients of the configuration, and where they stand in it.
    configured: RwLock<BTreeMap<ClientId, String>>,
    /// When it began to serve, and what its sweeper does; `None` for one that serves nobody else.
    serving: Option<(Timestamp, Mutex<Swept>)>,
}

/// What the sweeper has done since the start.
#[derive(Clone, Copy)]
struct Swept {
    state: SweepState,
    last_pass_at: Option<Timestamp>,
    /// Grants removed in all passes that ended.
    in_passes: u64,
    /// Grants removed in the pass that goes on; its end tells them again.
    in_slices: u64,
}

impl StoreProgram {
    /// A server that sweeps.
    pub(crate) fn serving(store: &StoreConfig, data: &Path, defaults: ClientDefaults, started_at: Timestamp) -> Self {
        let swept = Swept { state: SweepState::Working, last_pass_at: None, in_passes: 0, in_slices: 0 };
        Self { serving: Some((started_at, Mutex::new(swept))), ..Self::alone(store, data, defaults) }
    }

    /// A command that opened the store by itself.
    pub(crate) fn alone(store: &StoreConfig, data: &Path, defaults: ClientDefaults) -> Self {
        let database = match store {
            StoreConfig::Sqlite => Some(data.join(DATABASE)),
            StoreConfig::Postgres(_) => None,
        };
        let (defaults, configured) = (RwLock::new(defaults), RwLock::default());
        Self { store: store.shown(data), database, defaults, configured, serving: None }
    }

    /// Takes what holds from now on for clients of which nobody says otherwise.
    pub(crate) fn set_defaults(&self, defaults: ClientDefaults) {
        *self.defaults.write().unwrap_or_else(PoisonError::into_inner) = defaults;
    }

    /// Takes what the configuration says from now on about single clients.
    pub(crate) fn set_configured(&self, clients: &[ConfiguredClient]) {
        let configured = clients.iter().map(|client| (client.id.clone(), client.origin.to_string())).collect();
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
    }

    /// Notes what came of a slice of the sweep.
    pub(crate) fn swept(&self, outcome: &SweepOutcome, now: Timestamp) {
        let Some((_, swept)) = &self.serving else { return };
        let mut swept = swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.state = match outcome {
            SweepOutcome::ClockDoubted => SweepState::ClockDoubted,
            SweepOutcome::ClockJumped => SweepState::ClockJumped,
            SweepOutcome::Slice(_) | SweepOutcome::Pass(_) | SweepOutcome::Failed(_) | SweepOutcome::NotYet(_) => {
                SweepState::Working
            }
        };
        if let SweepOutcome::Slice(removed) = outcome {
            swept.in_slices += removed.grants;
        }
        if let SweepOutcome::Pass(removed) = outcome {
            swept.last_pass_at = Some(now);
            swept.in_passes += removed.grants;
            swept.in_slices = 0;
        }
    }

    fn sweep(&self) -> Option<SweepView> {
        let (_, swept) = self.serving.as_ref()?;
        let Swept { state, last_pass_at, in_passes, in_slices } = *swept.lock().unwrap_or_else(PoisonError::into_inner);
        let last_pass_at = last_pass_at.map(Into::into);
        Some(SweepView { state, last_pass_at, grants_removed: in_passes + in_slices })
    }
}

#[async_trait]
impl Program for StoreProgram {
    fn client_defaults(&self) -> ClientDefaults {
        self.defaults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn where_configured(&self, client: &ClientId) -> Option<String> {
        self.configured.read().unwrap_or_else(PoisonError::into_inner).get(client).cloned()
    }

    fn status(&self) -> ProgramStatus {
        ProgramStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: self.store.clone(),
            started_at: self.serving.as_ref().map(|(started_at, _)| (*started_at).into()),
            sweep: self.sweep(),
        }
    }

    async fn back_up(&self, path: &Path) -> Result<u64, BackupError> {
        let Some(database) = self.database.clone() else {
            return Err(BackupError::NotAFile(format!("{}: {COPIED_BY_POSTGRES}", self.store)));
        };
        let copy = path.to_owned();
        let copied = tokio::task::spawn_blocking(move || back_up(&database, &copy)).await;
        copied.map_err(|error| BackupError::Failed(error.to_string()))?.map_err(|error| match error {
            StoreBackupError::Exists(_) | StoreBackupError::Unwritable { .. } => BackupError::Path(error.to_string()),
            StoreBackupError::Unreadable(_) | StoreBackupError::Unsound { .. } | _ => {
                BackupError::Failed(error.to_string())
            }
        })
    }
}

const COPIED_BY_POSTGRES: &str = "PostgreSQL copies its databases by itself: use pg_dump --schema=regrant, or pg_basebackup for the \
                                  whole server, and keep a copy of master.key in another place; regrant doctor says what they \
                                  would meet";

#[cfg(test)]
mod tests {
    use regrant_store::Removed;

    use super::*;

    #[test]
    fn what_the_sweeper_does_is_told_and_no_grant_is_counted_twice() {
        let (start, later) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
        let data = Path::new("data");
        let program = StoreProgram::serving(&StoreConfig::Sqlite, data, ClientDefaults::BUILT_IN, start);
        let grants = |grants| Removed { grants, ..Removed::default() };
        for (outcome, state, last_pass_at, grants_removed) in [
            (SweepOutcome::Slice(grants(3)), SweepState::Working, None, 3),
            (SweepOutcome::Slice(grants(4)), SweepState::Working, None, 7),
            (SweepOutcome::Pass(grants(9)), SweepState::Working, Some(later.into()), 9),
            (SweepOutcome::Slice(grants(1)), SweepState::Working, Some(later.into()), 10),
            (SweepOutcome::ClockJumped, SweepState::ClockJumped, Some(later.into()), 10),
            (SweepOutcome::ClockDoubted, SweepState::ClockDoubted, Some(later.into()), 10),
        ] {
            program.swept(&outcome, later);
            let status = program.status();
            assert_eq!(status.sweep, Some(SweepView { state, last_pass_at, grants_removed }), "{outcome:?}");
            assert_eq!(status.started_at, Some(start.into()));
        }
        let alone = StoreProgram::alone(&StoreConfig::Sqlite, data, ClientDefaults::BUILT_IN).status();
        assert_eq!((alone.started_at, alone.sweep), (None, None));
    }

    #[test]
    fn a_client_of_which_nobody_says_anything_is_what_the_configuration_says_now() {
        let program = StoreProgram::alone(&StoreConfig::Sqlite, Path::new("data"), ClientDefaults::BUILT_IN);
        assert_eq!(program.client_defaults(), ClientDefaults::BUILT_IN);
        program.set_defaults(ClientDefaults { id_token_on_refresh: true, ..ClientDefaults::BUILT_IN });
        assert!(program.client_defaults().id_token_on_refresh);
    }
}
