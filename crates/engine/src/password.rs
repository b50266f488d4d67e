use regrant_crypto::random;
use regrant_grant::{Binding, Birth, Generation, Grant, GrantId, GrantSecret, Write};
use regrant_protocol::{PasswordRequest, TokenResponse};
use regrant_store::{Scene, Target, User, decide_in};
use tracing::info;

use crate::failures::FailureKey;
use crate::token::{Granted, granted_resources, granted_scope, may_refresh};
use crate::user_authentication::{Caller, UserAuthenticationError};
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

impl AuthorizationServer {
    /// `grant_type=password` (RFC 6749 §4.3).
    pub(crate) async fn password(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &PasswordRequest,
    ) -> Result<TokenResponse, TokenError> {
        let scope = granted_scope(client.settings(), request.scope.as_ref())?;
        let resources = granted_resources(client.settings(), &request.resources)?;
        let user = self.log_in_by_password(context, request).await?;
        let birth = Birth {
            id: GrantId(random(&*self.entropy)),
            secret: GrantSecret::new(random(&*self.entropy)),
            client: client.id().clone(),
            subject: user.subject.clone(),
            scope,
            resources,
            binding: Binding::None,
            session: None,
            approved_from: None,
            code: None,
            authenticated_at: self.clock.now(),
            kid: self.keys.newest_kid(),
            generation: Generation::FIRST,
        };
        let granted = self.issue(context, client, &user, birth).await?;
        let refresh_token =
            may_refresh(client.settings()).then(|| self.keys.refresh_token(&granted.row)).transpose()?;
        let response = self.respond(client, &granted, refresh_token)?;
        info!(grant = %granted.row.id, client = %client.id(), user = %user.subject, "issued");
        Ok(response)
    }

    /// Checks name and password, unless there were too many failures before.
    async fn log_in_by_password(
        &self,
        context: &RequestContext,
        request: &PasswordRequest,
    ) -> Result<User, TokenError> {
        let failure = FailureKey::user(context.source, &request.username);
        let now = self.clock.monotonic();
        self.failures.check(failure, now).map_err(TokenError::too_many_failures)?;
        let authenticated = self.authenticate_user(Caller::Stranger, &request.username, &request.password).await;
        if authenticated == Err(UserAuthenticationError::Credentials) {
            self.failures.count(failure, now);
        }
        Ok(authenticated?)
    }

    /// Makes the row of a new grant, unless client or user changed since they were looked at.
    async fn issue(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        user: &User,
        birth: Birth,
    ) -> Result<Granted, TokenError> {
        let target = Target::NewGrant {
            grant: birth.id,
            client: client.id().clone(),
            user: user.subject.clone(),
            session: None,
        };
        let (client_version, user_version) = (client.client().party.version, user.version);
        let policy = client.settings().policy;
        let rule = move |scene: &Scene<'_>| {
            let versions = (
                scene.surroundings.client.map(|client| client.version),
                scene.surroundings.user.map(|user| user.version),
            );
            if versions != (Some(client_version), Some(user_version)) {
                return (None, Write::Nothing);
            }
            let row = Grant::new(birth.clone(), &scene.surroundings, &policy, scene.now);
            let (scope, resources) = (row.scope.clone(), row.resources.clone());
            (Some(Granted::new(row.clone(), scene, scope, resources)), Write::Insert(row))
        };
        let begin_before = Some(context.begin_before());
        decide_in(&*self.store, target, begin_before, rule).await?.ok_or(TokenError::Changed)
    }
}
