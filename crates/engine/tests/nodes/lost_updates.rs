//! What two nodes change at once: neither undoes what the other did.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use regrant_engine::{Kept, RegistrationError, Secrecy};
use regrant_protocol::{ClientId, Profile, TokenEndpointAuthMethod};
use regrant_store::{AccessTokenFormat, ChangeError, Client, ClientSettings};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::cluster::{Cluster, settings};

fn web() -> ClientId {
    ClientId::parse("web").expect("it is a name")
}

fn with_secret() -> ClientSettings {
    ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretBasic], ..settings() }
}

fn named(client: &Client) -> ClientSettings {
    ClientSettings { name: Some("Photos".to_owned()), ..client.settings.clone() }
}

/// What another node does while one has read and not written yet.
fn meanwhile<T>(act: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(act))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_secret_is_not_undone_by_who_renames_the_client_at_another_node() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    one.server.register_client(web(), Secrecy::Generated, with_secret()).await.unwrap();
    let read = async || one.server.store().client(&web()).await.unwrap().unwrap();
    let before = read().await;
    let asked = AtomicU32::new(0);
    let rename = |client: &Client| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            meanwhile(other.server.rotate_client_secret(&web(), None)).unwrap();
        }
        Ok::<_, RegistrationError>(named(client))
    };
    let renamed = one.server.update_client(&web(), rename).await.unwrap();
    assert_eq!(asked.into_inner(), 2);
    assert_eq!(read().await, renamed);
    assert_eq!(renamed.settings.name.as_deref(), Some("Photos"));
    assert_ne!(renamed.settings.credential, before.settings.credential);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_change_all_the_time_stays_as_they_want_it() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    one.server.register_client(web(), Secrecy::Generated, with_secret()).await.unwrap();
    let outdated = |name: &str| Some(RegistrationError::Change(ChangeError::Outdated(name.to_owned())));
    let rename = |client: &Client| {
        meanwhile(other.server.set_client_enabled(&web(), true)).unwrap();
        Ok::<_, RegistrationError>(named(client))
    };
    assert_eq!(one.server.update_client(&web(), rename).await.err(), outdated("web"));
    assert_eq!(one.server.store().client(&web()).await.unwrap().unwrap().settings.name, None);

    let alice = one.server.store().users(None, 1).await.unwrap().items.remove(0).subject;
    let profile = |profile: &Profile| {
        meanwhile(other.server.enable_user(&alice)).unwrap();
        Ok::<_, RegistrationError>(Profile { name: Some("Alice".to_owned()), ..profile.clone() })
    };
    assert_eq!(one.server.update_profile(&alice, profile).await.err(), outdated(alice.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_field_of_a_profile_is_not_undone_by_who_changes_another_at_another_node() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    let alice = one.server.store().users(None, 1).await.unwrap().items.remove(0).subject;
    let asked = AtomicU32::new(0);
    let profile = |profile: &Profile| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let married = |profile: &Profile| {
                Ok::<_, RegistrationError>(Profile { family_name: Some("Hargreaves".to_owned()), ..profile.clone() })
            };
            meanwhile(other.server.update_profile(&alice, married)).unwrap();
        }
        Ok::<_, RegistrationError>(Profile { name: Some("Alice".to_owned()), ..profile.clone() })
    };
    let changed = one.server.update_profile(&alice, profile).await.unwrap();
    let (name, family_name) = (Some("Alice".to_owned()), Some("Hargreaves".to_owned()));
    assert_eq!(changed.profile, Profile { name, family_name, ..Profile::default() });
    assert_eq!(one.server.store().user(&alice).await.unwrap(), Some(changed));
}

/// As nodes do that start together with the same `[[client]]`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nodes_that_describe_the_same_new_client_one_registers_it() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    for number in 0..16 {
        let id = ClientId::parse(&format!("app-{number}")).unwrap();
        let keep = |node: &crate::cluster::Node| {
            let (server, id) = (node.server.clone(), id.clone());
            tokio::spawn(async move { server.keep_client(&id, Secrecy::Public, settings()).await })
        };
        let (one, other) = (keep(&one), keep(&other));
        let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
        assert_eq!(one.1, other.1, "the same client");
        let mut kept = [one.0, other.0];
        kept.sort_by_key(|kept| *kept != Kept::Registered);
        assert_eq!(kept, [Kept::Registered, Kept::Unchanged], "{id}");
    }
}
