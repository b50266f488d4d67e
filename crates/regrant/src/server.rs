use std::ops::Deref;
use std::sync::Arc;

use regrant_engine::{AuthorizationServer, KeyFile};
#[cfg(feature = "axum")]
use regrant_http::{Site, SiteOptions};

use crate::NeedsStore;
use crate::following::Following;
use crate::sweeping::{Held, Sweeping};

/// A running authorization server: an [`AuthorizationServer`], which it dereferences to, and what has to live beside it.
///
/// Clones are the same server. When the last one goes, and the last router of [`Server::router`], the sweeping stops, the store
/// is closed, and its data directory may be opened again. Nothing else of the server is to be held longer.
#[derive(Clone)]
pub struct Server(Arc<Running>);

/// In the order in which it ends.
struct Running {
    _following: Option<Following>,
    _sweeping: Option<Sweeping>,
    server: Arc<AuthorizationServer>,
    held: Held,
}

impl Server {
    /// Begins to describe a server whose tokens and metadata carry `issuer`, an https URL; http is for trying on one
    /// machine.
    #[must_use]
    pub fn builder(issuer: &str) -> NeedsStore {
        NeedsStore { issuer: issuer.to_owned() }
    }

    pub(crate) fn new(
        server: Arc<AuthorizationServer>,
        following: Option<Following>,
        sweeping: Option<Sweeping>,
        held: Held,
    ) -> Self {
        Self(Arc::new(Running { _following: following, _sweeping: sweeping, server, held }))
    }

    /// How the server meets people: with which brand, and where they log in.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn site(&self, options: SiteOptions) -> Site {
        Site::new(Arc::clone(&self.0.server), options)
    }

    /// The key file of the server's data directory, for [`AuthorizationServer::rotate_master_key`]; `None` for a server with a
    /// store of your own, whose master keys you keep yourself.
    #[must_use]
    pub fn key_file(&self) -> Option<&dyn KeyFile> {
        self.0.held.as_deref()
    }

    /// Every endpoint and every page of a site of this server, to be merged into an application. The server runs for as long as
    /// the router is there.
    #[cfg(feature = "axum")]
    pub fn router(&self, site: &Site) -> axum::Router {
        site.router().layer(axum::Extension(self.clone()))
    }
}

impl Deref for Server {
    type Target = AuthorizationServer;

    fn deref(&self) -> &AuthorizationServer {
        &self.0.server
    }
}

#[cfg(feature = "axum")]
impl axum::extract::FromRef<Server> for Arc<AuthorizationServer> {
    fn from_ref(server: &Server) -> Self {
        Self::clone(&server.0.server)
    }
}

#[cfg(all(test, feature = "axum", feature = "sqlite"))]
mod tests {
    use std::time::Duration;

    use regrant_grant::SessionId;
    use regrant_protocol::{Clock, ManualClock, Profile, Secret, Timestamp};
    use regrant_store::Session;
    use tokio::time::sleep;

    use super::*;
    use crate::{DataDirectoryError, StartError};

    const ISSUER: &str = "https://id.example";

    #[tokio::test]
    async fn a_data_directory_is_free_again_when_the_last_handle_and_the_last_router_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let open = || Server::builder(ISSUER).sqlite(&data).open();
        let is_in_use = async || matches!(open().await, Err(StartError::DataDirectory(DataDirectoryError::InUse(_))));

        let server = open().await.unwrap();
        let router = server.router(&server.site(SiteOptions::default()));
        let clone = server.clone();
        drop(server);
        assert!(is_in_use().await, "a clone and a router hold it");
        drop(clone);
        assert!(is_in_use().await, "the router holds it");
        drop(router);
        // The task that sweeps ends when the runtime comes by it.
        for _ in 0..1_000 {
            if !is_in_use().await {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("nobody holds it any more");
    }

    #[tokio::test(start_paused = true)]
    async fn an_embedded_server_sweeps_unless_it_is_told_not_to() {
        for sweeps in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
            let builder = Server::builder(ISSUER).sqlite(folder.path().join("data")).clock(Arc::clone(&clock) as _);
            let builder = if sweeps { builder } else { builder.without_sweeping() };
            let server = builder.open().await.unwrap();
            let password = Secret::new("wonderland".to_owned());
            let user = server.register_user("alice", password, Profile::default()).await.unwrap();
            let session = Session {
                id: SessionId([7; 16]),
                secret_digest: [8; 32],
                user,
                created_at: clock.now(),
                authenticated_at: clock.now(),
                expires_at: clock.now().plus_seconds(1),
            };
            server.store().keep_session(session).await.unwrap();
            clock.advance_seconds(2 * 24 * 60 * 60);
            let mut is_left = true;
            // A pass has a few slices, and each may be asked for while time passes here.
            for _ in 0..100 {
                sleep(Duration::from_secs(60 * 60)).await;
                is_left &= server.store().session(SessionId([7; 16])).await.unwrap().is_some();
            }
            assert_eq!(is_left, !sweeps);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_told_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let told = async |issuer, data: &str| {
            let opened = Server::builder(issuer).sqlite(folder.path().join(data)).open().await;
            opened.err().map_or_else(String::new, |error| error.to_string())
        };
        assert!(told("id.example", "data").await.contains("id.example"));
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert!(told(ISSUER, "file").await.contains("is not a directory"));
        assert_eq!(told(ISSUER, "data").await, "");
    }
}
