//! New tokens on their way to the disk.

use super::{Exchange, ROUNDS_MAX};
use crate::{Credential, LogInReason, RefreshToken, StorageError, TokenError};

/// An answer that is not on disk: nobody has used it, and the disk still tells how to ask for it again.
#[derive(Clone, Debug)]
pub(crate) struct Unsaved {
    pub(super) sent: Option<RefreshToken>,
    pub(super) renewed: Credential,
}

impl Exchange<'_> {
    /// Has new tokens on disk before anybody gets them, or keeps them for the next exchange to write.
    pub(super) async fn keep(&mut self, unsaved: Unsaved) -> Result<(), TokenError> {
        for attempt in 0..SAVES_MAX {
            if attempt > 0 {
                self.timer.sleep(self.backoff(attempt)).await;
            }
            match self.save(&unsaved).await {
                Ok(()) => return Ok(()),
                Err(TokenError::Storage(_)) if attempt + 1 < SAVES_MAX => {}
                Err(TokenError::Storage(error)) => {
                    self.unsaved = Some(unsaved);
                    return Err(error.into());
                }
                Err(other) => return Err(other),
            }
        }
        self.unsaved = Some(unsaved);
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()).into())
    }

    async fn save(&mut self, unsaved: &Unsaved) -> Result<(), TokenError> {
        for _ in 0..ROUNDS_MAX {
            self.load().await?;
            let kept = self.latest.clone();
            let is_successor = match &kept {
                None => unsaved.sent.is_none(),
                Some(kept) => {
                    let is_ours = kept.refresh_token.is_none() || kept.refresh_token == unsaved.sent;
                    (kept.lineage == unsaved.renewed.lineage || unsaved.sent.is_none()) && is_ours
                }
            };
            if !is_successor {
                // Somebody logged out, logged in anew, or was faster: what they did stands.
                let is_logged_out = kept.is_none();
                if let (true, Some(token)) = (is_logged_out, &unsaved.renewed.refresh_token) {
                    // Nobody will use it; a server that cannot be told lets it expire.
                    let _ = self.client.revoke(token).await;
                }
                return if is_logged_out { Err(LogInReason::NoCredential.into()) } else { Ok(()) };
            }
            if self.swap(kept.as_ref(), &unsaved.renewed).await? {
                return Ok(());
            }
        }
        Err(StorageError::Other("somebody else keeps writing to it".to_owned()).into())
    }
}

/// How often an exchange tries to write what it was given.
const SAVES_MAX: u32 = 3;
