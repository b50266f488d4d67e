use regrant_grant::{GrantId, Write};
use regrant_store::{Scene, StoreError, Target, decide_in};
use serde_json::{Map, Value};

use crate::token::Granted;
use crate::{AuthenticatedClient, AuthorizationServer, ClaimsRequest, RequestContext, TokenError};

/// What a rule decides that may give tokens: a verdict and what they are made from, and what is written.
pub(crate) type Decided<V> = (Result<(V, Granted), TokenError>, Write);

impl AuthorizationServer {
    /// Runs the step of a grant whose rule may give tokens. Nothing is written for a token that cannot be made: a grant that
    /// was rotated and not answered would be a lost answer of our own making.
    ///
    /// A claims hook is asked before the step, about what the rule would give now.
    pub(crate) async fn issue_step<V: Send + 'static>(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        grant: GrantId,
        rule: impl FnMut(&Scene<'_>) -> Decided<V> + Clone + Send + 'static,
    ) -> Result<(V, Granted), TokenError> {
        let gauge = self.gauge(client)?;
        let added = match self.hooks.claims {
            None => Some(Map::new()),
            Some(_) => self.claims_before(context, client, grant, rule.clone()).await?,
        };
        let mut decide = rule;
        let rule = move |scene: &Scene<'_>| {
            let (decided, write) = decide(scene);
            let (verdict, granted) = match decided {
                Ok(given) => given,
                Err(refused) => return (Err(refused), write),
            };
            // Refused a moment ago, when the hook would have been asked.
            let Some(added) = added.clone() else { return (Err(TokenError::Changed), Write::Nothing) };
            let granted = Granted { added, ..granted };
            match gauge.check(&granted) {
                Ok(()) => (Ok((verdict, granted)), write),
                Err(too_large) => (Err(too_large), Write::Nothing),
            }
        };
        decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), rule).await?
    }

    /// What the claims hook adds to the access token that `rule` would give now; `None` where it would give none.
    async fn claims_before<V: Send + 'static>(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        grant: GrantId,
        mut rule: impl FnMut(&Scene<'_>) -> Decided<V> + Send + 'static,
    ) -> Result<Option<Map<String, Value>>, TokenError> {
        let look = move |scene: &Scene<'_>| (rule(scene).0.ok().map(|(_, granted)| granted), Write::Nothing);
        let looked: Result<_, StoreError> =
            decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), look).await;
        let Some(Granted { row, scope, .. }) = looked? else { return Ok(None) };
        let subject = Some(&row.subject);
        let of = ClaimsRequest { client: client.id(), subject, grant: Some(row.id), scope: &scope };
        Ok(Some(self.ask_for_claims(context, of).await?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use regrant_grant::Grant;
    use regrant_protocol::{ClientAuthentication, Params};

    use super::*;
    use crate::world::World;
    use crate::{ClaimsHook, ClaimsUnavailable, Hooks};

    struct NothingToAdd;

    #[async_trait]
    impl ClaimsHook for NothingToAdd {
        async fn claims(&self, _of: &ClaimsRequest<'_>) -> Result<Map<String, Value>, ClaimsUnavailable> {
            Ok(Map::new())
        }
    }

    #[tokio::test]
    async fn what_is_only_given_once_the_hook_could_not_be_asked_is_decided_anew() {
        for refused_at in [0, 1, 2] {
            let world = World::with(Hooks { claims: Some(Arc::new(NothingToAdd)), ..Hooks::default() }).await;
            let row = world.row_of(|_| {}).await;
            let claimed = ClientAuthentication::find(None, &Params::parse(b"client_id=app").unwrap()).unwrap();
            let client = world.server.authenticate(&world.context(), &claimed).await.unwrap();
            let calls = Arc::new(AtomicUsize::new(0));
            let rule = move |scene: &Scene<'_>| {
                if calls.fetch_add(1, Ordering::SeqCst) == refused_at {
                    return (Err(TokenError::UserDisabled), Write::Nothing);
                }
                let row = scene.grant.unwrap();
                let after = Grant { version: row.version + 1, ..row.clone() };
                let (scope, resources) = (row.scope.clone(), row.resources.clone());
                (Ok(((), Granted::new(after.clone(), scene, scope, resources))), Write::Update(after))
            };
            let decided = world.server.issue_step(&world.context(), &client, row.id, rule).await;
            let expected = [Some(TokenError::Changed), Some(TokenError::UserDisabled), None];
            assert_eq!(decided.err(), expected[refused_at]);
            let look = |scene: &Scene<'_>| (scene.grant.map(|row| row.version), Write::Nothing);
            let version = decide_in(&**world.server.store(), Target::Grant(row.id), None, look).await.unwrap();
            assert_eq!(version, Some(row.version + u64::from(refused_at == 2)));
        }
    }
}
