use std::mem::take;
use std::sync::Arc;

use anyhow::Result;
use regrant_import::{ForeignConsent, Kind};
use regrant_protocol::{Resources, Timestamp};
use regrant_store::{ChangeError, Consent, Store};
use tokio::task::JoinSet;

use super::super::plan::{OF_LEFT_OUT_CLIENT, OF_LEFT_OUT_USER, Plan};
use super::{TOGETHER_MAX, Written};

/// Consents on their way into the store, many at once.
pub(super) struct Consents {
    store: Arc<dyn Store>,
    now: Timestamp,
    waiting: Vec<Consent>,
}

enum Kept {
    Added,
    Known,
    Ownerless,
}

impl Consents {
    pub(super) fn new(store: Arc<dyn Store>, now: Timestamp) -> Self {
        Self { store, now, waiting: Vec::new() }
    }

    /// Adds a consent, soon.
    pub(super) async fn add(&mut self, foreign: &ForeignConsent, plan: &Plan, written: &mut Written) -> Result<()> {
        if !plan.clients.contains_key(&foreign.client) {
            written.tally.leave_out(Kind::Consent, OF_LEFT_OUT_CLIENT);
            return Ok(());
        }
        match plan.subject(&foreign.subject, Kind::Consent, &foreign.origin) {
            Ok(user) if written.refused_users.has(&user) => written.tally.leave_out(Kind::Consent, OF_LEFT_OUT_USER),
            Ok(user) => self.waiting.push(Consent {
                user,
                client: foreign.client.clone(),
                scope: foreign.scope.clone(),
                resources: Resources::none(),
                given_at: self.now,
            }),
            Err(_) => written.tally.of(Kind::Consent).broken += 1,
        }
        if self.waiting.len() >= TOGETHER_MAX { self.flush(written).await } else { Ok(()) }
    }

    /// Adds all that wait.
    pub(super) async fn flush(&mut self, written: &mut Written) -> Result<()> {
        let mut tasks = JoinSet::new();
        for consent in take(&mut self.waiting) {
            let store = Arc::clone(&self.store);
            tasks.spawn(async move { keep(&*store, consent).await });
        }
        while let Some(kept) = tasks.join_next().await {
            match kept?? {
                Kept::Added => written.tally.of(Kind::Consent).taken_over += 1,
                Kept::Known => written.tally.of(Kind::Consent).known += 1,
                Kept::Ownerless => written.tally.leave_out(Kind::Consent, OF_LEFT_OUT_USER),
            }
        }
        Ok(())
    }
}

/// Keeps a consent where none is kept: one that was given here is newer.
async fn keep(store: &dyn Store, consent: Consent) -> Result<Kept, ChangeError> {
    if store.consent(&consent.user, &consent.client).await?.is_some() {
        return Ok(Kept::Known);
    }
    match store.keep_consent(consent).await {
        Ok(()) => Ok(Kept::Added),
        Err(ChangeError::Unknown(_)) => Ok(Kept::Ownerless),
        Err(error) => Err(error),
    }
}
