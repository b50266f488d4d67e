use std::borrow::Cow;

use regrant_grant::{AccessTokenId, AccessVerdict, Grant, GrantId, Write, judge_access};
use regrant_protocol::{AccessTokenClaims, Resources, Timestamp};
use regrant_store::{FoundToken, ImportedAccessToken, Scene, StoreError, Target, decide_in};
use serde_json::Map;

use crate::access_token::{LiveAccessToken, answer, is_as_it_was};
use crate::access_token_draft::audience_of_user_token;
use crate::failures::FailureKey;
use crate::imported::NotLookedUp;
use crate::replaced::Replaced;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext};

impl AuthorizationServer {
    /// The facts about an access token of ours, or of another system that we took over from, if it is good now; `asker` and
    /// `list` as in [`AuthorizationServer::judge`].
    pub(crate) async fn live_access_token(
        &self,
        context: &RequestContext,
        token: &str,
        asker: Option<&AuthenticatedClient>,
        list: bool,
    ) -> Result<Option<LiveAccessToken>, NotLookedUp> {
        self.learn_of_signer(token).await?;
        if let Some(ours) = self.recognise(token) {
            return Ok(self.judge(context, ours, asker, list).await?);
        }
        match self.find_imported(FailureKey::imported_access_token(context.source), asker, token).await? {
            Some(FoundToken::Access(grant, token)) => {
                Ok(self.judge_imported(context, grant, *token, asker, list).await?)
            }
            Some(FoundToken::Refresh(_)) | None => Ok(None),
        }
    }

    /// As [`AuthorizationServer::judge`], for an imported token.
    pub(crate) async fn judge_imported(
        &self,
        context: &RequestContext,
        grant: GrantId,
        token: ImportedAccessToken,
        asker: Option<&AuthenticatedClient>,
        list: bool,
    ) -> Result<Option<LiveAccessToken>, StoreError> {
        let id = AccessTokenId::of_imported(grant, &token.token);
        let asker = asker.map(|asker| (asker.id().clone(), asker.client().party.version));
        let (issuer, scope) = (self.issuer.clone(), token.scope.clone());
        let rule = move |scene: &Scene<'_>| {
            let is_for = |row: &&Grant| asker.as_ref().is_none_or(|(client, _)| *client == row.client);
            let Some(row) = scene.grant.filter(is_for) else { return ((None, None), Write::Nothing) };
            let (verdict, replaced) = judge_imported_token(row, id, &token, scene);
            let is_good = verdict == AccessVerdict::Active
                && !scene.access_token_is_listed
                && is_as_it_was(asker.as_ref(), scene);
            let (live, write) = answer(is_good.then(|| claims(&token, id, row, issuer.as_str())), list, id);
            ((live.map(|live| (row.client.clone(), live.claims)), replaced), write)
        };
        let target = Target::AccessToken(id);
        let (good, replaced) = decide_in(&*self.store, target, Some(context.begin_before()), rule).await?;
        let Some((client, claims)) = good else { return Ok(None) };
        if self.has_ended_with_refresh(replaced).await? {
            return Ok(None);
        }
        // Removed between the step and now, it has no token that is good.
        let Some(client) = self.clients.find(&*self.store, &client).await? else { return Ok(None) };
        let resources = Resources::none();
        let audience = audience_of_user_token(&self.issuer, &client.client.settings, &scope, &resources);
        let aud = audience.into_iter().map(Cow::into_owned).collect();
        Ok(Some(LiveAccessToken { claims: AccessTokenClaims { aud, ..claims } }))
    }
}

/// Whether an access token of this row is good now, as far as its own list and its client's settings do not say otherwise.
pub(crate) fn judge_imported_token(
    row: &Grant,
    id: AccessTokenId,
    token: &ImportedAccessToken,
    scene: &Scene<'_>,
) -> (AccessVerdict, Option<Replaced>) {
    let verdict = judge_access(row, id.generation, Some(end(token, row)), &scene.surroundings, scene.now);
    // No refresh was before the import, whatever order the other system made its tokens in.
    let issued_at = token.issued_at.max(row.created_at).seconds();
    (verdict, Replaced::find(row, id.generation, issued_at, scene))
}

/// It lives no longer than its grant.
fn end(token: &ImportedAccessToken, row: &Grant) -> Timestamp {
    row.absolute_expires_at.map_or(token.expires_at, |absolute| absolute.min(token.expires_at))
}

fn claims(token: &ImportedAccessToken, id: AccessTokenId, row: &Grant, issuer: &str) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: issuer.to_owned(),
        sub: row.subject.as_str().to_owned(),
        // It names nobody: it is for whom one of ours would be that names no resource.
        aud: Vec::new(),
        client_id: row.client.as_str().to_owned(),
        iat: token.issued_at.seconds(),
        exp: end(token, row).seconds(),
        jti: id.to_text(),
        scope: token.scope.as_str().to_owned(),
        auth_time: Some(row.authenticated_at.seconds()),
        added: Map::new(),
    }
}
