use regrant_crypto::{PasswordHash, random};
use regrant_grant::{Binding, Birth, Generation, Grant, GrantId, GrantSecret, Write};
use regrant_protocol::{PasswordRequest, TokenResponse, Username};
use regrant_store::{Scene, StoreError, Target, User, UserStatus, decide_in};
use tracing::info;

use crate::failures::FailureKey;
use crate::token::{Granted, granted_resources, granted_scope, may_refresh};
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
        let user = self.log_in(context, request).await?;
        let birth = Birth {
            id: GrantId(random(&*self.entropy)),
            secret: GrantSecret::new(random(&*self.entropy)),
            client: client.id().clone(),
            subject: user.subject.clone(),
            scope,
            resources,
            binding: Binding::None,
            authenticated_at: self.clock.now(),
            kid: self.keys.newest_kid(),
            generation: Generation::FIRST,
        };
        let row = self.issue(context, client, &user, birth).await?;
        let refresh_token = may_refresh(client.settings()).then(|| self.keys.refresh_token(&row)).transpose()?;
        let (grant, now) = (row.id, row.rotated_at);
        let (scope, resources) = (row.scope.clone(), row.resources.clone());
        let response = self.respond(client, Granted { row, now, scope, resources }, refresh_token)?;
        info!(%grant, client = %client.id(), user = %user.subject, "issued");
        Ok(response)
    }

    /// Checks name and password. An unknown name costs the same work as a wrong password.
    async fn log_in(&self, context: &RequestContext, request: &PasswordRequest) -> Result<User, TokenError> {
        let failure = FailureKey::user(context.source, &request.username);
        let now = self.clock.monotonic();
        self.failures.check(failure, now).map_err(TokenError::too_many_failures)?;
        let user = match Username::parse(&request.username) {
            Ok(username) => self.store.user_named(&username).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().and_then(|user| user.credential.as_ref()).map(|credential| {
            PasswordHash::parse(credential.expose()).map_err(|error| StoreError::Inconsistent {
                table: "users",
                column: "credential",
                row: user.as_ref().map_or_else(String::new, |user| user.subject.to_string()),
                problem: error.to_string(),
            })
        });
        let is_right = match hash.transpose()? {
            Some(hash) => self.hashing.verify(hash, request.password.clone()).await?,
            None => {
                self.hashing.verify_nothing(request.password.clone()).await?;
                false
            }
        };
        let Some(user) = user.filter(|_| is_right) else {
            self.failures.count(failure, now);
            return Err(TokenError::Credentials);
        };
        if user.status == UserStatus::Active { Ok(user) } else { Err(TokenError::UserDisabled) }
    }

    /// Makes the row of a new grant, unless client or user changed since they were looked at.
    async fn issue(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        user: &User,
        birth: Birth,
    ) -> Result<Grant, TokenError> {
        let target = Target::NewGrant(client.id().clone(), user.subject.clone());
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
            (Some(row.clone()), Write::Insert(row))
        };
        let begin_before = Some(context.begin_before());
        decide_in(&*self.store, target, begin_before, rule).await?.ok_or(TokenError::Changed)
    }
}
