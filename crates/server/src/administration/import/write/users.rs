use std::mem::take;
use std::sync::Arc;

use anyhow::Result;
use regrant_import::{ForeignUser, Kind};
use regrant_store::{ChangeError, Store, StoreError, User};
use tokio::task::JoinSet;

use super::super::plan::Plan;
use super::{TOGETHER_MAX, Written};

const NAME_TAKEN: &str = "the login name is another user's here";
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
    /// Somebody else has their login name or their subject.
    Refused,
}

impl Users {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, waiting: Vec::new() }
    }

    /// Adds a user, soon.
    pub(super) async fn add(&mut self, foreign: &ForeignUser, plan: &Plan, written: &mut Written) -> Result<()> {
        match plan.user(foreign) {
            Ok((user, password_problem)) => {
                if let Some(problem) = password_problem {
                    written.remarks.add(
                        "they have no password here, as theirs cannot be taken over".to_owned(),
                        &problem.origin.to_string(),
                    );
                }
                self.waiting.push(user);
            }
            Err(problem) => {
                written.break_row(Kind::User, &problem);
                if let Ok(subject) = plan.subject(&foreign.subject, Kind::User, &foreign.origin) {
                    written.refused_users.add(subject)?;
                }
            }
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
                Kept::Refused => {
                    written.tally.leave_out(Kind::User, NAME_TAKEN);
                    written.remarks.add(format!("{NAME_TAKEN}: they are left out, with their tokens"), &whom());
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
    let known: Result<_, StoreError> = store.user(&user.subject).await;
    Ok(match known? {
        Some(known) if known.username != user.username => Kept::Refused,
        Some(known) if known.profile != user.profile || known.status != user.status => Kept::Differs,
        Some(_) => Kept::Known,
        None => Kept::Refused,
    })
}
