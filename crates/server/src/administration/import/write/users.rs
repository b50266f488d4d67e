use std::mem::take;
use std::sync::Arc;

use anyhow::Result;
use regrant_import::{ForeignUser, Kind};
use regrant_protocol::ClientId;
use regrant_store::{ChangeError, Store, User};
use tokio::task::JoinSet;

use super::super::plan::Plan;
use super::{TOGETHER_MAX, Written};

const NAME_TAKEN: &str = "the login name is another user's here";
const SUBJECT_TAKEN: &str = "another user here is called as their tokens call them";
const CLIENT: &str = "a client here is called as they are";
const REMOVED: &str = "who was called so was removed here, and nobody is called so again";
const DIFFERS: &str = "the user is here already, with another profile or standing: they stay as they are here";

/// Users on their way into the store, many at once.
pub(super) struct Users {
    store: Arc<dyn Store>,
    waiting: Vec<User>,
}

/// What became of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// They are there now.
    Added,
    /// They were there before.
    Known,
    /// They were there before, and are somewhat different.
    Differs,
    /// They cannot be there, and why.
    Refused(&'static str),
}

impl Users {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, waiting: Vec::new() }
    }

    /// Adds a user, soon.
    pub(super) async fn add(&mut self, foreign: &ForeignUser, plan: &Plan, written: &mut Written) -> Result<()> {
        match plan.user(foreign) {
            // What is remarked of them the survey has told.
            Ok(planned) => self.waiting.push(planned.user),
            Err(problem) => written.tally.of(problem.kind).broken += 1,
        }
        if self.waiting.len() >= TOGETHER_MAX { self.flush(written).await } else { Ok(()) }
    }

    /// Adds all that wait.
    pub(super) async fn flush(&mut self, written: &mut Written) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        for (user, kept) in keep_all(&self.store, take(&mut self.waiting)).await? {
            let whom = || format!("user {}", user.username);
            match kept {
                Kept::Added => written.tally.of(Kind::User).taken_over += 1,
                Kept::Known => written.tally.of(Kind::User).known += 1,
                Kept::Differs => {
                    written.tally.of(Kind::User).known += 1;
                    written.remarks.add(DIFFERS.to_owned(), &whom());
                }
                Kept::Refused(why) => {
                    written.tally.leave_out(Kind::User, why);
                    written.remarks.add(format!("{why}: they are left out, with their tokens"), &whom());
                    written.refused_users.add(user.subject)?;
                }
            }
        }
        Ok(())
    }
}

/// Adds those of `users` that are not there. The store commits them together.
pub(super) async fn keep_all(store: &Arc<dyn Store>, users: Vec<User>) -> Result<Vec<(User, Kept)>> {
    let mut tasks = JoinSet::new();
    for user in users {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let kept = keep(&*store, &user).await?;
            Ok::<_, ChangeError>((user, kept))
        });
    }
    let mut all = Vec::with_capacity(tasks.len());
    while let Some(kept) = tasks.join_next().await {
        all.push(kept??);
    }
    Ok(all)
}

async fn keep(store: &dyn Store, user: &User) -> Result<Kept, ChangeError> {
    match store.add_user(user.clone()).await {
        Ok(()) => return Ok(Kept::Added),
        Err(ChangeError::Taken(_)) => {}
        Err(error) => return Err(error),
    }
    if let Some(known) = store.user(&user.subject).await? {
        return Ok(match known {
            known if known.username != user.username => Kept::Refused(SUBJECT_TAKEN),
            known if known.profile != user.profile || known.status != user.status => Kept::Differs,
            _ => Kept::Known,
        });
    }
    if store.user_named(&user.username).await?.is_some() {
        return Ok(Kept::Refused(NAME_TAKEN));
    }
    let client = match ClientId::parse(user.subject.as_str()) {
        Ok(id) => store.client(&id).await?,
        Err(_) => None,
    };
    Ok(Kept::Refused(if client.is_some() { CLIENT } else { REMOVED }))
}
