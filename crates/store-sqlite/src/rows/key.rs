use regrant_grant::{Realm, Recovery};
use regrant_protocol::{EpochNumber, Kid, Timestamp};
use regrant_store::stored::recover_public;
use regrant_store::{
    AnnouncedKey, ChangeError, Ending, Epoch, Identity, NewKeys, SealedSigningKey, SigningKeyChange, StoreError,
    sealed_under_retired,
};
use rusqlite::{Row, params};

use crate::columns::Columns;
use crate::statements::key::{
    DELETE_ANNOUNCED_KEYS_BELOW, INSERT_ANNOUNCED_KEY, INSERT_EPOCH, INSERT_SIGNING_KEY, RESEAL_SIGNING_KEY,
    SELECT_ANNOUNCED_KEY, SELECT_ANNOUNCED_KEYS, SELECT_EPOCHS, SELECT_HAS_SIGNING_KEY, SELECT_IS_RETIRED,
    SELECT_REALM, SELECT_SIGNING_KEYS, WITHDRAW_SIGNING_KEY, WITHDRAW_SIGNING_KEYS, WITHDRAW_SIGNING_KEYS_SEALED_BELOW,
};
use crate::transaction::Transaction;

/// What the store was made with, and every epoch since.
pub(crate) fn identity(transaction: &Transaction<'_>) -> Result<Identity, StoreError> {
    let realm = transaction.one(SELECT_REALM, [], |row| Columns::new(row, "identity", &1).next("realm").map(Realm))?;
    let epochs = transaction.all(SELECT_EPOCHS, [], read_epoch)?;
    match realm {
        Some(realm) if !epochs.is_empty() => Ok(Identity { realm, epochs }),
        Some(_) => Err(missing("epochs", "number")),
        None => Err(missing("identity", "realm")),
    }
}

/// The master keys that were announced, oldest first: kids only grow.
pub(crate) fn announced(transaction: &Transaction<'_>) -> Result<Vec<AnnouncedKey>, StoreError> {
    transaction.all(SELECT_ANNOUNCED_KEYS, [], read_announced)
}

/// Announces a master key, unless it was. One that was retired is not.
pub(crate) fn announce(transaction: &Transaction<'_>, key: AnnouncedKey) -> Result<(), ChangeError> {
    let is_announced = match transaction.one(SELECT_ANNOUNCED_KEY, [key.kid.0], read_announced)? {
        Some(known) => known == key,
        None => transaction.execute(INSERT_ANNOUNCED_KEY, params![key.kid.0, key.check_value])? == 1,
    };
    if is_announced { Ok(()) } else { Err(ChangeError::Taken(name(key.kid))) }
}

/// Puts new keys in the place of all others.
pub(crate) fn replace(transaction: &Transaction<'_>, keys: &NewKeys) -> Result<(), ChangeError> {
    announce(transaction, keys.master)?;
    transaction.execute(DELETE_ANNOUNCED_KEYS_BELOW, [keys.master.kid.0])?;
    transaction.execute(WITHDRAW_SIGNING_KEYS, [keys.withdrawn_at.milliseconds()])?;
    for key in &keys.signing {
        add_signing(transaction, key)?;
    }
    transaction.ended(Ending::MasterKeysRetired { oldest: keys.master.kid });
    Ok(())
}

/// Begins with the master keys of a restored store, and forgets those that do not count any more.
pub(crate) fn renew(transaction: &Transaction<'_>, counting: &[AnnouncedKey]) -> Result<(), StoreError> {
    for key in counting {
        announce(transaction, *key).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    }
    counting.first().map_or(Ok(()), |oldest| forget_below(transaction, oldest.kid))
}

/// Forgets the master keys below `oldest`, which were retired after this copy of the store was made, and with them the signing
/// keys that only they could open. The newest stays where none is known that followed it.
pub(crate) fn forget_below(transaction: &Transaction<'_>, oldest: Kid) -> Result<(), StoreError> {
    transaction.execute(DELETE_ANNOUNCED_KEYS_BELOW, [oldest.0])?;
    transaction.execute(WITHDRAW_SIGNING_KEYS_SEALED_BELOW, params![oldest.0, transaction.now().milliseconds()])?;
    Ok(())
}

/// Withdraws a signing key, and says whether there is one of this name.
pub(crate) fn withdraw(transaction: &Transaction<'_>, key_id: &str, at: Timestamp) -> Result<bool, StoreError> {
    Ok(transaction.execute(WITHDRAW_SIGNING_KEY, params![key_id, at.milliseconds()])? == 1)
}

