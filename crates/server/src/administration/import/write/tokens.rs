use std::future::poll_fn;
use std::mem::take;
use std::sync::Arc;
use std::task::Poll;

use anyhow::Result;
use regrant_crypto::{SystemEntropy, random};
use regrant_grant::{GrantId, GrantSecret};
use regrant_import::load::{
    Batch, GrantParts, StagedKind, StagedToken, access_grant, access_token, refresh_grant, stand_in_user,
};
use regrant_import::{Kind, Origin, UserStanding};
use regrant_protocol::{Subject, Timestamp};
use regrant_store::{ImportError, Imported, ImportedGrant, Store, User};
use tokio::task::JoinHandle;

use super::super::plan::{OF_LEFT_OUT_CLIENT, OF_LEFT_OUT_USER, Plan};
use super::Written;
use super::users::{Kept, keep_all};
use crate::administration::progress::Progress;

/// Tokens on their way into the store: a batch is filled while the store writes the one before.
pub(super) struct Tokens {
    store: Arc<dyn Store>,
    now: Timestamp,
    waiting: Waiting,
    being_written: Option<(Counts, JoinHandle<Result<Imported, ImportError>>)>,
    /// The last user without a row of their own: those who follow are others.
    last_stand_in: Option<Subject>,
}

/// What the store is given together.
#[derive(Default)]
struct Waiting {
    batch: Batch,
    counts: Counts,
    /// The users of it that have no row of their own.
    stand_ins: Vec<User>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    refresh_tokens: u64,
    access_tokens: u64,
}

impl Tokens {
    pub(super) fn new(store: Arc<dyn Store>, now: Timestamp) -> Self {
        Self { store, now, waiting: Waiting::default(), being_written: None, last_stand_in: None }
    }

    /// Takes over every token that the survey found.
    pub(super) async fn write(&mut self, plan: &Plan, written: &mut Written, progress: &mut Progress) -> Result<()> {
        let mut after = 0;
        loop {
            let page = plan.tokens.page(after)?;
            let Ok(count @ 1..) = i64::try_from(page.len()) else { break };
            for (number, token) in (after..).zip(&page) {
                self.add(token, plan, number, written);
                if self.waiting.batch.is_full() {
                    self.begin_writing(written).await?;
                }
            }
            after += count;
            progress.advance(count.unsigned_abs());
        }
        self.begin_writing(written).await?;
        self.end_writing(written).await
    }

    /// Puts the `number`th token into the batch.
    fn add(&mut self, token: &StagedToken, plan: &Plan, number: i64, written: &mut Written) {
        let Some(client) = plan.clients.get(&token.client) else {
            // Of others that are left out the survey has counted the tokens.
            if written.left_out_clients.contains(&token.client) {
                written.tally.leave_out(kind_of(token), OF_LEFT_OUT_CLIENT);
            }
            return;
        };
        let origin = Origin { table: String::new(), key: String::new() };
        let Ok(subject) = plan.subject(&token.user, Kind::RefreshToken, &origin) else { return };
        if written.refused_users.has(&subject) {
            written.tally.leave_out(kind_of(token), OF_LEFT_OUT_USER);
            return;
        }
        if token.standing != UserStanding::Known && self.last_stand_in.as_ref() != Some(&subject) {
            self.waiting.stand_ins.extend(stand_in_user(&token.user, subject.clone()));
            self.last_stand_in = Some(subject.clone());
        }
        let parts = GrantParts {
            id: ascending_id(number, plan.tokens.len()),
            secret: GrantSecret::new(random(&SystemEntropy)),
            subject,
            now: self.now,
        };
        let Waiting { batch, counts, .. } = &mut self.waiting;
        match token.kind {
            StagedKind::Refresh => {
                batch.add_refresh(refresh_grant(token, parts, &client.terms), token);
                counts.refresh_tokens += 1;
            }
            StagedKind::Access => {
                let access = access_token(token, &client.terms, self.now);
                batch.add_access(access, access_grant(token, parts, &client.terms), token);
                counts.access_tokens += 1;
            }
        }
    }

    async fn begin_writing(&mut self, written: &mut Written) -> Result<()> {
        let mut slices = self.waiting.batch.take();
        let mut counts = take(&mut self.waiting.counts);
        if self.make_stand_ins(written).await? > 0 {
            leave_refused(&mut slices, &mut counts, written);
        }
        self.end_writing(written).await?;
        if !slices.is_empty() {
            let task = tokio::spawn(import_together(Arc::clone(&self.store), slices));
            self.being_written = Some((counts, task));
        }
        Ok(())
    }

