use regrant_grant::{Grant, GrantId, ImportedBirth, Surroundings};
use regrant_protocol::EpochNumber;
use regrant_store::{Imported, ImportedGrant, StoreError, Target};

use crate::id_bytes::IdBytes;
use crate::look_up::look_up;
use crate::rows::grant::inconsistent;
use crate::rows::imported_token;
use crate::statements::grant::LOCK_GRANT;
use crate::transaction::Transaction;
use crate::write;

/// Takes over grants of another system, with what of their tokens is not here yet.
pub(crate) async fn import(
    transaction: &Transaction,
    epoch: EpochNumber,
    grants: Vec<ImportedGrant>,
) -> Result<Imported, StoreError> {
    let mut imported = Imported::default();
    for grant in grants {
        imported += import_one(transaction, epoch, grant).await?;
    }
    Ok(imported)
}

async fn import_one(
    transaction: &Transaction,
    epoch: EpochNumber,
    grant: ImportedGrant,
) -> Result<Imported, StoreError> {
    let (client, user) = (grant.birth.client.clone(), grant.birth.subject.clone());
    let target = Target::NewGrant { grant: grant.birth.id, client, user, session: None };
    let found = look_up(transaction, &[&target]).await?.remove(0)?;
    let around = found.scene(epoch, transaction.now()).surroundings;
    if around.client.is_none() || around.user.is_none() {
        return Ok(grant.ownerless());
    }
    let mut imported = Imported::default();
    let ImportedGrant { birth, refresh_token, access_tokens } = grant;
    let remembered_until = birth.remembered_until(transaction.now());
    let around = Surroundings { root: None, ..around };
    let mut owner = Owner::NotMade(Box::new(birth));
    if let Some(token) = refresh_token {
        match imported_token::find_refresh(transaction, &token).await? {
            Some(known) if !exists(transaction, known).await? => {
                imported.known += 1 + access_tokens.len() as u64;
                return Ok(imported);
            }
            Some(known) => {
                owner = Owner::Made(known);
                imported.known += 1;
            }
            None => {
                let grant = owner.make(transaction, &around).await?;
                imported_token::add_refresh(transaction, grant, &token, remembered_until).await?;
                imported.refresh_tokens += 1;
            }
        }
    }
    for access_token in access_tokens {
        if imported_token::find_access(transaction, &access_token.token).await?.is_some() {
            imported.known += 1;
            continue;
        }
        imported_token::add_access(transaction, owner.make(transaction, &around).await?, &access_token).await?;
        imported.access_tokens += 1;
    }
    Ok(imported)
}

/// Whether a grant is there; from now on it stays until the end of the transaction.
async fn exists(transaction: &Transaction, grant: GrantId) -> Result<bool, StoreError> {
    Ok(!transaction.rows(LOCK_GRANT, &[&IdBytes(grant.0)]).await?.is_empty())
}

/// The grant of the tokens that are written down. It is made for the first of them, so that none is made for nothing.
enum Owner {
    NotMade(Box<ImportedBirth>),
    Made(GrantId),
}

impl Owner {
    async fn make(&mut self, transaction: &Transaction, around: &Surroundings<'_>) -> Result<GrantId, StoreError> {
        let id = match self {
            Self::Made(id) => return Ok(*id),
            Self::NotMade(birth) => {
                let row = Grant::imported((**birth).clone(), around, transaction.now());
                if !write::insert(transaction, &[&row]).await?.contains(&row.id) {
                    return Err(inconsistent(&row, "id", "it was to be made, but it exists".to_owned()));
                }
                row.id
            }
        };
        *self = Self::Made(id);
        Ok(id)
    }
}
