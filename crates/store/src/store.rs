use async_trait::async_trait;
use regrant_protocol::{ClientId, Subject, Username};

use crate::{
    AnnouncedKey, ChangeError, Client, ClientChange, ClientHandle, Identity, SealedSigningKey, Step, StoreError, User,
    UserChange,
};

/// Where clients, users, grants and keys are kept.
///
/// Every method is atomic and durable when it returns, and behaves as if all calls came one after another.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What makes this store different from every other, as it was when the store was opened.
    fn identity(&self) -> &Identity;

    /// Reads the scene of a step, lets its rule decide, and writes what the rule asks for: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written, or, when the store failed during the commit, it is unknown whether it
    /// was: a retry of the request finds out.
    async fn step(&self, step: Step) -> Result<(), StoreError>;

    /// The client of this name; `None` when there is none, or it was removed.
    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;

    /// The client of this handle.
    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError>;

    /// Every client that was not removed, by name.
    async fn clients(&self) -> Result<Vec<Client>, StoreError>;

    /// Adds a client. Its party is as given.
    ///
    /// # Errors
    /// [`ChangeError::Taken`] when a client or a user's subject has or had this name (RFC 9068 §5).
    async fn add_client(&self, client: Client) -> Result<(), ChangeError>;

    /// Changes a client and raises its version.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is none of this name.
    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError>;

    /// The user who logs in by this name.
    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError>;

    /// The user of this subject.
    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError>;

    /// Adds a user.
    ///
    /// # Errors
    /// [`ChangeError::Taken`] when a user has this login name, or a user or client has or had this subject (RFC 9068 §5).
    async fn add_user(&self, user: User) -> Result<(), ChangeError>;

    /// Changes a user and raises the version.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is none of this subject.
    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError>;

    /// The master keys that the store has been told of, oldest first.
    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError>;

    /// Tells the store of a master key. Telling it twice is not an error when the check value is the same.
    ///
    /// # Errors
    /// [`ChangeError::Taken`] when this kid was announced with another check value.
    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError>;

    /// The signing keys, oldest first.
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError>;

    /// Adds a signing key. Adding one of a known `key_id` again is not an error and changes nothing.
    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError>;
}
