use crate::AuthorizationServer;

impl AuthorizationServer {
    /// Keeps the store from deciding anything more, as a token has shown that it is older than what it issued: every grant of it may
    /// be, and every revocation undone. The request that showed it is answered 503 whatever comes of this.
    pub(crate) async fn halt(&self) {
        tracing::error!(
            "a token is ahead of its row: the database was put back to an earlier day, and decides nothing any more. Stop the server \
             and run `regrant restore`"
        );
        if let Err(error) = self.store.halt().await {
            tracing::error!(%error, "a new start would not know that the store decides nothing any more");
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{Generation, Grant, Verdict};
    use regrant_store::StoreError;

    use crate::TokenError;
    use crate::world::World;

    #[tokio::test]
    async fn after_a_token_that_is_ahead_of_its_row_nothing_is_decided_for_anybody() {
        let world = World::new().await;
        let row = world.row_of(|_| {}).await;
        let code = world.server.keys.code(&row).unwrap();
        let given = world.redeem(code.expose(), "").await.unwrap();
        let ahead = Grant { generation: Generation(7), ..row };
        let mut presented = given.clone();
        presented.refresh_token = Some(world.server.keys.refresh_token(&ahead).unwrap());
        let told = world.refresh(&presented, "").await.unwrap_err();
        assert!(matches!(told, TokenError::Refresh { verdict: Verdict::RolledBack, .. }), "{told:?}");
        assert_eq!(world.refresh(&given, "").await, Err(TokenError::Store(StoreError::RolledBack)));
    }
}
