use anyhow::{Result, bail};
use regrant_admin::{Listing, UserView};

use super::api::{AdminApi, is_not_found};
use super::path::{of, with_query};

/// The user who logs in by this name, else the one of this subject.
///
/// # Errors
/// When there is neither.
pub(super) async fn find_user(api: &AdminApi, name: &str) -> Result<UserView> {
    let named: Listing<UserView> = api.get(&with_query("/users", &[("username", Some(name.to_owned()))])).await?;
    if let Some(user) = named.items.into_iter().next() {
        return Ok(user);
    }
    match api.get(&of("users", name)).await {
        Err(error) if is_not_found(&error) => {
            bail!("there is no user {name:?}, neither by login name nor by subject; `regrant user list` shows them")
        }
        found => found,
    }
}
