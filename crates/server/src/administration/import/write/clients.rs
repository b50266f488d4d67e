use std::collections::BTreeSet;

use anyhow::Result;
use regrant_crypto::{Pepper, SystemEntropy, random};
use regrant_grant::{ClientKind, GrantSecret, Party};
use regrant_import::Kind;
use regrant_protocol::ClientId;
use regrant_store::{ChangeError, Client, ClientHandle, ClientSettings, Store};

use super::super::credentials::keep_secret;
use super::super::plan::{OF_NO_CLIENT, Plan, PlannedClient};
use super::Written;

const TAKEN: &str = "its name was another's here";
const OTHER_KIND: &str = "it is here already, and one of the two has a secret and the other has none";
const DIFFERS: &str = "it is here already, with other settings: it stays as it is here";

/// Adds every client that is not there; one that cannot be is taken from the plan, so that its tokens stay behind too.
pub(super) async fn write(store: &dyn Store, plan: &mut Plan, pepper: &Pepper, written: &mut Written) -> Result<()> {
    written.tally.of(Kind::Client).broken += plan.refused_clients;
    let mut added = BTreeSet::new();
    for (id, planned) in &plan.clients {
        if let Some(known) = store.client(id).await? {
            // Tokens that only a client with a secret could use would be there for everybody.
            if known.settings.is_public() != (planned.loaded.kind == ClientKind::Public) {
                written.tally.leave_out(Kind::Client, OTHER_KIND);
                written.remarks.add(format!("{OTHER_KIND}: its tokens are left out"), &format!("client {id}"));
                written.left_out_clients.insert(id.clone());
                continue;
            }
            written.tally.of(Kind::Client).known += 1;
            if (ClientSettings { credential: None, ..known.settings }) != planned.loaded.settings {
                written.remarks.add(DIFFERS.to_owned(), &format!("client {id}"));
            }
            continue;
        }
        match store.add_client(client(id, planned, pepper)).await {
            Ok(()) => {
                written.tally.of(Kind::Client).taken_over += 1;
                added.insert(id.clone());
            }
            Err(ChangeError::Taken(_)) => {
                written.tally.leave_out(Kind::Client, TAKEN);
                written.remarks.add(TAKEN.to_owned(), &format!("client {id}"));
                written.left_out_clients.insert(id.clone());
            }
            Err(error) => return Err(error.into()),
        }
    }
    for id in &written.left_out_clients {
        plan.clients.remove(id);
    }
    count_scopes(plan, &added, written);
    Ok(())
}

/// Scopes are kept as what clients may ask for: they come with a client that was `added`.
fn count_scopes(plan: &Plan, added: &BTreeSet<ClientId>, written: &mut Written) {
    let (new, all) = (plan.scopes_of(|client| added.contains(client)), plan.scopes_of(|_| true));
    for name in plan.scopes.names() {
        if new.contains(&name) {
            written.tally.of(Kind::Scope).taken_over += 1;
        } else if all.contains(&name) {
            written.tally.of(Kind::Scope).known += 1;
        } else {
            written.tally.leave_out(Kind::Scope, OF_NO_CLIENT);
        }
    }
}

fn client(id: &ClientId, planned: &PlannedClient, pepper: &Pepper) -> Client {
    let PlannedClient { foreign, loaded, .. } = planned;
    let credential = (loaded.kind == ClientKind::Confidential).then(|| keep_secret(pepper, &foreign.secret));
    Client {
        id: id.clone(),
        handle: ClientHandle(random(&SystemEntropy)),
        secret: GrantSecret::new(random(&SystemEntropy)),
        party: Party { enabled: !foreign.is_disabled, cutoff: 0, version: 1 },
        settings: ClientSettings { credential, ..loaded.settings.clone() },
    }
}
