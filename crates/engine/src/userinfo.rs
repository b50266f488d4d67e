use regrant_protocol::{AccessTokenClaims, BearerToken, ErrorCode, Scope, Subject};
use regrant_store::StoreError;
use serde_json::{Map, Value};

use crate::id_token::OPENID;
use crate::{AuthorizationServer, Endpoint, Happening, Reason, Refusal, RequestContext};

/// Why the userinfo endpoint refused (RFC 6750 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserInfoError {
    /// It is not an access token of ours, or it is good no longer.
    #[error("the access token is unknown, has ended or was revoked")]
    InvalidToken,
    /// It is for resource servers, and this is none of them.
    #[error("the access token is for other servers; one that names no resource is for userinfo too")]
    Audience,
    /// A client got it for itself.
    #[error("the access token belongs to a client, and userinfo tells about users")]
    NoUser,
    /// It lacks the scope that asks for it.
    #[error("the access token lacks the scope {OPENID}")]
    InsufficientScope,
    /// From its address came too many strings that are no tokens of anybody.
    #[error("too many unknown tokens; next try in {retry_after_seconds} s")]
    TooManyFailures {
        /// When the next try is allowed.
        retry_after_seconds: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&UserInfoError> for Refusal {
    fn from(error: &UserInfoError) -> Self {
        let (status, code) = match error {
            UserInfoError::InvalidToken | UserInfoError::Audience | UserInfoError::NoUser => {
                (401, ErrorCode::InvalidToken)
            }
            UserInfoError::InsufficientScope => (403, ErrorCode::InsufficientScope),
            UserInfoError::TooManyFailures { retry_after_seconds } => {
                return Self::too_many_failures(*retry_after_seconds);
            }
            UserInfoError::Store(_) => return Self::not_decided(),
        };
        Self::new(status, code, &error.to_string())
    }
}

impl AuthorizationServer {
    /// `GET` and `POST /userinfo` (OpenID Connect Core §5.3): what the token's scope releases about its user, `sub` always.
    ///
    /// # Errors
    /// [`UserInfoError`]; [`Refusal`] says what the caller is told, in its challenge (RFC 6750 §3).
    pub async fn userinfo(
        &self,
        context: &RequestContext,
        token: &BearerToken,
    ) -> Result<Map<String, Value>, UserInfoError> {
        self.claims_about(context, token).await.inspect_err(|error| {
            let (endpoint, reason) = (Endpoint::Userinfo, Reason::UserInfo(error));
            self.tell(context, Happening::Refused { endpoint, client: None, reason });
        })
    }

    async fn claims_about(
        &self,
        context: &RequestContext,
        token: &BearerToken,
    ) -> Result<Map<String, Value>, UserInfoError> {
        let live = self.live_access_token(context, token.expose(), None, false).await?;
        let live = live.ok_or(UserInfoError::InvalidToken)?;
        let (subject, scope) = permit(&live.claims, self.issuer.as_str())?;
        let user = self.store.user(&subject).await?.ok_or(UserInfoError::InvalidToken)?;
        let mut claims = user.profile.claims(&scope);
        claims.insert("sub".to_owned(), subject.as_str().into());
        Ok(claims)
    }
}

/// About whom a token that is good may ask here, and with which scope.
fn permit(claims: &AccessTokenClaims, issuer: &str) -> Result<(Subject, Scope), UserInfoError> {
    if claims.sub == claims.client_id {
        return Err(UserInfoError::NoUser);
    }
    if !claims.aud.iter().any(|audience| audience == issuer) {
        return Err(UserInfoError::Audience);
    }
    let subject = Subject::parse(&claims.sub).map_err(|_| UserInfoError::InvalidToken)?;
    let scope = Scope::parse(&claims.scope).map_err(|_| UserInfoError::InvalidToken)?;
    if scope.contains(OPENID) { Ok((subject, scope)) } else { Err(UserInfoError::InsufficientScope) }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Resources, TokenResponse};
    use regrant_store::UserChange;

    use super::*;
    use crate::world::World;

    async fn ask(world: &World, token: &str) -> Result<Map<String, Value>, UserInfoError> {
        let header = format!("Bearer {token}");
        world.server.userinfo(&world.context(), &BearerToken::parse(header.as_bytes()).unwrap()).await
    }

    async fn log_in(world: &World) -> TokenResponse {
        let code = world.code_of(|birth| birth.resources = Resources::none()).await;
        world.redeem(&code, "").await.unwrap()
    }

    #[tokio::test]
    async fn oidc_core_section_5_3_a_live_token_with_openid_tells_sub_and_what_its_scope_releases() {
        let world = World::new().await;
        world.change(|settings| settings.audience = vec!["https://api.example".to_owned()]).await;
        let first = log_in(&world).await;
        let told = ask(&world, first.access_token.expose()).await.unwrap();
        assert_eq!(Value::Object(told), serde_json::json!({ "sub": world.alice.as_str(), "name": "Alice" }));

        let second = world.refresh(&first, "&scope=openid").await.unwrap();
        let told = ask(&world, second.access_token.expose()).await.unwrap();
        assert_eq!(Value::Object(told), serde_json::json!({ "sub": world.alice.as_str() }));

        let third = world.refresh(&second, "&scope=profile").await.unwrap();
        assert_eq!(ask(&world, third.access_token.expose()).await, Err(UserInfoError::Audience));
        let id_token = first.id_token.unwrap();
        assert_eq!(ask(&world, id_token.expose()).await, Err(UserInfoError::InvalidToken));
        world.server.store.change_user(&world.alice, UserChange::RaiseCutoff).await.unwrap();
        assert_eq!(ask(&world, first.access_token.expose()).await, Err(UserInfoError::InvalidToken));
    }

    #[test]
    fn rfc6750_section_3_1_what_a_token_lacks_is_told_by_its_code() {
        let issuer = "https://as.example";
        let claims = |aud: &str, client_id: &str, scope: &str| AccessTokenClaims {
            iss: issuer.to_owned(),
            sub: "alice".to_owned(),
            aud: vec!["https://api.example".to_owned(), aud.to_owned()],
            client_id: client_id.to_owned(),
            iat: 0,
            exp: 1,
            jti: String::new(),
            scope: scope.to_owned(),
            auth_time: None,
            added: Map::new(),
        };
        for (why, claims, refusal) in [
            ("everything", claims(issuer, "app", "openid email"), None),
            ("for another server", claims("https://other.example", "app", "openid"), Some(UserInfoError::Audience)),
            ("of a client", claims(issuer, "alice", "openid"), Some(UserInfoError::NoUser)),
            ("without openid", claims(issuer, "app", "email"), Some(UserInfoError::InsufficientScope)),
        ] {
            assert_eq!(permit(&claims, issuer).err(), refusal, "{why}");
        }
        for (error, status, code) in [
            (UserInfoError::InvalidToken, 401, ErrorCode::InvalidToken),
            (UserInfoError::Audience, 401, ErrorCode::InvalidToken),
            (UserInfoError::NoUser, 401, ErrorCode::InvalidToken),
            (UserInfoError::InsufficientScope, 403, ErrorCode::InsufficientScope),
            (UserInfoError::TooManyFailures { retry_after_seconds: 1 }, 429, ErrorCode::TemporarilyUnavailable),
            (UserInfoError::Store(StoreError::TooLate), 503, ErrorCode::TemporarilyUnavailable),
        ] {
            let refusal = Refusal::from(&error);
            assert_eq!((refusal.status, refusal.response.error), (status, code), "{error}");
            assert_eq!(refusal.retry_after_seconds.is_some(), matches!(status, 429 | 503), "{error}");
        }
    }
}
