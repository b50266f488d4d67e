use regrant_grant::{Realm, Recovery};
use regrant_protocol::{EpochNumber, Kid, Timestamp};
use regrant_store::stored::recover_public;
use regrant_store::{
    AnnouncedKey, ChangeError, Ending, Epoch, Identity, NewKeys, SealedSigningKey, SigningKeyChange, StoreError,
    sealed_under_retired,
};
use tokio_postgres::Row;

use super::shared::count_key_change;
use crate::columns::{Columns, stored_count};
use crate::connection::Value;
use crate::id_bytes::IdBytes;
use crate::statements::database::LOCK_KEYS;
use crate::statements::key::{
    DELETE_ANNOUNCED_KEYS_BELOW, DELETE_EPOCH, END_BEGINNING, INSERT_ANNOUNCED_KEY, INSERT_RESTORED_EPOCH,
    INSERT_SIGNING_KEY, RESEAL_SIGNING_KEY, SELECT_ANNOUNCED_KEY, SELECT_ANNOUNCED_KEYS, SELECT_EPOCHS,
    SELECT_HAS_SIGNING_KEY, SELECT_IS_RETIRED, SELECT_REALM, SELECT_SIGNING_KEYS, SELECT_UNUSED_EPOCH,
    WITHDRAW_SIGNING_KEY, WITHDRAW_SIGNING_KEYS, WITHDRAW_SIGNING_KEYS_SEALED_BELOW,
};
use crate::transaction::Transaction;

/// What the store was made with, and every epoch since.
pub(crate) async fn identity(transaction: &Transaction) -> Result<Identity, StoreError> {
    let realm = transaction.one(SELECT_REALM, &[], |row| Columns::new(row, "identity", &1).id("realm").map(Realm));
    let realm = realm.await?;
    let epochs = transaction.all(SELECT_EPOCHS, &[], read_epoch).await?;
    match realm {
        Some(realm) if !epochs.is_empty() => Ok(Identity { realm, epochs }),
        Some(_) => Err(missing("epochs", "number")),
        None => Err(missing("identity", "realm")),
    }
}

/// The master keys that were announced, oldest first: kids only grow.
pub(crate) async fn announced(transaction: &Transaction) -> Result<Vec<AnnouncedKey>, StoreError> {
    transaction.all(SELECT_ANNOUNCED_KEYS, &[], read_announced).await
}

/// Announces a master key, unless it was. One that was retired is not.
pub(crate) async fn announce(transaction: &Transaction, key: AnnouncedKey) -> Result<(), ChangeError> {
    transaction.rows(LOCK_KEYS, &[]).await?;
    let kid = i16::from(key.kid.0);
    let is_announced = match transaction.one(SELECT_ANNOUNCED_KEY, &[&kid], read_announced).await? {
        Some(known) => known == key,
        None => transaction.execute(INSERT_ANNOUNCED_KEY, &[&kid, &&key.check_value[..]]).await? == 1,
    };
    count_key_change(transaction).await?;
    if is_announced { Ok(()) } else { Err(ChangeError::Taken(name(key.kid))) }
}

/// Puts new keys in the place of all others.
pub(crate) async fn replace(transaction: &Transaction, keys: &NewKeys) -> Result<(), ChangeError> {
    announce(transaction, keys.master).await?;
    transaction.execute(DELETE_ANNOUNCED_KEYS_BELOW, &[&i16::from(keys.master.kid.0)]).await?;
    transaction.execute(WITHDRAW_SIGNING_KEYS, &[&keys.withdrawn_at.milliseconds()]).await?;
    for key in &keys.signing {
        add_signing(transaction, key).await?;
    }
    transaction.ended(Ending::MasterKeysRetired { oldest: keys.master.kid });
    count_key_change(transaction).await?;
    Ok(())
}

/// Begins with the master keys of a restored store, and forgets those that do not count any more.
pub(crate) async fn renew(transaction: &Transaction, counting: &[AnnouncedKey]) -> Result<(), StoreError> {
    for key in counting {
        announce(transaction, *key).await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    }
    match counting.first() {
        Some(oldest) => forget_below(transaction, oldest.kid).await,
        None => Ok(()),
    }
}

/// Forgets the master keys below `oldest`, which were retired after this copy of the store was made, and with them the signing
/// keys that only they could open. The newest stays where none is known that followed it.
pub(crate) async fn forget_below(transaction: &Transaction, oldest: Kid) -> Result<(), StoreError> {
    let oldest = i16::from(oldest.0);
    transaction.execute(DELETE_ANNOUNCED_KEYS_BELOW, &[&oldest]).await?;
    let now = transaction.now().milliseconds();
    transaction.execute(WITHDRAW_SIGNING_KEYS_SEALED_BELOW, &[&oldest, &now]).await.map(drop)
}

