use regrant_grant::{GrantId, Write};
use regrant_protocol::EpochNumber;
use regrant_store::{StoreError, Target};

use crate::cap;
use crate::decision::{decide, meets_cap};
use crate::id_bytes::IdBytes;
use crate::lane::{Lane, Waiting};
use crate::look_up::look_up;
use crate::rows::grant::inconsistent;
use crate::statements::grant::{LOCK_GRANT, SELECT_GRANTS};
use crate::store_clock::StoreClock;
use crate::transaction::Transaction;
use crate::witness::{Witness, are_so};
use crate::write;

/// How often a step is begun when somebody else is in the way each time.
pub(crate) const BEGINNINGS_MAX: u32 = 3;

/// Runs a step in a transaction of its own, which locks the grant first, and answers it: from then on nobody else changes that. So
/// travels who was in the way of somebody together with others, and who has to make room. Who ends something by that goes on where
/// the journal is waited for, if it is not here.
pub(crate) async fn run(lane: &Lane, mut step: Waiting) {
    match (decide_alone(lane, &mut step).await, &lane.ending) {
        (Ok(Outcome::Ends), Some(ending)) => ending.take(step),
        (Ok(_), _) => step.answer(Ok(())),
        (Err(error), _) => step.answer(Err(error)),
    }
}

async fn decide_alone(lane: &Lane, step: &mut Waiting) -> Result<Outcome, StoreError> {
    let Lane { pool, clock, epoch, ending } = lane;
    for _ in 0..BEGINNINGS_MAX {
        step.in_time(clock)?;
        let lease = pool.lease().await?;
        lease.may_decide()?;
        let transaction = Transaction::begin(lease, clock).await?;
        let outcome = match attempt(&transaction, clock, *epoch, step).await {
            Ok(Outcome::Done) if ending.is_some() && transaction.has_ended_something() => Ok(Outcome::Ends),
            Ok(Outcome::Done) => return transaction.commit().await.map(|()| Outcome::Done),
            Ok(outcome) => Ok(outcome),
            Err(_) if transaction.met_contention() => Ok(Outcome::Overtaken),
            Err(error) => Err(error),
        };
        transaction.roll_back().await;
        match outcome {
            Ok(Outcome::Overtaken) => {}
            outcome => return outcome,
        }
    }
    let told = "others were faster each time; the same request can be sent again";
    Err(StoreError::Unavailable(told.to_owned()))
}

enum Outcome {
    Done,
    /// What was read was so no longer when it was to be relied on.
    Overtaken,
    /// It would end something, which is not done here; nothing was written.
    Ends,
}

async fn attempt(
    transaction: &Transaction,
    clock: &StoreClock,
    epoch: EpochNumber,
    step: &mut Waiting,
) -> Result<Outcome, StoreError> {
    if let Some(id) = grant_of(&step.target) {
        transaction.rows(LOCK_GRANT, &[&IdBytes(id.0)]).await?;
        // Whoever had the lock may have had it for long.
        step.in_time(clock)?;
    }
    let found = look_up(transaction, &[&step.target]).await?.remove(0)?;
    let asked = decide(&mut step.rule, &found.scene(epoch, transaction.now()), &found)?;
    let ended = match meets_cap(&asked, &found) {
        Some(cap) => cap::make_room(transaction, epoch, cap, &asked).await?,
        None => None,
    };
    let is_written = match &asked {
        Write::Nothing => return Ok(Outcome::Done),
        Write::ListAccessToken { id, until } => {
            write::list_access_tokens(transaction, &[(*id, *until)]).await?;
            return Ok(Outcome::Done);
        }
        Write::Update(row) => {
            let rows: Vec<_> = std::iter::once(row).chain(&ended).collect();
            write::update(transaction, &rows).await?.len() == rows.len()
        }
        Write::Insert(row) => {
            let rows: Vec<_> = ended.iter().collect();
            let made = write::insert(transaction, &[row]).await?.len() == 1;
            if !made && transaction.rows(SELECT_GRANTS, &[&vec![IdBytes(row.id.0)]]).await?.is_empty() {
                return Err(inconsistent(row, "id", "it was to be made, but its client or user never was".to_owned()));
            }
            write::update(transaction, &rows).await?.len() == rows.len() && made
        }
    };
    let witness = Witness::new(&found, &asked)?;
    let is_done = is_written && are_so(transaction, &[&witness]).await? == [true];
    Ok(if is_done { Outcome::Done } else { Outcome::Overtaken })
}

/// The grant that a target names.
pub(crate) fn grant_of(target: &Target) -> Option<GrantId> {
    match target {
        Target::Grant(grant) | Target::NewGrant { grant, .. } => Some(*grant),
        Target::AccessToken(token) => Some(token.grant),
        Target::Client(_) | Target::ClientAccessToken(..) => None,
    }
}
