use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use anyhow::{Context, Result};
use regrant_engine::{AuthorizationServer, Kept};
use regrant_protocol::ClientId;
use regrant_store::{Client, ClientSettings, Credential};
use tracing::{info, warn};

use crate::config::ConfiguredClient;

/// Registers the clients that are new, and changes those that are others than the configuration says. The rest is not written,
/// so that versions do not move at every start.
///
/// # Errors
/// The first client that cannot be as it is described; those after it are as they were.
pub(super) async fn keep_clients(server: &AuthorizationServer, clients: &[ConfiguredClient]) -> Result<()> {
    for client in clients {
        let kept = server.keep_client(&client.id, client.secrecy.clone(), client.settings.clone()).await;
        let kept = kept.with_context(|| format!("{}: client {:?}", client.origin, client.id.as_str()))?;
        match kept {
            Kept::Registered => info!(client = %client.id, "registered"),
            Kept::Changed => info!(client = %client.id, "changed"),
            Kept::Unchanged => {}
        }
    }
    Ok(())
}

/// The clients of the configuration, and which of them are others in the store by now: a command has changed them, or another node whose
/// configuration is another.
#[derive(Default)]
pub(super) struct DescribedClients {
    described: Vec<(ClientId, ClientSettings)>,
    /// As the store had them once this node had seen to them: a hash does not tell whether it is of the secret in the configuration.
    credentials: BTreeMap<ClientId, Option<Credential>>,
    different: BTreeSet<ClientId>,
    /// How many changes had been heard of when all were compared.
    compared_at: Option<u64>,
    is_store_down: bool,
}

/// How a client is, beside its description.
#[derive(Debug, PartialEq, Eq)]
enum Likeness {
    Same,
    Different,
    Removed,
}

impl DescribedClients {
    /// Takes the clients of a configuration to which this node has just seen.
    pub(super) fn describe(&mut self, clients: &[ConfiguredClient]) {
        self.described = clients.iter().map(|client| (client.id.clone(), client.settings.clone())).collect();
        self.different.retain(|id| clients.iter().any(|client| client.id == *id));
        self.credentials.clear();
        self.compared_at = None;
    }

    /// Compares all of them with the store where something may have changed, and logs which have become different, and which are the same
    /// again. What cannot be read is compared next time.
    pub(super) async fn compare(&mut self, server: &AuthorizationServer) {
        let heard = server.client_changes_heard();
        if self.compared_at == Some(heard) {
            return;
        }
        for (id, settings) in &self.described {
            let found = match server.store().client(id).await {
                Ok(found) => found,
                Err(error) => {
                    if !mem::replace(&mut self.is_store_down, true) {
                        warn!(%error, "whether clients are as the configuration of this node says is not known");
                    }
                    return;
                }
            };
            let likeness = likeness(found.as_ref(), settings, self.credentials.get(id));
            if let Some(found) = found {
                self.credentials.entry(id.clone()).or_insert(found.settings.credential);
            }
            let is_new = likeness != Likeness::Same && self.different.insert(id.clone());
            match likeness {
                Likeness::Same if self.different.remove(id) => {
                    info!(client = %id, "as the configuration of this node says again");
                }
                Likeness::Different if is_new => warn!(
                    client = %id,
                    "not as the configuration of this node says: a command or another node has changed it, and this node undoes that \
                     when it starts or reads its configuration again; let those of all nodes say the same"
                ),
                Likeness::Removed if is_new => warn!(
                    client = %id,
                    "removed, and in the configuration of this node, which does not start with it; take it out of the file"
                ),
                Likeness::Same | Likeness::Different | Likeness::Removed => {}
            }
        }
        self.is_store_down = false;
        self.compared_at = Some(heard);
    }
}

/// `credential` is that which is known of it; `None` when none was looked at yet.
fn likeness(found: Option<&Client>, described: &ClientSettings, credential: Option<&Option<Credential>>) -> Likeness {
    let Some(found) = found else { return Likeness::Removed };
    let present = found.settings.credential.clone();
    let is_secret_the_same = credential.is_none_or(|known| *known == present);
    let is_same = is_secret_the_same && found.settings == ClientSettings { credential: present, ..described.clone() };
    if is_same { Likeness::Same } else { Likeness::Different }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{ClientKind, GrantSecret, Party};
    use regrant_protocol::Scope;
    use regrant_store::{ClientDefaults, ClientHandle};

    use super::*;

    #[test]
    fn a_client_is_compared_with_its_description_and_its_secret_with_the_one_that_was_there() {
        let described = ClientDefaults::BUILT_IN.settings(ClientKind::Confidential, Scope::empty());
        let hash = |text: &str| Some(Credential::new(text.to_owned()));
        let client = |settings: ClientSettings| Client {
            id: ClientId::parse("app").unwrap(),
            handle: ClientHandle([1; 16]),
            secret: GrantSecret::new([2; 16]),
            party: Party { enabled: true, cutoff: 0, version: 1 },
            settings,
        };
        let with = |text: &str| client(ClientSettings { credential: hash(text), ..described.clone() });
        let named = client(ClientSettings { name: Some("Photos".to_owned()), ..with("one").settings });
        for (why, found, known, expected) in [
            ("seen for the first time", Some(with("one")), None, Likeness::Same),
            ("as it was", Some(with("one")), Some(hash("one")), Likeness::Same),
            ("another secret", Some(with("two")), Some(hash("one")), Likeness::Different),
            ("another name", Some(named), Some(hash("one")), Likeness::Different),
            ("there is none", None, Some(hash("one")), Likeness::Removed),
        ] {
            assert_eq!(likeness(found.as_ref(), &described, known.as_ref()), expected, "{why}");
        }
    }
}