/// Begins an epoch, whose number must be higher than any before.
pub(crate) fn begin_epoch(transaction: &Transaction<'_>, epoch: &Epoch) -> Result<(), StoreError> {
    let (former, until, public) = match epoch.recovery {
        Some(Recovery { former, until, public }) => {
            (Some(former.0), Some(until.milliseconds()), Some(recover_public::to_text(public)))
        }
        None => (None, None, None),
    };
    transaction.execute(INSERT_EPOCH, params![epoch.number.0, epoch.random, former, until, public]).map(drop)
}

fn read_epoch(row: &Row<'_>) -> Result<Epoch, StoreError> {
    let mut columns = Columns::new(row, "epochs", &"of unreadable number");
    let number = columns.next("number")?;
    columns.enter("epochs", &number);
    let random = columns.next("random")?;
    let former = columns.next::<Option<_>>("recovers_epoch")?.map(EpochNumber);
    let until = columns.optional_time("recovers_until")?;
    let public = columns.next_as("recovers_public", |text: Option<String>| {
        text.as_deref().map(recover_public::from_text).transpose()
    })?;
    let recovery = former.zip(until).zip(public).map(|((former, until), public)| Recovery { former, until, public });
    Ok(Epoch { number: EpochNumber(number), random, recovery })
}

/// The signing keys, oldest first.
pub(crate) fn signing(transaction: &Transaction<'_>) -> Result<Vec<SealedSigningKey>, StoreError> {
    transaction.all(SELECT_SIGNING_KEYS, [], |row| {
        let mut columns = Columns::new(row, "signing_keys", &"of unreadable key_id");
        let key_id: String = columns.next("key_id")?;
        columns.enter("signing_keys", &key_id);
        Ok(SealedSigningKey {
            algorithm: columns.next("algorithm")?,
            sealed_under: columns.next("sealed_under").map(Kid)?,
            sealed: columns.next("sealed")?,
            created_at: columns.time("created_at")?,
            signs_from: columns.time("signs_from")?,
            withdrawn_at: columns.optional_time("withdrawn_at")?,
            key_id: key_id.clone(),
        })
    })
}

/// Adds a signing key, unless there is one of its name. One under a master key that was retired is refused.
pub(crate) fn add_signing(transaction: &Transaction<'_>, key: &SealedSigningKey) -> Result<(), StoreError> {
    let SealedSigningKey { key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at } = key;
    if transaction.one(SELECT_IS_RETIRED, [sealed_under.0], |_| Ok(()))?.is_some() {
        return Err(sealed_under_retired(*sealed_under));
    }
    let (created_at, signs_from) = (created_at.milliseconds(), signs_from.milliseconds());
    let withdrawn_at = withdrawn_at.map(Timestamp::milliseconds);
    transaction.execute(
        INSERT_SIGNING_KEY,
        params![key_id, algorithm, sealed_under.0, sealed, created_at, signs_from, withdrawn_at],
    )?;
    Ok(())
}

/// Adds a signing key, unless there is one of its algorithm that was not withdrawn.
pub(crate) fn add_first_signing(transaction: &Transaction<'_>, key: &SealedSigningKey) -> Result<(), StoreError> {
    match transaction.one(SELECT_HAS_SIGNING_KEY, [&key.algorithm], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => add_signing(transaction, key),
    }
}

/// Changes a signing key. One that was withdrawn stays so.
pub(crate) fn change_signing(
    transaction: &Transaction<'_>,
    key_id: &str,
    change: &SigningKeyChange,
) -> Result<(), ChangeError> {
    let changed = match change {
        SigningKeyChange::Withdraw(at) => {
            transaction.ended(Ending::SigningKeyWithdrawn { key_id: key_id.to_owned(), at: *at });
            withdraw(transaction, key_id, *at)?
        }
        SigningKeyChange::Reseal { sealed_under, sealed } => {
            transaction.execute(RESEAL_SIGNING_KEY, params![key_id, sealed_under.0, sealed])? == 1
        }
    };
    if changed { Ok(()) } else { Err(ChangeError::Unknown(format!("signing key {key_id}"))) }
}

fn name(kid: Kid) -> String {
    format!("master key {kid}")
}

fn read_announced(row: &Row<'_>) -> Result<AnnouncedKey, StoreError> {
    let mut columns = Columns::new(row, "announced_keys", &"of unreadable kid");
    let kid = columns.next("kid")?;
    columns.enter("announced_keys", &kid);
    Ok(AnnouncedKey { check_value: columns.next("check_value")?, kid: Kid(kid) })
}

fn missing(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Inconsistent { table, column, row: "any".to_owned(), problem: "there is none".to_owned() }
}
