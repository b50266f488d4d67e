use std::pin::pin;

use regrant_grant::{GrantId, Write};
use regrant_store::{Scene, StoreError, Target, decide_in};
use serde_json::{Map, Value};
use tokio::select;
use tokio::sync::oneshot;

use crate::access_token::algorithm;
use crate::access_token_draft::Draft;
use crate::token::{EarlyToken, Granted};
use crate::{AuthenticatedClient, AuthorizationServer, ClaimsRequest, RequestContext, TokenError};

/// What a rule decides that may give tokens: a verdict and what they are made from, and what is written.
pub(crate) type Decided<V> = (Result<(V, Granted), TokenError>, Write);

impl AuthorizationServer {
    /// Runs the step of a grant whose rule may give tokens. Nothing is written for a token that cannot be made: a grant that
    /// was rotated and not answered would be a lost answer of our own making.
    ///
    /// A claims hook is asked before the step, about what the rule would give now. What is to be signed is signed while the step
    /// becomes durable, and thrown away when it does not.
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
        let is_signed = algorithm(client.settings().access_token_format).is_some();
        let (mut tell, told) = is_signed.then(oneshot::channel).unzip();
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
                Ok(()) => {
                    if let Some(tell) = tell.take() {
                        // Whoever waited for it may be gone.
                        let _ = tell.send(granted.clone());
                    }
                    (Ok((verdict, granted)), write)
                }
                Err(too_large) => (Err(too_large), Write::Nothing),
            }
        };
        let step = decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), rule);
        let Some(told) = told else { return step.await? };
        let (mut step, mut signing) = (pin!(step), pin!(self.sign_early(client, told)));
        let (decided, early) = select! {
            biased;
            early = &mut signing => (step.await?, early),
            decided = &mut step => match decided? {
                Ok(given) => (Ok(given), signing.await),
                Err(refused) => (Err(refused), None),
            },
        };
        let (verdict, granted) = decided?;
        Ok((verdict, Granted { early, ..granted }))
    }

    /// The access token of what a step will give if it becomes durable; `None` when it gives nothing.
    async fn sign_early(&self, client: &AuthenticatedClient, told: oneshot::Receiver<Granted>) -> Option<EarlyToken> {
        let granted = told.await.ok()?;
        let draft = Draft::for_grant(&self.issuer, client, &granted);
        let access_token = self.mint(client, &draft).await.ok()?;
        Some(EarlyToken { access_token, of: Box::new(granted) })
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
    use regrant_protocol::{ClientAuthentication, Params, Timestamp};
    use regrant_store::AccessTokenFormat;

    use super::*;
    use crate::world::{Nowhere, World};
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
    #[tokio::test]
    async fn an_access_token_that_was_signed_early_is_given_for_what_became_durable_alone() {
        let world = World::new().await;
        world.change(|settings| settings.access_token_format = AccessTokenFormat::JwtEs256).await;
        let row = world.row_of(|_| {}).await;
        let claimed = ClientAuthentication::find(None, &Params::parse(b"client_id=app").unwrap()).unwrap();
        let client = world.server.authenticate(&world.context(), &claimed).await.unwrap();
        let rule = |scene: &Scene<'_>| {
            let row = scene.grant.unwrap().clone();
            let (scope, resources) = (row.scope.clone(), row.resources.clone());
            (Ok(((), Granted::new(row, scene, scope, resources))), Write::Nothing)
        };
        let ((), granted) = world.server.issue_step(&world.context(), &client, row.id, rule).await.unwrap();
        let early = granted.early.clone().unwrap().access_token;
        let given = async |granted| world.server.respond(&client, &granted, None).await.map(|given| given.access_token);
        // A signature with ES256 is another one each time.
        assert_eq!(given(granted.clone()).await.unwrap().expose(), early.expose());
        let later = Timestamp::from_milliseconds(granted.now.milliseconds() + 1);
        assert_ne!(given(Granted { now: later, ..granted.clone() }).await.unwrap().expose(), early.expose());
        world.server.rotate_master_key(&Nowhere, true).await.unwrap();
        assert!(given(granted).await.is_err());

        let refused = |_: &Scene<'_>| (Err::<((), Granted), _>(TokenError::UserDisabled), Write::Nothing);
        let client = world.server.authenticate(&world.context(), &claimed).await.unwrap();
        let decided = world.server.issue_step(&world.context(), &client, row.id, refused).await;
        assert_eq!(decided.err(), Some(TokenError::UserDisabled));
    }
}
