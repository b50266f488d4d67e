use regrant_store::StoreError;
use tokio_postgres::error::SqlState;

use crate::open_error::said;

/// What a failure of a statement means to whoever asked for it.
pub(crate) struct Failure {
    /// What they are told.
    pub(crate) told: StoreError,
    /// Whether somebody else was in the way, so that the same again may succeed.
    pub(crate) is_contention: bool,
    /// Whether the connection is of no use any more.
    pub(crate) is_loss: bool,
}

impl Failure {
    /// What the driver's error means.
    pub(crate) fn of_driver(error: &tokio_postgres::Error) -> Self {
        let is = |codes: &[SqlState]| error.code().is_some_and(|code| codes.contains(code));
        Self {
            told: StoreError::Unavailable(said(error)),
            is_contention: is(&[
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::LOCK_NOT_AVAILABLE,
            ]),
            // A primary that became a replica lets nobody write: the next connection finds the new one.
            is_loss: error.as_db_error().is_none()
                || is(&[
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                ]),
        }
    }
}
