use regrant_protocol::EpochNumber;

use crate::AuthorizationServer;

impl AuthorizationServer {
    /// Keeps the store from deciding anything more, as a token of `epoch` (`None`: one that was imported) has shown that it is older than what it issued: every
    /// grant of it may be, and every revocation undone. The request that showed it is answered 503 whatever comes of this.
    ///
    /// The authority tag of an epoch to which this store has not come cannot be checked, so that its token shows nothing: a copy
    /// that was restored with the same key file makes such tokens, and so does whoever has a master key. That is told only.
    pub(crate) async fn halt(&self, epoch: Option<EpochNumber>) {
        let present = self.keys.present_epoch();
        if let Some(epoch) = epoch.filter(|epoch| *epoch > present) {
            tracing::error!(
                epoch = epoch.0,
                present = present.0,
                "a token is of an epoch to which this store has not come: it is of a copy that was restored elsewhere, or the database \
                 was put back to before a restore. In that case stop the server and run `regrant restore`"
            );
            return;
        }
        match self.store.halt().await {
            Ok(()) => tracing::error!(
                "a token is ahead of its row: the database was put back to an earlier day, and decides nothing any more. Stop the server \
                 and run `regrant restore`"
            ),
            Err(error) => tracing::error!(
                %error,
                "a token is ahead of its row, but that the store decides nothing any more could not be written down, or it is not so: \
                 another database server was found meanwhile"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::Purpose;
    use regrant_grant::{CODE_PREFIX, Generation, Grant, Head, REFRESH_PREFIX, RedeemVerdict, TokenParts, Verdict};
    use regrant_protocol::{EpochNumber, Params};
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

    #[tokio::test]
    async fn a_token_whose_authority_nobody_can_check_is_answered_503_and_stops_nobody() {
        let world = World::new().await;
        let row = world.row_of(|_| {}).await;
        let keys = &world.server.keys;
        let code = keys.code(&row).unwrap();
        // As a copy of the store makes it that was restored with the same key file.
        let of_copy = |purpose, prefix| {
            let head = Head { kid: row.kid, epoch: EpochNumber(2), grant: row.id, generation: row.generation };
            let prefilter_tag = keys.prefilter_tag(&head, purpose).unwrap();
            TokenParts { head, prefilter_tag, authority_tag: [7; 20] }.encode(prefix)
        };
        let told = world.redeem(of_copy(Purpose::Code, CODE_PREFIX).expose(), "").await.unwrap_err();
        assert!(matches!(told, TokenError::Redeem { verdict: RedeemVerdict::RolledBack, .. }), "{told:?}");
        let given = world.redeem(code.expose(), "").await.unwrap();
        let mut presented = given.clone();
        presented.refresh_token = Some(of_copy(Purpose::Refresh, REFRESH_PREFIX));
        let told = world.refresh(&presented, "").await.unwrap_err();
        assert!(matches!(told, TokenError::Refresh { verdict: Verdict::RolledBack, .. }), "{told:?}");
        let form = format!("client_id=app&token={}", presented.refresh_token.unwrap().expose());
        let told = world.server.revoke(&world.context(), None, &Params::parse(form.as_bytes()).unwrap()).await;
        assert!(told.is_err(), "what is not revoked is not called so");
        assert!(world.refresh(&given, "").await.is_ok());
    }
}
