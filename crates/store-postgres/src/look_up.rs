use std::collections::HashMap;

use regrant_grant::{AccessTokenId, Grant, GrantId, SessionId, Surroundings};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp};
use regrant_store::{Scene, StoreError, Target};
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::id_bytes::IdBytes;
use crate::rows::grant::{self, GrantRow};
use crate::rows::party::PartyRow;
use crate::statements::grant::{SELECT_GRANTS, SELECT_GRANTS_OF_STEPS, SELECT_PARTIES_OF_STEPS};
use crate::transaction::Transaction;

/// What a step is about, as it was found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) grant: Option<Grant>,
    pub(crate) root: Option<Grant>,
    pub(crate) client: Option<PartyRow>,
    pub(crate) user: Option<PartyRow>,
    pub(crate) session: Option<SessionId>,
    pub(crate) session_ends_at: Option<Timestamp>,
    pub(crate) access_token_is_listed: bool,
}

impl Found {
    /// It, as the rule sees it.
    pub(crate) fn scene(&self, epoch: EpochNumber, now: Timestamp) -> Scene<'_> {
        Scene {
            now,
            grant: self.grant.as_ref(),
            surroundings: Surroundings {
                epoch,
                client: self.client.and_then(|row| row.party),
                user: self.user.and_then(|row| row.party),
                root: self.root.as_ref(),
                session_ends_at: self.session_ends_at,
            },
            access_token_is_listed: self.access_token_is_listed,
        }
    }
}

/// What was found for each of several steps: a row that cannot be read is an error for its own step alone.
pub(crate) type FoundEach = Vec<Result<Found, StoreError>>;

/// Looks up what each of these steps is about. Most are about a grant, and of all of them one statement reads everything;
/// those that name a client or a user have another, as have access tokens without a grant, and the roots of families a third.
///
/// What is read by several statements is not all of one moment. What was revoked stays revoked, so that it could have been read
/// as it is found at the moment of the first; and what a step writes is only kept if it still is so.
pub(crate) async fn look_up(transaction: &Transaction, targets: &[&Target]) -> Result<FoundEach, StoreError> {
    let asked: Vec<Asked<'_>> = targets.iter().map(|target| Asked::by(target)).collect();
    let mut found: FoundEach = targets.iter().map(|_| Ok(Found::default())).collect();
    read_grants(transaction, &asked, &mut found).await?;
    read_parties(transaction, &asked, &mut found).await?;
    read_roots(transaction, &mut found).await?;
    Ok(found)
}

/// What a step asks for.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    grant: Option<GrantId>,
    token: Option<AccessTokenId>,
    client: Option<&'a ClientId>,
    user: Option<&'a Subject>,
    session: Option<SessionId>,
}

impl<'a> Asked<'a> {
    fn by(target: &'a Target) -> Self {
        match target {
            Target::Grant(id) => Self { grant: Some(*id), ..Self::default() },
            Target::AccessToken(token) => Self { grant: Some(token.grant), token: Some(*token), ..Self::default() },
            Target::Client(client) => Self { client: Some(client), ..Self::default() },
            Target::NewGrant { grant, client, user, session } => {
                Self { grant: Some(*grant), client: Some(client), user: Some(user), session: *session, token: None }
            }
            Target::ClientAccessToken(client, token) => {
                Self { client: Some(client), token: Some(*token), ..Self::default() }
            }
        }
    }
}

