//! How a session begins and ends here.

use super::{Inner, TokenManager};
use crate::turn;
use crate::{Credential, Failure, StorageError, StorageLock, Swap, TokenError};

/// What became of the session at the server when its tokens were removed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// The server has ended it.
    Revoked,
    /// There was none, or it had no refresh token.
    NothingToRevoke,
    /// The server has no revocation endpoint: its refresh token lives until it expires.
    NotOffered,
    /// The server did not confirm it: its refresh token may live until it expires.
    Unconfirmed(Failure),
}

impl TokenManager {
    /// Keeps the credential of a login that has just happened, instead of any that was kept before.
    ///
    /// # Errors
    /// When it cannot be written, or when it, or what was kept before, is another server's or client's.
    pub async fn log_in(&self, credential: Credential) -> Result<(), TokenError> {
        self.inner.client.check_owner(&credential)?;
        let turn = self.inner.take_turn().await?;
        self.inner.replace(Some(&credential)).await?;
        self.inner.state().begin(Some(credential));
        drop(turn);
        Ok(())
    }

    /// Removes the tokens, and revokes them at the server. It waits for an exchange that is under way.
    ///
    /// # Errors
    /// When they cannot be removed, or are another server's or client's.
    pub async fn log_out(&self) -> Result<LogOut, TokenError> {
        let turn = self.inner.take_turn().await?;
        let removed = self.inner.replace(None).await?;
        self.inner.state().begin(None);
        drop(turn);
        let Some(removed) = removed else {
            return Ok(LogOut::NothingToRevoke);
        };
        Ok(match self.inner.revoke(&removed).await {
            Ok(None) => LogOut::NothingToRevoke,
            Ok(Some(true)) => LogOut::Revoked,
            Ok(Some(false)) => LogOut::NotOffered,
            Err(failure) => LogOut::Unconfirmed(failure),
        })
    }

    /// What is kept, secrets included.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn credential(&self) -> Result<Option<Credential>, StorageError> {
        self.inner.storage.load().await
    }
}

impl Inner {
    async fn take_turn(&self) -> Result<StorageLock, StorageError> {
        turn::take(&*self.storage, self.client.clock(), &*self.observer).await
    }

    /// Writes over what is kept of this client, whoever wrote it; gives what was kept.
    async fn replace(&self, new: Option<&Credential>) -> Result<Option<Credential>, TokenError> {
        for _ in 0..SWAPS_MAX {
            let kept = self.storage.load().await?;
            kept.as_ref().map_or(Ok(()), |kept| self.client.check_owner(kept))?;
            let seen = kept.as_ref().map(Credential::version);
            if self.storage.compare_and_swap(seen, new).await? == Swap::Done {
                return Ok(kept);
            }
        }
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()).into())
    }

    /// Ends a session at the server: by its refresh token, or else by its access tokens. `None` when there is nothing to revoke.
    async fn revoke(&self, removed: &Credential) -> Result<Option<bool>, Failure> {
        if let Some(token) = &removed.refresh_token {
            return self.client.revoke(token).await.map(Some);
        }
        let narrowed = removed.narrowed.iter().map(|own| &own.access);
        let mut is_revoked = None;
        for access in removed.access.iter().chain(narrowed) {
            is_revoked = Some(self.client.revoke_access_token(&access.token).await?);
        }
        Ok(is_revoked)
    }
}

/// How often a login or logout is tried against writers that do not lock.
const SWAPS_MAX: u32 = 5;
