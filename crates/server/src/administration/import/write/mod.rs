//! The second pass: what the plan says is written, clients first, tokens last.

mod clients;
mod consents;
mod known_ends;
mod refused_users;
mod tokens;
mod users;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use regrant_crypto::Pepper;
use regrant_import::{Item, Kind, Reader, Record};
use regrant_protocol::{ClientId, Timestamp};
use regrant_store::Store;

use self::consents::Consents;
use self::refused_users::RefusedUsers;
use self::tokens::Tokens;
use self::users::Users;
use super::super::progress::Progress;
use super::plan::{LISTED_BEFORE, Plan, Remarks};
use super::tally::Tally;

/// The most users or consents that are written together.
const TOGETHER_MAX: usize = 256;

/// Writes into a store what a plan says.
pub(super) struct Writer {
    store: Arc<dyn Store>,
    plan: Plan,
    written: Written,
    users: Users,
    consents: Consents,
    tokens: Tokens,
}

/// What was written, and what was not.
#[derive(Default)]
pub(super) struct Written {
    pub(super) tally: Tally,
    pub(super) remarks: Remarks,
    /// Users that only tokens name.
    pub(super) stand_ins: u64,
    /// Clients that could not be written: nothing of theirs is taken over.
    left_out_clients: BTreeSet<ClientId>,
    /// Users who are somebody else here: nothing of theirs is taken over.
    refused_users: RefusedUsers,
}

impl Writer {
    /// Nothing written yet; tokens are taken over at `now`.
    pub(super) fn new(store: Arc<dyn Store>, plan: Plan, now: Timestamp) -> Self {
        Self {
            users: Users::new(Arc::clone(&store)),
            consents: Consents::new(Arc::clone(&store), now),
            tokens: Tokens::new(Arc::clone(&store), now),
            written: Written::default(),
            store,
            plan,
        }
    }

    /// Writes what the plan says: users and consents as `reader` gives them out from its beginning, tokens as they were sorted.
    ///
    /// # Errors
    /// When reading or writing fails: what was written until then stays.
    pub(super) async fn write(
        mut self,
        reader: &mut Reader,
        pepper: &Pepper,
        progress: &mut Progress,
    ) -> Result<Written> {
        for kind in [Kind::RefreshToken, Kind::AccessToken] {
            self.written.tally.keep_left_behind(kind, &self.plan.tally);
        }
        let of_scopes = self.plan.tally.of(Kind::Scope);
        self.written.tally.of(Kind::Scope).broken = of_scopes.broken;
        if let Some(count) = of_scopes.left_out.get(LISTED_BEFORE) {
            self.written.tally.of(Kind::Scope).left_out.insert(LISTED_BEFORE.to_owned(), *count);
        }
        clients::write(&*self.store, &mut self.plan, pepper, &mut self.written).await?;
        known_ends::compare(&*self.store, &self.plan, &mut self.written).await?;
        reader.rewind();
        'reading: while let Some(items) = reader.next().await? {
            for item in items {
                if matches!(kind_of(&item), Kind::RefreshToken | Kind::AccessToken) {
                    break 'reading;
                }
                self.take(item).await?;
                progress.advance(1);
            }
        }
        self.users.flush(&mut self.written).await?;
        self.consents.flush(&mut self.written).await?;
        self.tokens.write(&self.plan, &mut self.written, progress).await?;
        Ok(self.written)
    }

    async fn take(&mut self, item: Item) -> Result<()> {
        let Self { plan, written, .. } = self;
        if kind_of(&item) == Kind::Scope {
            return Ok(());
        }
        let record = match item {
            Item::Record(record) => record,
            Item::LeftOut(left_out) => {
                written.tally.leave_out(left_out.kind, &left_out.reason.to_string());
                return Ok(());
            }
            Item::Problem(problem) => {
                written.tally.of(problem.kind).broken += 1;
                return Ok(());
            }
        };
        match record {
            Record::User(user) => self.users.add(&user, plan, written).await?,
            Record::Consent(consent) => {
                // It refers to users.
                self.users.flush(written).await?;
                self.consents.add(&consent, plan, written).await?;
            }
            // Written already, or sorted and written later.
            Record::Scope(_) | Record::Client(_) | Record::RefreshToken(_) | Record::AccessToken(_) => {}
        }
        Ok(())
    }
}

fn kind_of(item: &Item) -> Kind {
    match item {
        Item::Record(record) => record.kind(),
        Item::LeftOut(left_out) => left_out.kind,
        Item::Problem(problem) => problem.kind,
    }
}