/// Begins an epoch, whose number must be higher than any before, when the store has come to `counter`.
pub(crate) async fn begin_epoch(transaction: &Transaction, epoch: &Epoch, counter: u64) -> Result<(), StoreError> {
    let (former, until, public) = match epoch.recovery {
        Some(Recovery { former, until, public }) => {
            (Some(i16::from(former.0)), Some(until.milliseconds()), Some(recover_public::to_text(public)))
        }
        None => (None, None, None),
    };
    let (number, begun_at) = (i16::from(epoch.number.0), stored_count(counter)?);
    let values: [Value<'_>; 6] = [&number, &IdBytes(epoch.random), &former, &until, &public, &begun_at];
    transaction.execute(INSERT_RESTORED_EPOCH, &values).await.map(drop)
}

/// Notes that nodes may use the present epoch from now on.
pub(crate) async fn end_beginning(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.execute(END_BEGINNING, &[]).await.map(drop)
}

/// The present epoch, when a restore began it in this place which has not ended well, and nothing was done in it.
pub(crate) async fn unused_epoch(transaction: &Transaction) -> Result<Option<EpochNumber>, StoreError> {
    let read = |row: &Row| Columns::new(row, "epochs", &"the newest").small("number").map(EpochNumber);
    transaction.one(SELECT_UNUSED_EPOCH, &[], read).await
}

/// Takes out an epoch in which nothing was done.
pub(crate) async fn forget_epoch(transaction: &Transaction, number: EpochNumber) -> Result<(), StoreError> {
    transaction.execute(DELETE_EPOCH, &[&i16::from(number.0)]).await.map(drop)
}

/// The signing keys, oldest first.
pub(crate) async fn signing(transaction: &Transaction) -> Result<Vec<SealedSigningKey>, StoreError> {
    let keys = transaction.all(SELECT_SIGNING_KEYS, &[], |row| {
        let mut columns = Columns::new(row, "signing_keys", &"of unreadable key_id");
        let key_id: String = columns.next("key_id")?;
        columns.enter("signing_keys", &key_id);
        Ok(SealedSigningKey {
            algorithm: columns.next("algorithm")?,
            sealed_under: columns.small("sealed_under").map(Kid)?,
            sealed: columns.next("sealed")?,
            created_at: columns.time("created_at")?,
            signs_from: columns.time("signs_from")?,
            withdrawn_at: columns.optional_time("withdrawn_at")?,
            key_id: key_id.clone(),
        })
    });
    keys.await
}

/// Adds a signing key, unless there is one of its name. One under a master key that was retired is refused.
pub(crate) async fn add_signing(transaction: &Transaction, key: &SealedSigningKey) -> Result<(), StoreError> {
    let SealedSigningKey { key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at } = key;
    transaction.rows(LOCK_KEYS, &[]).await?;
    let under = i16::from(sealed_under.0);
    let values: [Value<'_>; 1] = [&under];
    let is_retired = transaction
        .one(SELECT_IS_RETIRED, &values, |row| Columns::new(row, "announced_keys", &"any").next::<bool>("is_retired"));
    if is_retired.await? == Some(true) {
        return Err(sealed_under_retired(*sealed_under));
    }
    let (created_at, signs_from) = (created_at.milliseconds(), signs_from.milliseconds());
    let withdrawn_at = withdrawn_at.map(Timestamp::milliseconds);
    let values: [Value<'_>; 7] = [key_id, algorithm, &under, sealed, &created_at, &signs_from, &withdrawn_at];
    transaction.execute(INSERT_SIGNING_KEY, &values).await?;
    count_key_change(transaction).await
}

/// Adds a signing key, unless there is one of its algorithm that was not withdrawn.
pub(crate) async fn add_first_signing(transaction: &Transaction, key: &SealedSigningKey) -> Result<(), StoreError> {
    transaction.rows(LOCK_KEYS, &[]).await?;
    let of_algorithm: [Value<'_>; 1] = [&key.algorithm];
    let has_one = transaction.one(SELECT_HAS_SIGNING_KEY, &of_algorithm, |row| {
        Columns::new(row, "signing_keys", &key.key_id).next::<bool>("exists")
    });
    if has_one.await? == Some(true) { Ok(()) } else { add_signing(transaction, key).await }
}

/// Changes a signing key. One that was withdrawn stays so.
pub(crate) async fn change_signing(
    transaction: &Transaction,
    key_id: &str,
    change: &SigningKeyChange,
) -> Result<(), ChangeError> {
    // As all who change keys do first: none of them waits for another who waits for it.
    transaction.rows(LOCK_KEYS, &[]).await?;
    let changed = match change {
        SigningKeyChange::Withdraw(at) => {
            transaction.execute(WITHDRAW_SIGNING_KEY, &[&key_id, &at.milliseconds()]).await?
        }
        SigningKeyChange::Reseal { sealed_under, sealed } => {
            transaction.execute(RESEAL_SIGNING_KEY, &[&key_id, &i16::from(sealed_under.0), sealed]).await?
        }
    };
    if changed != 1 {
        return Err(ChangeError::Unknown(format!("signing key {key_id}")));
    }
    if let SigningKeyChange::Withdraw(at) = change {
        transaction.ended(Ending::SigningKeyWithdrawn { key_id: key_id.to_owned(), at: *at });
    }
    count_key_change(transaction).await?;
    Ok(())
}

fn read_epoch(row: &Row) -> Result<Epoch, StoreError> {
    let mut columns = Columns::new(row, "epochs", &"of unreadable number");
    let number = columns.small("number").map(EpochNumber)?;
    columns.enter("epochs", &number.0);
    let random = columns.id("random")?;
    let former = columns.next_as("recovers_epoch", |stored: Option<i16>| stored.map(u8::try_from).transpose())?;
    let until = columns.optional_time("recovers_until")?;
    let public =
        columns.next_as("recovers_public", |stored: Option<&str>| stored.map(recover_public::from_text).transpose())?;
    let recovery = former.zip(until).zip(public).map(|((former, until), public)| Recovery {
        former: EpochNumber(former),
        until,
        public,
    });
    Ok(Epoch { number, random, recovery })
}

fn name(kid: Kid) -> String {
    format!("master key {kid}")
}

fn read_announced(row: &Row) -> Result<AnnouncedKey, StoreError> {
    let mut columns = Columns::new(row, "announced_keys", &"of unreadable kid");
    let kid = columns.small("kid").map(Kid)?;
    columns.enter("announced_keys", &kid);
    Ok(AnnouncedKey { check_value: columns.bytes("check_value")?, kid })
}

fn missing(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Inconsistent { table, column, row: "any".to_owned(), problem: "there is none".to_owned() }
}
