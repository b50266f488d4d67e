use regrant_crypto::PasswordHash;
use regrant_protocol::{Secret, Subject, Username};
use regrant_store::{StoreError, User, UserStatus};

use crate::hashing::Overloaded;
use crate::{AuthorizationServer, TokenError};

/// Why nobody is logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserAuthenticationError {
    /// Only this is a failure to be counted.
    #[error("unknown user or wrong password")]
    Credentials,
    /// The right password of a user who is locked or disabled.
    #[error("the user is locked or disabled")]
    UserDisabled(Subject),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A browser with which this very user has logged in before.
    Known,
    /// Anybody.
    Stranger,
}

impl AuthorizationServer {
    /// Checks name and password. An unknown name costs the same work as a wrong password. Who calls this has asked
    /// [`crate::failures::Failures`] before, and tells it afterwards.
    pub(crate) async fn authenticate_user(
        &self,
        caller: Caller,
        username: &str,
        password: &Secret,
    ) -> Result<User, UserAuthenticationError> {
        let user = match Username::parse(username) {
            Ok(username) => self.store.user_named(&username).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().map(password_hash).transpose()?.flatten();
        let is_right = match (caller, hash) {
            (Caller::Known, Some(hash)) => self.hashing.verify(hash, password.clone()).await?,
            (Caller::Known | Caller::Stranger, hash) => {
                self.hashing.verify_for_stranger(hash, password.clone()).await?
            }
        };
        let user = user.filter(|_| is_right).ok_or(UserAuthenticationError::Credentials)?;
        if user.status == UserStatus::Active {
            Ok(user)
        } else {
            Err(UserAuthenticationError::UserDisabled(user.subject))
        }
    }
}

/// The hash of the user's password, where they have one.
fn password_hash(user: &User) -> Result<Option<PasswordHash>, StoreError> {
    let parsed = user.credential.as_ref().map(|credential| PasswordHash::parse(credential.expose()));
    parsed.transpose().map_err(|error| StoreError::Inconsistent {
        table: "users",
        column: "credential",
        row: user.subject.to_string(),
        problem: error.to_string(),
    })
}

impl From<UserAuthenticationError> for TokenError {
    fn from(error: UserAuthenticationError) -> Self {
        match error {
            UserAuthenticationError::Credentials => Self::Credentials,
            UserAuthenticationError::UserDisabled(_) => Self::UserDisabled,
            UserAuthenticationError::Overloaded(error) => Self::Overloaded(error),
            UserAuthenticationError::Store(error) => Self::Store(error),
        }
    }
}
