use regrant_grant::{AccessTokenId, Grant, GrantId, Party, Surroundings, Write};
use regrant_protocol::EpochNumber;
use regrant_store::{Rule, Scene, StoreError, Target};

use crate::failpoint::Failpoint;
use crate::rows::{client, grant, listed_access_token, user};
use crate::transaction::Transaction;

/// Reads what the step is about, lets its rule decide, and writes what the rule asks for.
pub(crate) fn run(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    target: &Target,
    rule: &mut Rule,
) -> Result<(), StoreError> {
    let found = look_up(transaction, target)?;
    let scene = Scene {
        now: transaction.now(),
        grant: found.grant.as_ref(),
        surroundings: Surroundings { epoch, client: found.client, user: found.user, root: found.root.as_ref() },
        access_token_is_listed: found.access_token_is_listed,
    };
    Failpoint::RowRead.reach();
    let write = rule(&scene);
    Failpoint::Decided.reach();
    match write {
        Write::Nothing => return Ok(()),
        Write::Update(row) => grant::update(transaction, &row),
        Write::Insert(row) => grant::insert(transaction, &row),
        Write::ListAccessToken { id, until } => listed_access_token::list(transaction, &id, until),
    }?;
    Failpoint::RowWritten.reach();
    Ok(())
}

/// What a step is about, as it was found.
#[derive(Default)]
struct Found {
    grant: Option<Grant>,
    client: Option<Party>,
    user: Option<Party>,
    root: Option<Grant>,
    access_token_is_listed: bool,
}

fn look_up(transaction: &Transaction<'_>, target: &Target) -> Result<Found, StoreError> {
    match target {
        Target::Grant(id) => look_up_grant(transaction, *id),
        Target::AccessToken(id) => {
            let found = look_up_grant(transaction, id.grant)?;
            look_up_listed(transaction, id, found)
        }
        Target::NewGrant(client_id, subject) => Ok(Found {
            client: client::find_party(transaction, client_id)?,
            user: user::find_party(transaction, subject)?,
            ..Found::default()
        }),
        Target::Client(client_id) => {
            Ok(Found { client: client::find_party(transaction, client_id)?, ..Found::default() })
        }
        Target::ClientAccessToken(client_id, id) => {
            let found = Found { client: client::find_party(transaction, client_id)?, ..Found::default() };
            look_up_listed(transaction, id, found)
        }
    }
}

fn look_up_listed(transaction: &Transaction<'_>, id: &AccessTokenId, found: Found) -> Result<Found, StoreError> {
    Ok(Found { access_token_is_listed: listed_access_token::is_listed(transaction, id)?, ..found })
}

fn look_up_grant(transaction: &Transaction<'_>, id: GrantId) -> Result<Found, StoreError> {
    let Some(row) = grant::find(transaction, id)? else { return Ok(Found::default()) };
    let root = match row.grant.root {
        None => None,
        Some(root) => match grant::find(transaction, root)? {
            Some(found) => Some(found.grant),
            // Whether the family was revoked cannot be known without its root.
            None => return Err(grant::rootless(&row.grant)),
        },
    };
    Ok(Found { grant: Some(row.grant), client: row.client, user: row.user, root, ..Found::default() })
}
