//! How far the store has come, and what a journal says of the time after a backup.

pub(crate) const SELECT_HIGH_WATER: &str = "SELECT counter, journalled, halted_at FROM high_water";
pub(crate) const SELECT_HAS_JOURNAL: &str = "SELECT journalled > 0 FROM high_water";
pub(crate) const RAISE_HIGH_WATER: &str = "UPDATE high_water SET counter = ?1, journalled = ?2 WHERE counter < ?1";
pub(crate) const HALT: &str = "UPDATE high_water SET halted_at = ?1 WHERE halted_at IS NULL";
/// A restored store begins where it has come to, and decides again.
pub(crate) const RESET_HIGH_WATER: &str =
    "UPDATE high_water SET counter = ?1, journalled = ?2, halted_at = NULL WHERE counter < ?1";

pub(crate) const END_GRANT: &str =
    "UPDATE grants SET revoked_at = ?2, version = version + 1 WHERE id = ?1 AND revoked_at IS NULL";
pub(crate) const LIFT_CLIENT_CUTOFF: &str =
    "UPDATE clients SET cutoff = ?2, version = version + 1 WHERE id = ?1 AND cutoff < ?2 AND removed_at IS NULL";
pub(crate) const LIFT_USER_CUTOFF: &str =
    "UPDATE users SET cutoff = ?2, version = version + 1 WHERE subject = ?1 AND cutoff < ?2 AND removed_at IS NULL";
