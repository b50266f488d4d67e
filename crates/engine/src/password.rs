use std::sync::Arc;

use regrant_crypto::random;
use regrant_grant::{Binding, Birth, Generation, Grant, GrantId, GrantSecret, Write};
use regrant_protocol::{GrantType, PasswordRequest, TokenResponse};
use regrant_store::{Scene, Target, User, decide_in};
use serde_json::{Map, Value};

use crate::failures::FailureKey;
use crate::token::{Granted, granted_resources, granted_scope, may_refresh};
use crate::user_authentication::{Caller, UserAuthenticationError};
use crate::{
    AuthenticatedClient, AuthorizationServer, ClaimsRequest, Happening, LogInOutcome, RequestContext, TokenError,
};

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
        let of = ClaimsRequest {
            client: client.id(),
            subject: Some(&user.subject),
            grant: Some(birth.id),
            scope: &birth.scope,
        };
        let added = self.ask_for_claims(context, of).await?;
        let granted = self.issue(context, client, &user, birth, added).await?;
        let may_refresh = may_refresh(client.settings(), &granted.scope);
        let refresh_token = may_refresh.then(|| self.keys.refresh_token(&granted.row)).transpose()?;
        let response = self.respond(client, &granted, refresh_token).await?;
        let (client, subject, grant) = (client.id(), Some(&user.subject), Some(granted.row.id));
        self.tell(context, Happening::Issued { grant_type: GrantType::Password, grant, client, subject });
        Ok(response)
    }

    /// Checks name and password, unless there were too many failures before.
    async fn log_in_by_password(
        &self,
        context: &RequestContext,
        request: &PasswordRequest,
    ) -> Result<User, TokenError> {
        let failure = FailureKey::user(context.source, &request.username);
        let tell = |subject, outcome| self.tell(context, Happening::LogIn { subject, outcome });
        let turn = self.turns.take(&self.failures, failure, &*self.clock).await.map_err(|retry_after_seconds| {
            tell(None, LogInOutcome::TooManyFailures);
            TokenError::too_many_failures(retry_after_seconds)
        })?;
        let authenticated = self.authenticate_user(Caller::Stranger, &request.username, &request.password).await;
        if authenticated.as_ref().err() != Some(&UserAuthenticationError::Credentials) {
            self.failures.give_back(&[failure]);
        }
        drop(turn);
        match &authenticated {
            Ok(user) => tell(Some(&user.subject), LogInOutcome::LoggedIn),
            Err(UserAuthenticationError::Credentials) => {
                tell(None, LogInOutcome::WrongCredentials);
            }
            Err(UserAuthenticationError::UserDisabled(subject)) => tell(Some(subject), LogInOutcome::UserDisabled),
            // Nothing was found out.
            Err(UserAuthenticationError::Overloaded(_) | UserAuthenticationError::Store(_)) => {}
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
        added: Map<String, Value>,
    ) -> Result<Granted, TokenError> {
        let target = Target::NewGrant {
            grant: birth.id,
            client: client.id().clone(),
            user: user.subject.clone(),
            session: None,
        };
        let (client_version, user_version) = (client.client().party.version, user.version);
        let policy = client.settings().policy;
        let (gauge, keys) = (self.gauge(client)?, Arc::clone(&self.keys));
        let rule = move |scene: &Scene<'_>| {
            let versions = (
                scene.surroundings.client.map(|client| client.version),
                scene.surroundings.user.map(|user| user.version),
            );
            if versions != (Some(client_version), Some(user_version)) {
                return (Err(TokenError::Changed), Write::Nothing);
            }
            let row = Grant::new(birth.clone(), &scene.surroundings, &policy, scene.now);
            if !keys.can_make(&row) {
                return (Err(keys.why_not(&row).into()), Write::Nothing);
            }
            let (scope, resources) = (row.scope.clone(), row.resources.clone());
            let granted = Granted { added: added.clone(), ..Granted::new(row.clone(), scene, scope, resources) };
            match gauge.check(&granted) {
                Ok(()) => (Ok(granted), Write::Insert(row)),
                Err(error) => (Err(error), Write::Nothing),
            }
        };
        let begin_before = Some(context.begin_before());
        decide_in(&*self.store, target, begin_before, rule).await?
    }
}
