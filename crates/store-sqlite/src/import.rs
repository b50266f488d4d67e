use regrant_grant::{Grant, GrantId, ImportedBirth, Surroundings};
use regrant_protocol::EpochNumber;
use regrant_store::{Imported, ImportedGrant, StoreError};

use crate::rows::{client, grant, imported_token, user};
use crate::transaction::Transaction;

/// Takes over grants of another system, with what of their tokens is not here yet.
pub(crate) fn import(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    grants: Vec<ImportedGrant>,
) -> Result<Imported, StoreError> {
    let mut imported = Imported::default();
    for grant in grants {
        imported += import_one(transaction, epoch, grant)?;
    }
    Ok(imported)
}

fn import_one(transaction: &Transaction<'_>, epoch: EpochNumber, grant: ImportedGrant) -> Result<Imported, StoreError> {
    let client = client::find_party(transaction, &grant.birth.client)?;
    let user = user::find_party(transaction, &grant.birth.subject)?;
    if client.is_none() || user.is_none() {
        return Ok(grant.ownerless());
    }
    let mut imported = Imported::default();
    let ImportedGrant { birth, refresh_token, access_tokens } = grant;
    let surroundings = Surroundings { epoch, client, user, root: None, session_ends_at: None };
    let remembered_until = birth.remembered_until(transaction.now());
    let mut owner = Owner::NotMade(Box::new(birth));
    if let Some(token) = refresh_token {
        match imported_token::find_refresh(transaction, &token)? {
            Some(known) if grant::find(transaction, known)?.is_none() => {
                imported.known += 1 + access_tokens.len() as u64;
                return Ok(imported);
            }
            Some(known) => {
                owner = Owner::Made(known);
                imported.known += 1;
            }
            None => {
                let grant = owner.make(transaction, &surroundings)?;
                imported_token::add_refresh(transaction, grant, &token, remembered_until)?;
                imported.refresh_tokens += 1;
            }
        }
    }
    for access_token in access_tokens {
        if imported_token::find_access(transaction, &access_token.token)?.is_some() {
            imported.known += 1;
            continue;
        }
        imported_token::add_access(transaction, owner.make(transaction, &surroundings)?, &access_token)?;
        imported.access_tokens += 1;
    }
    Ok(imported)
}

/// The grant of the tokens that are written down. It is made for the first of them, so that none is made for nothing.
enum Owner {
    NotMade(Box<ImportedBirth>),
    Made(GrantId),
}

impl Owner {
    fn make(&mut self, transaction: &Transaction<'_>, surroundings: &Surroundings<'_>) -> Result<GrantId, StoreError> {
        let id = match self {
            Self::Made(id) => return Ok(*id),
            Self::NotMade(birth) => {
                let row = Grant::imported((**birth).clone(), surroundings, transaction.now());
                grant::insert(transaction, &row)?;
                row.id
            }
        };
        *self = Self::Made(id);
        Ok(id)
    }
}
