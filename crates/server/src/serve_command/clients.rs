use std::collections::BTreeMap;
use std::mem;

use anyhow::{Context, Result};
use regrant_engine::{AuthorizationServer, Kept, RegistrationError, Secrecy};
use regrant_protocol::ClientId;
use regrant_store::{ChangeError, Client, ClientSettings, Credential, StoreError};
use tracing::{info, warn};

use crate::config::ConfiguredClient;

/// The clients of the configuration as this node has left them in the store, and which are others by now: a command has changed them, or
/// another node whose configuration is another.
#[derive(Default)]
pub(super) struct DescribedClients {
    described: BTreeMap<ClientId, Description>,
    /// How many changes had been heard of when all were compared.
    compared_at: Option<u64>,
    is_unknown: bool,
}

struct Description {
    secrecy: Secrecy,
    /// With a credential that is known to be of the described secret.
    settings: ClientSettings,
    /// A credential that is known to be of another: it is hashed once, and not at every look.
    refused: Option<Credential>,
    likeness: Likeness,
}

/// How a client is, beside its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Same,
    Different,
    Removed,
}

impl Likeness {
    /// Logs that a client has become so.
    fn log(self, id: &ClientId) {
        match self {
            Self::Same => info!(client = %id, "as the configuration of this node says again"),
            Self::Different => warn!(
                client = %id,
                "not as the configuration of this node says: a command or another node has changed it, and this node undoes that \
                 when it starts or reads its configuration again; let those of all nodes say the same"
            ),
            Self::Removed => warn!(
                client = %id,
                "removed, and in the configuration of this node, which does not start with it; take it out of the file"
            ),
        }
    }
}

impl DescribedClients {
    /// Registers the clients that are new, and changes those that are others than the configuration says. The rest is not written,
    /// so that versions do not move at every start.
    ///
    /// # Errors
    /// The first client that cannot be as it is described; those after it are as they were, and compared with what was said of them before.
    pub(super) async fn keep(&mut self, server: &AuthorizationServer, clients: &[ConfiguredClient]) -> Result<()> {
        let heard = server.client_changes_heard();
        self.described.retain(|id, _| clients.iter().any(|client| client.id == *id));
        for client in clients {
            let kept = server.keep_client(&client.id, client.secrecy.clone(), client.settings.clone()).await;
            let kept = kept.with_context(|| format!("{}: client {:?}", client.origin, client.id.as_str()));
            let (kept, Client { settings, .. }) = kept?;
            match kept {
                Kept::Registered => info!(client = %client.id, "registered"),
                Kept::Changed => info!(client = %client.id, "changed"),
                Kept::Unchanged => {}
            }
            let (secrecy, likeness) = (client.secrecy.clone(), Likeness::Same);
            let description = Description { secrecy, settings, refused: None, likeness };
            let before = self.described.insert(client.id.clone(), description);
            if before.is_some_and(|before| before.likeness != Likeness::Same) {
                likeness.log(&client.id);
            }
        }
        self.compared_at = Some(heard);
        Ok(())
    }

    /// Compares all of them with the store where something may have changed, and logs which have become different, and which are the same
    /// again. While the store does not answer, they are compared next time; a client that is damaged is told of, and not waited for.
    pub(super) async fn compare(&mut self, server: &AuthorizationServer) {
        let heard = server.client_changes_heard();
        if self.compared_at == Some(heard) {
            return;
        }
        for (id, description) in &mut self.described {
            match description.compare(server, id).await {
                Ok(()) => {}
                Err(RegistrationError::Change(ChangeError::Store(error @ StoreError::Inconsistent { .. }))) => {
                    warn!(client = %id, %error, "whether it is as the configuration of this node says cannot be told");
                }
                Err(error) => {
                    if !mem::replace(&mut self.is_unknown, true) {
                        warn!(client = %id, %error, "whether clients are as the configuration of this node says is not known");
                    }
                    return;
                }
            }
        }
        if mem::take(&mut self.is_unknown) {
            info!("whether clients are as the configuration of this node says is known again");
        }
        self.compared_at = Some(heard);
    }
}

impl Description {
    /// Looks how the client is now, and logs it where that is new.
    async fn compare(&mut self, server: &AuthorizationServer, id: &ClientId) -> Result<(), RegistrationError> {
        let found = server.store().client(id).await.map_err(ChangeError::from)?;
        if let Some(found) = &found {
            self.look_at_credential(server, found).await?;
        }
        let likeness = self.likeness(found.as_ref());
        if mem::replace(&mut self.likeness, likeness) != likeness {
            likeness.log(id);
        }
        Ok(())
    }

    /// Finds out whether a credential that is new here is of the described secret: another hash may be of the same.
    async fn look_at_credential(
        &mut self,
        server: &AuthorizationServer,
        found: &Client,
    ) -> Result<(), RegistrationError> {
        let present = &found.settings.credential;
        if *present == self.settings.credential || (present.is_some() && *present == self.refused) {
            return Ok(());
        }
        if server.has_secret(found, &self.secrecy).await? {
            self.settings.credential.clone_from(present);
        } else {
            self.refused.clone_from(present);
        }
        Ok(())
    }

