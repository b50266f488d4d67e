use std::panic::{AssertUnwindSafe, catch_unwind};

use regrant_grant::{Cap, Grant, Write};
use regrant_store::{Rule, Scene, StoreError};

use crate::look_up::Found;
use crate::rows::grant::inconsistent;

/// Lets the rule of a step decide, and checks that what it asks for follows from what it was shown.
///
/// # Errors
/// When the rule panics, or asks for a row that cannot follow.
pub(crate) fn decide(rule: &mut Rule, scene: &Scene<'_>, found: &Found) -> Result<Write, StoreError> {
    // What the rule held is never looked at again when it panics.
    let write = catch_unwind(AssertUnwindSafe(|| rule(scene))).map_err(|_| {
        tracing::error!("a step panicked, and wrote nothing");
        StoreError::Unavailable("the step panicked, and wrote nothing; report this".to_owned())
    })?;
    match &write {
        Write::Update(row) => check_update(row, found)?,
        Write::Insert(row) if found.grant.as_ref().is_some_and(|grant| grant.id == row.id) => {
            return Err(inconsistent(row, "id", "it was to be made, but it exists".to_owned()));
        }
        Write::Insert(_) | Write::ListAccessToken { .. } | Write::Nothing => {}
    }
    Ok(write)
}

/// Whether the row that is written is one that was read, with its next version. What never changes is compared here, and not by
/// the statement: it is as it was read as long as the version is.
fn check_update(row: &Grant, found: &Found) -> Result<(), StoreError> {
    let before = [&found.grant, &found.root].into_iter().flatten().find(|before| before.id == row.id);
    let follows = before.is_some_and(|before| {
        before.version.checked_add(1) == Some(row.version)
            && (&before.client, &before.subject, before.root, before.session)
                == (&row.client, &row.subject, row.root, row.session)
    });
    if follows {
        return Ok(());
    }
    let version = row.version;
    let problem = format!(
        "it was to become version {version}, but is not the one before, or of another client, user, session or root"
    );
    Err(inconsistent(row, "version", problem))
}

/// Whether what a step writes has to make room first.
pub(crate) fn meets_cap(write: &Write, found: &Found) -> Option<Cap> {
    Cap::on(write, found.grant.as_ref())
}
