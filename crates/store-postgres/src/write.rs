use std::collections::HashSet;

use regrant_grant::{AccessTokenId, Grant, GrantId};
use regrant_protocol::{RetryChallenge, Timestamp};
use regrant_store::stored::{approved_from, binding, code, resources};
use regrant_store::{Ending, StoreError};
use tokio_postgres::types::ToSql;

use crate::columns::{Columns, stored_count};
use crate::id_bytes::IdBytes;
use crate::statements::grant::{INSERT_GRANTS, INSERT_LISTED_ACCESS_TOKENS, UPDATE_GRANTS};
use crate::transaction::Transaction;

/// Gives these grants their next versions, in the order of their ids, and says which were of the version before.
pub(crate) async fn update(transaction: &Transaction, grants: &[&Grant]) -> Result<HashSet<GrantId>, StoreError> {
    if grants.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = GrantColumns::new(grants)?;
    let written = read_ids(transaction, UPDATE_GRANTS, &columns.values()).await?;
    for grant in grants.iter().filter(|grant| written.contains(&grant.id)) {
        if let Some(at) = grant.revoked_at {
            transaction.ended(Ending::Grant { id: grant.id, at });
        }
    }
    Ok(written)
}

/// Makes these grants, and says which: those of a free id, and of a client and a user that there are or were.
pub(crate) async fn insert(transaction: &Transaction, grants: &[&Grant]) -> Result<HashSet<GrantId>, StoreError> {
    if grants.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = GrantColumns::new(grants)?;
    let sorted = &columns.sorted;
    let roots: Vec<_> = sorted.iter().map(|grant| grant.root.map(|root| IdBytes(root.0))).collect();
    let sessions: Vec<_> = sorted.iter().map(|grant| grant.session.map(|session| IdBytes(session.0))).collect();
    let clients: Vec<_> = sorted.iter().map(|grant| grant.client.as_str()).collect();
    let subjects: Vec<_> = sorted.iter().map(|grant| grant.subject.as_str()).collect();
    let mut values = columns.values();
    values.extend([&roots as &(dyn ToSql + Sync), &sessions, &clients, &subjects]);
    read_ids(transaction, INSERT_GRANTS, &values).await
}

/// Lists access tokens until their ends. One that is listed stays as it is.
pub(crate) async fn list_access_tokens(
    transaction: &Transaction,
    listed: &[(AccessTokenId, Option<Timestamp>)],
) -> Result<(), StoreError> {
    if listed.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<_> =
        listed.iter().map(|(id, until)| (id.to_bytes(), until.map(Timestamp::milliseconds))).collect();
    sorted.sort_unstable();
    let (ids, ends): (Vec<_>, Vec<_>) = sorted.iter().map(|(id, ends_at)| (&id[..], *ends_at)).unzip();
    transaction.execute(INSERT_LISTED_ACCESS_TOKENS, &[&ids, &ends]).await?;
    for (id, until) in listed {
        transaction.ended(Ending::AccessToken { id: *id, until: *until });
    }
    Ok(())
}

async fn read_ids(
    transaction: &Transaction,
    sql: &'static str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<HashSet<GrantId>, StoreError> {
    let ids = transaction.all(sql, values, |row| Columns::new(row, "grants", &"of unreadable name").id("id"));
    Ok(ids.await?.into_iter().map(GrantId).collect())
}

/// Many grants, column by column, in the order of their ids: in that order their rows are locked.
struct GrantColumns<'a> {
    sorted: Vec<&'a Grant>,
    ids: Vec<IdBytes>,
    secrets: Vec<IdBytes>,
    versions: Vec<i64>,
    scopes: Vec<&'a str>,
    resources: Vec<Option<String>>,
    bindings: Vec<Option<Vec<u8>>>,
    approved_from: Vec<Option<String>>,
    codes: Vec<Option<String>>,
    generations: Vec<i32>,
    kids: Vec<i16>,
    epochs: Vec<i16>,
    rotated_at: Vec<i64>,
    access_lifetimes: Vec<i32>,
    retry_challenges: Vec<Option<IdBytes>>,
    have_used_challenge: Vec<bool>,
    created_at: Vec<i64>,
    authenticated_at: Vec<i64>,
    idle_expires_at: Vec<Option<i64>>,
    absolute_expires_at: Vec<Option<i64>>,
    revoked_at: Vec<Option<i64>>,
    client_cutoffs: Vec<i32>,
    user_cutoffs: Vec<i32>,
}

impl<'a> GrantColumns<'a> {
    fn new(grants: &[&'a Grant]) -> Result<Self, StoreError> {
        let mut sorted = grants.to_vec();
        sorted.sort_unstable_by_key(|grant| grant.id.0);
        let sorted = sorted;
        let optional = |time: Option<Timestamp>| time.map(Timestamp::milliseconds);
        Ok(Self {
            ids: each(&sorted, |grant| IdBytes(grant.id.0)),
            secrets: each(&sorted, |grant| IdBytes(*grant.secret.expose())),
            versions: sorted.iter().map(|grant| stored_count(grant.version)).collect::<Result<_, _>>()?,
            scopes: each(&sorted, |grant| grant.scope.as_str()),
            resources: each(&sorted, |grant| resources::to_text(&grant.resources)),
            bindings: each(&sorted, |grant| binding::to_bytes(&grant.binding)),
            approved_from: each(&sorted, |grant| grant.approved_from.as_ref().map(approved_from::to_text)),
            codes: each(&sorted, |grant| grant.code.as_ref().map(code::to_json)),
            generations: each(&sorted, |grant| grant.generation.0.cast_signed()),
            kids: each(&sorted, |grant| i16::from(grant.kid.0)),
            epochs: each(&sorted, |grant| i16::from(grant.epoch.0)),
            rotated_at: each(&sorted, |grant| grant.rotated_at.milliseconds()),
            access_lifetimes: each(&sorted, |grant| grant.access_lifetime.seconds().cast_signed()),
            retry_challenges: each(&sorted, |grant| {
                grant.retry_challenge.as_ref().map(|challenge| IdBytes(*RetryChallenge::as_bytes(challenge)))
            }),
            have_used_challenge: each(&sorted, |grant| grant.has_used_challenge),
            created_at: each(&sorted, |grant| grant.created_at.milliseconds()),
            authenticated_at: each(&sorted, |grant| grant.authenticated_at.milliseconds()),
            idle_expires_at: each(&sorted, |grant| optional(grant.idle_expires_at)),
            absolute_expires_at: each(&sorted, |grant| optional(grant.absolute_expires_at)),
            revoked_at: each(&sorted, |grant| optional(grant.revoked_at)),
            client_cutoffs: each(&sorted, |grant| grant.client_cutoff.cast_signed()),
            user_cutoffs: each(&sorted, |grant| grant.user_cutoff.cast_signed()),
            sorted,
        })
    }

    /// The columns, as the statements number them.
    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![
            &self.ids,
            &self.secrets,
            &self.versions,
            &self.scopes,
            &self.resources,
            &self.bindings,
            &self.approved_from,
            &self.codes,
            &self.generations,
            &self.kids,
            &self.epochs,
            &self.rotated_at,
            &self.access_lifetimes,
            &self.retry_challenges,
            &self.have_used_challenge,
            &self.created_at,
            &self.authenticated_at,
            &self.idle_expires_at,
            &self.absolute_expires_at,
            &self.revoked_at,
            &self.client_cutoffs,
            &self.user_cutoffs,
        ]
    }
}

fn each<'a, T>(grants: &[&'a Grant], column: impl FnMut(&&'a Grant) -> T) -> Vec<T> {
    grants.iter().map(column).collect()
}