    fn likeness(&self, found: Option<&Client>) -> Likeness {
        match found {
            None => Likeness::Removed,
            Some(found) if found.settings == self.settings => Likeness::Same,
            Some(_) => Likeness::Different,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice;
    use std::sync::Arc;

    use regrant_data_directory::DataDirectory;
    use regrant_engine::{Hooks, SESSION_SECONDS};
    use regrant_grant::ClientKind;
    use regrant_protocol::{Issuer, RedirectUri, Scope, Secret};
    use regrant_store::{ClientChange, ClientDefaults};
    use tempfile::TempDir;

    use crate::config::{Origin, StoreConfig};
    use crate::open_store::open_server;

    use super::*;

    async fn server(directory: &TempDir) -> Arc<AuthorizationServer> {
        let directory = DataDirectory::open(&directory.path().join("data")).unwrap();
        let issuer = Issuer::parse("https://id.example").unwrap();
        open_server(&StoreConfig::Sqlite, None, &directory, issuer, SESSION_SECONDS, Hooks::default()).await.unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn configured(id: &str, name: &str) -> ConfiguredClient {
        let mut settings = ClientDefaults::BUILT_IN.settings(ClientKind::Confidential, Scope::empty());
        settings.name = Some(name.to_owned());
        settings.redirect_uris = vec![RedirectUri::parse("https://app.example/cb").unwrap()];
        let id = ClientId::parse(id).unwrap();
        ConfiguredClient { id, secrecy: Secrecy::Chosen(secret("one")), settings, origin: Origin::Default }
    }

    /// How each of the clients is found to be, where a change was heard of: a store of one node alone tells of none.
    async fn look(described: &mut DescribedClients, server: &AuthorizationServer) -> Vec<Likeness> {
        described.compared_at = None;
        described.compare(server).await;
        described.described.values().map(|description| description.likeness).collect()
    }

    #[tokio::test]
    async fn a_client_is_compared_with_its_description() {
        use Likeness::{Different, Removed, Same};
        let directory = tempfile::tempdir().unwrap();
        let server = server(&directory).await;
        let app = configured("app", "App");
        let id = &app.id;
        let mut described = DescribedClients::default();
        described.keep(&server, slice::from_ref(&app)).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Same]);

        let other = ClientSettings { name: Some("Other".to_owned()), ..app.settings.clone() };
        server.change_client(id, other).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Different], "another name");
        server.change_client(id, app.settings.clone()).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Same], "the name again");

        server.rotate_client_secret(id, Some(secret("two"))).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Different], "another secret");
        server.set_client_enabled(id, false).await.unwrap();
        assert_eq!(
            look(&mut described, &server).await,
            [Different],
            "still, and enabled or not is nobody's description"
        );
        server.rotate_client_secret(id, Some(secret("one"))).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Same], "the secret again, by another hash");

        server.rotate_client_secret(id, Some(secret("two"))).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Different]);
        server.remove_client(id).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Removed]);
        described.keep(&server, &[]).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [], "it is not in the configuration any more");
    }

    /// What a server keeps that is told to read a configuration which it cannot follow.
    #[tokio::test]
    async fn a_client_behind_one_that_cannot_be_kept_is_compared_with_what_was_said_before() {
        use Likeness::{Different, Same};
        let directory = tempfile::tempdir().unwrap();
        let server = server(&directory).await;
        let mut described = DescribedClients::default();
        described.keep(&server, &[configured("a", "A"), configured("b", "B"), configured("c", "C")]).await.unwrap();
        let wrong = ConfiguredClient { secrecy: Secrecy::Public, ..configured("b", "B") };
        let again = [configured("a", "A2"), wrong, configured("c", "C2")];
        let refused = described.keep(&server, &again).await.unwrap_err();
        assert!(refused.to_string().contains("client \"b\""), "{refused}");
        assert_eq!(
            look(&mut described, &server).await,
            [Same, Same, Same],
            "a as it is said now, c as it was said before"
        );

        let (before, now) = (configured("a", "A"), configured("c", "C2"));
        server.change_client(&before.id, before.settings).await.unwrap();
        server.change_client(&now.id, now.settings).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Different, Same, Different]);
    }

    #[tokio::test]
    async fn a_client_that_is_damaged_hides_none_behind_it() {
        use Likeness::{Different, Same};
        let directory = tempfile::tempdir().unwrap();
        let server = server(&directory).await;
        let mut described = DescribedClients::default();
        described.keep(&server, &[configured("a", "A"), configured("b", "B")]).await.unwrap();
        let client = server.store().client(&configured("a", "A").id).await.unwrap().unwrap();
        let credential = Some(Credential::new("nobody has hashed this".to_owned()));
        let settings = Box::new(ClientSettings { credential, ..client.settings });
        let change = ClientChange::Settings { seen_version: client.party.version, settings };
        server.store().change_client(&client.id, change).await.unwrap();
        let other = configured("b", "Other");
        server.change_client(&other.id, other.settings).await.unwrap();
        assert_eq!(look(&mut described, &server).await, [Same, Different]);
        assert!(described.compared_at.is_some(), "it is not asked for again until something changes");
    }
}