    async fn end_writing(&mut self, written: &mut Written) -> Result<()> {
        let Some((counts, task)) = self.being_written.take() else { return Ok(()) };
        let imported = task.await??;
        for (kind, given, taken_over, ownerless) in [
            (Kind::RefreshToken, counts.refresh_tokens, imported.refresh_tokens, imported.ownerless_refresh_tokens),
            (Kind::AccessToken, counts.access_tokens, imported.access_tokens, imported.ownerless_access_tokens),
        ] {
            let count = written.tally.of(kind);
            count.taken_over += taken_over;
            let missing = given.saturating_sub(taken_over);
            // Several entries may be of one refresh token.
            let left_out = missing.min(ownerless);
            count.known += missing - left_out;
            if left_out > 0 {
                *count.left_out.entry(OF_LEFT_OUT_USER.to_owned()).or_default() += left_out;
            }
        }
        Ok(())
    }

    /// Makes the users that only tokens name, and returns how many cannot be.
    async fn make_stand_ins(&mut self, written: &mut Written) -> Result<u64> {
        let users = take(&mut self.waiting.stand_ins);
        let mut refused = 0;
        for (user, kept) in keep_all(&self.store, users).await? {
            match kept {
                Kept::Added => written.stand_ins += 1,
                Kept::Known | Kept::Differs => {}
                Kept::Refused(why) => {
                    refused += 1;
                    let told = format!("tokens name them, and {why}: the tokens are left out");
                    written.remarks.add(told, &format!("user {}", user.username));
                    written.refused_users.add(user.subject)?;
                }
            }
        }
        Ok(refused)
    }
}

/// Takes the grants of refused users out of what is about to be written.
fn leave_refused(slices: &mut [Vec<ImportedGrant>], counts: &mut Counts, written: &mut Written) {
    for slice in slices {
        slice.retain(|grant| {
            let is_refused = written.refused_users.has(&grant.birth.subject);
            if is_refused {
                let (refresh, access) = (u64::from(grant.refresh_token.is_some()), grant.access_tokens.len() as u64);
                counts.refresh_tokens = counts.refresh_tokens.saturating_sub(refresh);
                counts.access_tokens = counts.access_tokens.saturating_sub(access);
                for (kind, count) in [(Kind::RefreshToken, refresh), (Kind::AccessToken, access)] {
                    (0..count).for_each(|_| written.tally.leave_out(kind, OF_LEFT_OUT_USER));
                }
            }
            !is_refused
        });
    }
}

fn kind_of(token: &StagedToken) -> Kind {
    match token.kind {
        StagedKind::Refresh => Kind::RefreshToken,
        StagedKind::Access => Kind::AccessToken,
    }
}

/// Asks the store for all slices at once, in order: what waits together is committed together.
async fn import_together(store: Arc<dyn Store>, slices: Vec<Vec<ImportedGrant>>) -> Result<Imported, ImportError> {
    let mut imports: Vec<_> = slices.into_iter().map(|slice| (store.import(slice), None)).collect();
    poll_fn(|context| {
        for (import, done) in &mut imports {
            // The first time puts it into the queue of the store.
            if done.is_none()
                && let Poll::Ready(answer) = import.as_mut().poll(context)
            {
                *done = Some(answer);
            }
        }
        if imports.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let mut imported = Imported::default();
    for (_, done) in imports {
        imported += done.expect("all are done")?;
    }
    Ok(imported)
}

/// A random name, but for its beginning, which rises with the `number` of the token: rows that are written one after the other lie
/// one beside the other.
fn ascending_id(number: i64, count: i64) -> GrantId {
    let mut id: [u8; 16] = random(&SystemEntropy);
    let beginning = (i128::from(number) << 32) / i128::from(count.max(1));
    id[..4].copy_from_slice(&u32::try_from(beginning).unwrap_or(u32::MAX).to_be_bytes());
    GrantId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_are_spread_over_all_there_are() {
        let ids: Vec<_> = (0..1000).map(|number| ascending_id(number, 1000).0).collect();
        assert!(ids.is_sorted());
        assert_eq!((ids[0][0], ids[500][0], ids[999][0]), (0, 128, 255));
        assert_ne!(ids[0][4..], ascending_id(0, 1000).0[4..], "the rest is random");
    }
}
