use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, ImportedToken, SessionId};
use regrant_protocol::{ClientId, Subject, Timestamp, Username};

use crate::{
    AnnouncedKey, ChangeError, Client, ClientChange, ClientHandle, Consent, FoundToken, GrantFilter, Identity,
    ImportError, Imported, ImportedGrant, ListedGrant, NewKeys, Page, SealedSigningKey, Session, SharedStore,
    SigningKeyChange, Step, StoreError, Sweep, SweepError, Swept, User, UserChange,
};

/// The most grants of a user that are listed.
pub const GRANTS_LISTED_MAX: usize = 1_000;

/// Where clients, users, sessions, consents, grants and keys are kept.
///
/// Every method is atomic and durable when it returns, and behaves as if all calls came one after another.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What makes this store different from every other, as it was when the store was opened.
    fn identity(&self) -> &Identity;

    /// What other processes that use the store at the same time are followed by; `None` for a store that this process has for
    /// itself.
    fn shared(&self) -> Option<&dyn SharedStore> {
        None
    }

    /// Reads the scene of a step, lets its rule decide, and writes what the rule asks for: all of it or nothing. Where that
    /// meets a [`Cap`](regrant_grant::Cap), another grant ends in the same step.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written, or, when the store failed during the commit, it is unknown whether it
    /// was: a retry of the request finds out.
    async fn step(&self, step: Step) -> Result<(), StoreError>;

    /// Decides nothing any more, because a token was presented that is ahead of its row: the store is older than its tokens. When
    /// this returns, every step is refused with [`StoreError::RolledBack`], and so it stays until the store was restored.
    ///
    /// Unless a store says otherwise it goes on, and refuses only the tokens that are ahead.
    async fn halt(&self) -> Result<(), StoreError> {
        Ok(())
    }

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
    /// [`ChangeError::Unknown`] when there is none of this name; [`ChangeError::Outdated`] when the change was made of another
    /// version than there is.
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

    /// Changes a user and, but for [`UserChange::Rehashed`], raises the version.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is none of this subject; [`ChangeError::Outdated`] when the change was made of another
    /// version than there is.
    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError>;

    /// The login session of this name, whether it has ended or not.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Adds a login session, or replaces the one of this name when it is of the same user and has not ended: a session
    /// that ended never begins again, and neither do the grants that ended with it. Where more than
    /// [`LIVE_SESSIONS_MAX`](crate::LIVE_SESSIONS_MAX) of the user go on, the oldest ends.
    ///
    /// # Errors
    /// [`ChangeError::Taken`] when there is one of this name that has ended or is of another user;
    /// [`ChangeError::Unknown`] when there is no such user.
    async fn keep_session(&self, session: Session) -> Result<(), ChangeError>;

    /// Ends a login session now, and with it the grants that end with it. One that has ended, or that there is not, is no
    /// error.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// Ends every login session of a user now, but for one.
    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError>;

    /// What this user allowed this client.
    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError>;

    /// Remembers what a user allowed a client, in place of what is remembered already.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is no such user or no such client.
    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError>;

    /// Forgets what a user allowed this client, or every client. Where there is nothing to forget, that is no error.
    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError>;

    /// The grants of a user that live, newest first, at most [`GRANTS_LISTED_MAX`]: one for each family, its root. Those
    /// whose client is disabled live; those whose code was not redeemed yet do not. A row that cannot be read is passed over,
    /// and logged.
    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError>;

    /// The grants that `filter` means, by id: the first `count_max` after the id `after`, and at most
    /// [`SLICE_ROWS_MAX`](crate::SLICE_ROWS_MAX). A row that cannot be read is passed over, and logged.
    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError>;

    /// Ends the grants that `filter` means and that were made before a time, by
    /// [`end_made_before`](regrant_grant::end_made_before): one slice of them, and tells which. A row that cannot be read stays
    /// as it is, which gives nothing, and is logged.
    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError>;

    /// Takes over grants of another system, by [`Grant::imported`], with their refresh tokens and access tokens: all in one
    /// transaction. A token that was taken over before stays as it is, and what is new to its grant is added to that; so the same
    /// import may be repeated. A refresh token is remembered until [`remembered_until`](regrant_grant::ImportedBirth::remembered_until),
    /// also when its grant is gone: nothing is added to that one. Where client or user is not there, the grant is left out.
    ///
    /// # Errors
    /// [`ImportError::TooManyRows`] when they are more than [`SLICE_ROWS_MAX`](crate::SLICE_ROWS_MAX).
    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError>;

    /// A token that was taken over, for as long as it is kept.
    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError>;

    /// Whether there are tokens that were taken over.
    async fn imports_are_live(&self) -> Result<bool, StoreError>;

    /// The users that were not removed, by login name: the first `count_max` after `after`, and at most
    /// [`SLICE_ROWS_MAX`](crate::SLICE_ROWS_MAX).
    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError>;

    /// Removes, in one slice, what [`may_be_swept`](regrant_grant::may_be_swept) or
    /// [`ended_long_ago`](regrant_grant::ended_long_ago), and writes down what ended for good, by
    /// [`record_end`](regrant_grant::record_end). A row that cannot be read stays, and is logged.
    ///
    /// # Errors
    /// [`SweepError::ClockAhead`] when the store's clock shows more than it may.
    async fn sweep(&self, sweep: Sweep) -> Result<Swept, SweepError>;

    /// When the store was swept last, to a minute, by its own clock; `None` when it never was. Sweeping under a clock that was
    /// put back does not put it back.
    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Takes the time that the store's clock shows for that of the last sweep, because somebody says that the clock is right.
    async fn trust_clock(&self) -> Result<(), StoreError>;

    /// The master keys that the store has been told of, oldest first.
    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError>;

    /// Tells the store of a master key. Telling it twice is not an error when the check value is the same.
    ///
    /// # Errors
    /// [`ChangeError::Taken`] when this kid was announced with another check value, or is below the oldest announced: kids
    /// only grow, and a retired one never comes back.
    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError>;

    /// Puts new keys in the place of all others: announces the master key and retires every one below it for good; withdraws
    /// every signing key and adds the new ones. All of it or nothing: nobody reads the one without the other.
    ///
    /// # Errors
    /// As [`announce_key`](Self::announce_key).
    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError>;

    /// The signing keys, oldest first.
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError>;

    /// Adds a signing key. Adding one of a known `key_id` again is not an error and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the master key that it is sealed under was retired: whoever sealed it has not heard of
    /// that yet.
    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError>;

    /// Adds a signing key, unless there is one of its algorithm that was not withdrawn: of nodes that start together, one
    /// makes it.
    ///
    /// # Errors
    /// As [`add_signing_key`](Self::add_signing_key).
    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError>;

    /// Changes a signing key.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`] when there is none of this name, or when one that was withdrawn is to be sealed anew, or one under
    /// a master key that was retired.
    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError>;
}
