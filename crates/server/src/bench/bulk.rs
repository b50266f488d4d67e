//! Grants by the million on PostgreSQL, copied past the rules.

use anyhow::Result;
use regrant_crypto::{SystemEntropy, random};
use regrant_grant::{Grant, OPEN_CODES_MAX};
use regrant_protocol::{RetryChallenge, Timestamp};
use regrant_store::stored::{approved_from, binding, code, resources};
use regrant_store::{MovedRow, MovedTable, MovedValue};
use regrant_store_postgres::{Address, BulkRows, RelationSize};

/// How many grants are copied together.
const GRANTS_TOGETHER: usize = 100_000;

/// What a database takes on disk after grants were copied into it.
pub(super) struct Filled {
    /// What each grant takes, with all indexes of its table.
    pub(super) grant_bytes: f64,
    /// Every table and index of the store, the largest first.
    pub(super) sizes: Vec<RelationSize>,
}

/// Copies a grant that there is as many times as asked for, each with an id and a secret of its own, [`OPEN_CODES_MAX`] for each
/// user. The ids come in no order, as those of a server do.
pub(super) async fn fill(address: Address, grant: &Grant, count: usize) -> Result<Filled> {
    let bulk = BulkRows::open(address).await?;
    let before = of_grants(&bulk.sizes().await?);
    let (client, mut user) = bulk.keys(&grant.client).await?;
    for begun in (0..count).step_by(GRANTS_TOGETHER) {
        let some = (count - begun).min(GRANTS_TOGETHER);
        let users: Vec<i64> = (user..).take(some.div_ceil(OPEN_CODES_MAX)).collect();
        let rows: Vec<MovedRow> = users.iter().map(|&user| user_row(user)).collect();
        bulk.copy(MovedTable::Users, &rows).await?;
        let owners = users.iter().flat_map(|&user| [user; OPEN_CODES_MAX]).take(some);
        let rows: Vec<MovedRow> = owners.map(|user| grant_row(grant, client, user)).collect();
        bulk.copy(MovedTable::Grants, &rows).await?;
        user = users.last().map_or(user, |last| last + 1);
    }
    bulk.end().await?;
    let sizes = bulk.sizes().await?;
    let grown = of_grants(&sizes).saturating_sub(before);
    Ok(Filled { grant_bytes: grown as f64 / count.max(1) as f64, sizes })
}

/// What the table of grants and its indexes take.
fn of_grants(sizes: &[RelationSize]) -> u64 {
    const RELATIONS: [&str; 4] = ["grants", "grants_pkey", "families_not_revoked", "siblings"];
    sizes.iter().filter(|size| RELATIONS.contains(&size.name.as_str())).map(|size| size.bytes).sum()
}

/// In the order of the columns of [`MovedTable::Users`].
fn user_row(key: i64) -> MovedRow {
    let name = format!("bystander-{key:09}");
    vec![
        MovedValue::Integer(key),
        MovedValue::Text(name.clone()),
        MovedValue::Text(name),
        MovedValue::Null,
        MovedValue::Text("active".to_owned()),
        MovedValue::Text("{}".to_owned()),
        MovedValue::Integer(0),
        MovedValue::Integer(1),
        MovedValue::Null,
    ]
}

/// In the order of the columns of [`MovedTable::Grants`].
fn grant_row(grant: &Grant, client: i64, user: i64) -> MovedRow {
    let (id, secret): ([u8; 16], [u8; 16]) = (random(&SystemEntropy), random(&SystemEntropy));
    vec![
        bytes(&id),
        bytes(&secret),
        MovedValue::Integer(grant.version.cast_signed()),
        optional(grant.root.as_ref().map(|root| bytes(&root.0))),
        MovedValue::Integer(client),
        MovedValue::Integer(user),
        MovedValue::Text(grant.scope.as_str().to_owned()),
        optional(resources::to_text(&grant.resources).map(MovedValue::Text)),
        optional(binding::to_bytes(&grant.binding).map(MovedValue::Bytes)),
        optional(grant.session.as_ref().map(|session| bytes(&session.0))),
        optional(grant.approved_from.as_ref().map(|from| MovedValue::Text(approved_from::to_text(from)))),
        optional(grant.code.as_ref().map(|stored| MovedValue::Text(code::to_json(stored)))),
        MovedValue::Integer(grant.generation.0.into()),
        MovedValue::Integer(grant.kid.0.into()),
        MovedValue::Integer(grant.epoch.0.into()),
        time(grant.rotated_at),
        MovedValue::Integer(grant.access_lifetime.seconds().into()),
        optional(grant.retry_challenge.as_ref().map(RetryChallenge::as_bytes).map(bytes)),
        MovedValue::Integer(grant.has_used_challenge.into()),
        time(grant.created_at),
        time(grant.authenticated_at),
        optional(grant.idle_expires_at.map(time)),
        optional(grant.absolute_expires_at.map(time)),
        optional(grant.revoked_at.map(time)),
        MovedValue::Integer(grant.client_cutoff.into()),
        MovedValue::Integer(grant.user_cutoff.into()),
    ]
}

fn bytes(bytes: &[u8; 16]) -> MovedValue {
    MovedValue::Bytes(bytes.to_vec())
}

fn time(time: Timestamp) -> MovedValue {
    MovedValue::Integer(time.milliseconds())
}

fn optional(value: Option<MovedValue>) -> MovedValue {
    value.unwrap_or(MovedValue::Null)
}
