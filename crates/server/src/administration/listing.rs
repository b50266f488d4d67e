use anyhow::Result;
use clap::Args;
use regrant_admin::{LISTED_MAX, Listing};
use serde::de::DeserializeOwned;

use super::api::AdminApi;
use super::output::note;
use super::path::with_query;

/// How much of a list is wanted.
#[derive(Args, Clone, Debug)]
pub(super) struct ListOptions {
    /// How many to list at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u32,
    /// List what follows this one, as the end of a longer list tells it.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    after: Option<String>,
}

impl ListOptions {
    /// As many of the things at `path` as are wanted, page by page.
    ///
    /// # Errors
    /// When the API refuses.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        api: &AdminApi,
        path: &str,
        filter: &[(&str, Option<String>)],
    ) -> Result<Listing<T>> {
        let (mut items, mut next) = (Vec::new(), self.after.clone());
        loop {
            let wanted = self.limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX)).min(LISTED_MAX);
            if wanted == 0 {
                break;
            }
            let page = [("after", next.clone()), ("limit", Some(wanted.to_string()))];
            let query: Vec<_> = filter.iter().cloned().chain(page).collect();
            let listing: Listing<T> = api.get(&with_query(path, &query)).await?;
            items.extend(listing.items);
            next = listing.next;
            if next.is_none() {
                break;
            }
        }
        if let Some(next) = &next {
            note(&format!("there are more: --after {next}"));
        }
        Ok(Listing { items, next })
    }
}
