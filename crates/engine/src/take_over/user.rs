use regrant_protocol::{ClientId, Subject, Username};
use regrant_store::{ChangeError, Store, StoreError, User, client_names_of, subject_of};

use super::answer::OldUser;
use crate::UnknownUsers;

/// What stands before the login name of a user who is called as somebody else is already.
const OLD: &str = "old:";

/// Why there is no user for a token.
#[derive(Debug)]
pub(super) enum NoUser {
    /// What an operator has to know.
    Refused(String),
    /// The store failed.
    Store(StoreError),
}

/// The `sub` of the user whom an old server names, by the rules of the import; who is not known here is made, where that is wanted.
pub(super) async fn user_here(store: &dyn Store, user: &OldUser, unknown: UnknownUsers) -> Result<Subject, NoUser> {
    let mut clients = Vec::new();
    for name in client_names_of(&user.name) {
        let Ok(id) = ClientId::parse(name) else { continue };
        if store.client(&id).await?.is_some() {
            clients.push(name);
        }
    }
    let subject = subject_of(&user.name, |name| clients.contains(&name));
    let subject = subject.map_err(|error| NoUser::Refused(error.to_string()))?;
    if store.user(&subject).await?.is_some() {
        return Ok(subject);
    }
    match unknown {
        UnknownUsers::Create => make(store, user, subject).await,
        UnknownUsers::Refuse => {
            Err(NoUser::Refused("this user is not known here, and users who are not are refused".to_owned()))
        }
    }
}

/// Without a password: they refresh, and that is all they do until an operator gives them one.
async fn make(store: &dyn Store, user: &OldUser, subject: Subject) -> Result<Subject, NoUser> {
    let mut told = String::new();
    for name in [user.name.clone(), format!("{OLD}{subject}")] {
        let username = match Username::parse(&name) {
            Ok(username) => username,
            Err(error) => {
                told = format!("{name:?} cannot be a login name: {error}");
                continue;
            }
        };
        match store.add_user(User::without_password(subject.clone(), username)).await {
            Ok(()) => return Ok(subject),
            Err(ChangeError::Store(error)) => return Err(error.into()),
            Err(error) => told = error.to_string(),
        }
        // Somebody else may have made the user at the same moment.
        if store.user(&subject).await?.is_some() {
            return Ok(subject);
        }
    }
    Err(NoUser::Refused(format!("the user cannot be made: {told}")))
}

impl From<StoreError> for NoUser {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