async fn read_grants(transaction: &Transaction, asked: &[Asked<'_>], found: &mut FoundEach) -> Result<(), StoreError> {
    let places: Vec<usize> = (0..asked.len()).filter(|place| asked[*place].grant.is_some()).collect();
    if places.is_empty() {
        return Ok(());
    }
    let ids: Vec<IdBytes> = places.iter().filter_map(|place| asked[*place].grant).map(|id| IdBytes(id.0)).collect();
    let tokens = tokens_of(asked, &places);
    for row in transaction.rows(SELECT_GRANTS_OF_STEPS, &[&ids, &tokens]).await? {
        let place = places[place_of(&row)?];
        found[place] = grant::read(&row).and_then(|read| {
            let mut columns = Columns::beginning_at(read.columns + 1, &row, "listed_access_tokens", &read.grant.id);
            let access_token_is_listed = columns.next("is_listed")?;
            Ok(Found { access_token_is_listed, ..of_row(read) })
        });
    }
    Ok(())
}

fn of_row(row: GrantRow) -> Found {
    let GrantRow { grant, client, user, session_ends_at, columns: _ } = row;
    let session = grant.session;
    Found { grant: Some(grant), client, user, session, session_ends_at, root: None, access_token_is_listed: false }
}

async fn read_parties(transaction: &Transaction, asked: &[Asked<'_>], found: &mut FoundEach) -> Result<(), StoreError> {
    let is_nowhere = |place: &usize| found[*place].as_ref().is_ok_and(|found| found.grant.is_none());
    let is_asked = |place: &usize| asked[*place].client.is_some() || asked[*place].token.is_some() && is_nowhere(place);
    let places: Vec<usize> = (0..asked.len()).filter(is_asked).collect();
    if places.is_empty() {
        return Ok(());
    }
    let clients: Vec<_> = places.iter().map(|place| asked[*place].client.map(ClientId::as_str)).collect();
    let users: Vec<_> = places.iter().map(|place| asked[*place].user.map(Subject::as_str)).collect();
    let sessions: Vec<_> = places.iter().map(|place| asked[*place].session.map(|id| IdBytes(id.0))).collect();
    let tokens = tokens_of(asked, &places);
    for row in transaction.rows(SELECT_PARTIES_OF_STEPS, &[&clients, &users, &sessions, &tokens]).await? {
        let place = places[place_of(&row)?];
        let Ok(before) = &mut found[place] else { continue };
        let grant = before.grant.take();
        found[place] = read_named(&row, &asked[place]).map(|named| Found { grant, ..named });
    }
    Ok(())
}

fn read_named(row: &Row, asked: &Asked<'_>) -> Result<Found, StoreError> {
    let (client_name, user_name) = (asked.client.map_or("", ClientId::as_str), asked.user.map_or("", Subject::as_str));
    let mut columns = Columns::new(row, "clients", &client_name);
    let client = PartyRow::client(&mut columns, &client_name)?;
    let user = PartyRow::user(&mut columns, &user_name)?;
    columns.enter("sessions", &user_name);
    let session_ends_at = columns.optional_time("expires_at")?;
    columns.next::<i64>("place")?;
    let access_token_is_listed = columns.next("is_listed")?;
    Ok(Found { client, user, session: asked.session, session_ends_at, access_token_is_listed, ..Found::default() })
}

/// Reads the roots of the families that the grants are siblings of.
async fn read_roots(transaction: &Transaction, found: &mut FoundEach) -> Result<(), StoreError> {
    let root_of = |found: &Result<Found, StoreError>| found.as_ref().ok().and_then(|found| found.grant.as_ref()?.root);
    let ids: Vec<IdBytes> = found.iter().filter_map(root_of).map(|id| IdBytes(id.0)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut roots = HashMap::new();
    for row in transaction.rows(SELECT_GRANTS, &[&ids]).await? {
        roots.insert(grant::read_id(&row)?, grant::read(&row).map(|read| read.grant));
    }
    for each in found.iter_mut() {
        let Ok(Found { grant: Some(grant), root, .. }) = each else { continue };
        let Some(id) = grant.root else { continue };
        match roots.get(&id).cloned().unwrap_or_else(|| Err(grant::rootless(grant))) {
            Ok(found) => *root = Some(found),
            Err(problem) => *each = Err(problem),
        }
    }
    Ok(())
}

fn tokens_of(asked: &[Asked<'_>], places: &[usize]) -> Vec<Option<Vec<u8>>> {
    places.iter().map(|place| asked[*place].token.map(|token| token.to_bytes().to_vec())).collect()
}

/// The place, from 0, of the step that a row is about.
fn place_of(row: &Row) -> Result<usize, StoreError> {
    let place: Option<i64> = row.try_get("place").ok();
    let place = place.and_then(|place| usize::try_from(place - 1).ok());
    place.ok_or_else(|| StoreError::Unavailable("the database did not say of which step a row is".to_owned()))
}
