//! What counts with the next request, at nodes that have heard of nothing.

use regrant_engine::{TokenError, Verdict};
use regrant_store::{AccessTokenFormat, ClientSettings, UserChange};

use crate::cluster::{Cluster, app, settings};

#[tokio::test]
async fn what_one_node_revokes_disables_or_changes_counts_at_the_next_request_to_another() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    // Both have the client in memory.
    let (revoked, kept) = (one.log_in().await.unwrap(), other.log_in().await.unwrap());
    one.revoke(&revoked).await.unwrap();
    assert_eq!(other.verdict(&revoked).await, Verdict::Revoked);
    assert_eq!(other.is_good(&revoked).await, Ok(false));

    one.server.set_client_enabled(&app(), false).await.unwrap();
    assert_eq!(other.refresh(&kept).await, Err(TokenError::ClientDisabled));
    assert_eq!(other.is_good(&kept).await, Ok(false));
    one.server.set_client_enabled(&app(), true).await.unwrap();
    let kept = other.refresh(&kept).await.unwrap();

    let own = ClientSettings { access_token_format: AccessTokenFormat::JwtEs256, ..settings() };
    one.server.change_client(&app(), own).await.unwrap();
    let kept = other.refresh(&kept).await.unwrap();
    assert!(!kept.access_token.expose().starts_with("rga_"), "as the client is set now");

    let alice = one.server.store().users(None, 1).await.unwrap().items.remove(0).subject;
    one.server.store().change_user(&alice, UserChange::RaiseCutoff).await.unwrap();
    assert_eq!(other.verdict(&kept).await, Verdict::Revoked);
    assert_eq!(other.is_good(&kept).await, Ok(false));
}
