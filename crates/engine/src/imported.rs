use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use regrant_crypto::sha256;
use regrant_grant::{ClientKind, ImportedToken};
use regrant_store::{FoundToken, ImportError, Imported, ImportedGrant, StoreError};

use crate::failures::FailureKey;
use crate::{AuthenticatedClient, AuthorizationServer, TokenError, UserInfoError};

/// How old the answer may be to whether there are imported tokens: while there are none, no string is looked up.
const IMPORTS_CACHED_MAX: Duration = Duration::from_secs(1);

/// Whether there are imported tokens, as the store said it last, and when.
#[derive(Default)]
pub(crate) struct Imports(Mutex<Known>);

#[derive(Clone, Copy, Default)]
struct Known {
    answer: Option<(Instant, bool)>,
    /// How many imports there were: an answer that was asked for before one is not kept after it.
    imports: u64,
}

impl Imports {
    fn known(&self) -> Known {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, answer: (Instant, bool), asked: Known) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.imports == asked.imports {
            known.answer = Some(answer);
        }
    }

    pub(crate) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known { answer: None, imports: known.imports.wrapping_add(1) };
    }
}

/// Why a string was not looked up among imported tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotLookedUp {
    /// Its sender has guessed too often.
    TooManyFailures { retry_after_seconds: u32 },
    /// The store failed.
    Store(StoreError),
}

impl AuthorizationServer {
    /// Takes over grants of another system, as [`Store::import`](regrant_store::Store::import) does, and knows their tokens from
    /// then on.
    ///
    /// # Errors
    /// As there.
    pub async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        let imported = self.store.import(grants).await;
        self.imports.forget();
        imported
    }

    /// What another system issued a string for that is none of ours; `None` when nobody knows it.
    ///
    /// Whoever presents strings that nobody knows is slowed down by address, with the budget `guesses`, unless it is a client
    /// that has proved itself: through that one a stranger could shut everybody out by garbage, and it knows tokens to guess at
    /// better than these.
    pub(crate) async fn find_imported(
        &self,
        guesses: FailureKey,
        asker: Option<&AuthenticatedClient>,
        token: &str,
    ) -> Result<Option<FoundToken>, NotLookedUp> {
        if has_form_of_ours(token) || !self.imports_are_live().await? {
            return Ok(None);
        }
        let is_proven = asker.is_some_and(|asker| asker.kind() == ClientKind::Confidential);
        let charged = if is_proven { &[][..] } else { &[guesses] };
        self.failures
            .charge(charged, self.clock.monotonic())
            .map_err(|retry_after_seconds| NotLookedUp::TooManyFailures { retry_after_seconds })?;
        let found = self.store.imported_token(&ImportedToken(sha256(token.as_bytes()))).await;
        if !matches!(found, Ok(None)) {
            self.failures.give_back(charged);
        }
        Ok(found?)
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        let known = self.imports.known();
        if let Some((read_at, are_live)) = known.answer
            && now.saturating_duration_since(read_at) < IMPORTS_CACHED_MAX
        {
            return Ok(are_live);
        }
        let are_live = self.store.imports_are_live().await?;
        self.imports.keep((now, are_live), known);
        Ok(are_live)
    }
}

/// Whether a string begins as our tokens and codes do: `rg`, a letter and `_`.
pub(crate) fn has_form_of_ours(token: &str) -> bool {
    matches!(token.as_bytes(), [b'r', b'g', _, b'_', ..])
}

impl From<StoreError> for NotLookedUp {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NotLookedUp> for TokenError {
    fn from(error: NotLookedUp) -> Self {
        match error {
            NotLookedUp::TooManyFailures { retry_after_seconds } => Self::too_many_failures(retry_after_seconds),
            NotLookedUp::Store(error) => Self::Store(error),
        }
    }
}

impl From<NotLookedUp> for UserInfoError {
    fn from(error: NotLookedUp) -> Self {
        match error {
            NotLookedUp::TooManyFailures { retry_after_seconds } => Self::TooManyFailures { retry_after_seconds },
            NotLookedUp::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests;
