use regrant_grant::Grant;
use regrant_protocol::{EpochNumber, Subject};
use regrant_store::{GRANTS_LISTED_MAX, StoreError};

use crate::connection::Value;
use crate::family::FamilyRows;
use crate::statements::grant::SELECT_GRANTS_OF_USER;
use crate::transaction::Transaction;

/// The most families of a user that are read to list those that live: of some, codes and forked ones, the rule alone can say
/// that they do not.
const FAMILIES_READ_MAX: i64 = 2_000;

/// The grants of `user` that live, newest first: of each family its root.
pub(crate) async fn list(
    transaction: &Transaction,
    epoch: EpochNumber,
    user: &Subject,
) -> Result<Vec<Grant>, StoreError> {
    let now = transaction.now();
    let (at, number) = (now.milliseconds(), i16::from(epoch.0));
    let values: [Value<'_>; 4] = [&user.as_str(), &at, &number, &FAMILIES_READ_MAX];
    let rows = transaction.rows(SELECT_GRANTS_OF_USER, &values).await?;
    let families = FamilyRows::read_all(transaction, &rows).await?;
    let live = families.into_iter().filter(|rows| rows.family(epoch).lives(now));
    Ok(live.map(|rows| rows.root.grant).take(GRANTS_LISTED_MAX).collect())
}
