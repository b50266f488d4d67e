use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_grant::{Grant, Verdict, Write};
use regrant_protocol::{Scope, TokenResponse};
use regrant_store::{ClientSettings, FoundToken, Scene, Target, decide_in};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::world::World;
use crate::{OldServer, OldServerAnswer, OldServerQuestion, OldServerSilent, UnknownUsers, UserSource};

mod answers;
mod bounds;
mod races;
mod users;

const OLD: &str = "0d6fb2a9c1e84375a0f1c2d3e4b5968778695a4b";
const NEXT: &str = "0d6fb2a9c1e84375a0f1c2d3e4b5968778695a4b+";

/// What an old server does when it is asked to refresh a token.
#[derive(Clone)]
enum Says {
    /// It rotates what it knows, adds these members to its answer, and refuses the rest.
    Tokens(Value),
    /// This status, this `Retry-After` and this body, whatever it is asked.
    Answer(u16, Option<u32>, String),
    /// Nothing.
    Silence,
}

/// An old server that rotates: each token is good once.
struct Old {
    says: Mutex<Says>,
    /// What it says of users, by status and body.
    of_users: Mutex<(u16, Value)>,
    live: Mutex<HashSet<String>>,
    asked: Mutex<Vec<String>>,
    /// It answers as long as there are permits.
    answers: Semaphore,
}

impl Old {
    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// What it was asked since it was looked at before.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn refresh(&self, token: &str) -> Result<OldServerAnswer, OldServerSilent> {
        let more = match self.says.lock().unwrap().clone() {
            Says::Tokens(more) => more,
            Says::Answer(status, retry_after, body) => return Ok(answer(status, retry_after, body)),
            Says::Silence => return Err(OldServerSilent("timed out".to_owned())),
        };
        if !self.live.lock().unwrap().remove(token) {
            return Ok(answer(400, None, json!({ "error": "invalid_grant" }).to_string()));
        }
        let next = format!("{token}+");
        self.live.lock().unwrap().insert(next.clone());
        let mut members = json!({ "access_token": jwt(json!({ "sub": "bob" })), "refresh_token": next });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ok(answer(200, None, members.to_string()))
    }
}

#[async_trait]
impl OldServer for Old {
    async fn ask(&self, question: OldServerQuestion<'_>) -> Result<OldServerAnswer, OldServerSilent> {
        let asked = match question {
            OldServerQuestion::Refresh(token) => format!("refresh {}", token.expose()),
            OldServerQuestion::Introspect(_) => "introspect".to_owned(),
            OldServerQuestion::UserInfo(_) => "userinfo".to_owned(),
            OldServerQuestion::Revoke(token) => format!("revoke {}", token.expose()),
        };
        self.asked.lock().unwrap().push(asked);
        // Whoever goes away while it waits has been heard.
        let answered = match question {
            OldServerQuestion::Refresh(token) => self.refresh(token.expose()),
            OldServerQuestion::Introspect(_) | OldServerQuestion::UserInfo(_) => {
                let (status, body) = self.of_users.lock().unwrap().clone();
                Ok(answer(status, None, body.to_string()))
            }
            OldServerQuestion::Revoke(_) => Ok(answer(200, None, String::new())),
        };
        self.answers.acquire().await.unwrap().forget();
        answered
    }
}

fn answer(status: u16, retry_after_seconds: Option<u32>, body: String) -> OldServerAnswer {
    OldServerAnswer { status, retry_after_seconds, body: Secret::new(body) }
}

fn jwt(claims: Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A world whose client `app` had an old server, on which [`OLD`] is good.
async fn world(change: impl FnOnce(&mut OldServerSettings)) -> (World, Arc<Old>) {
    let world = World::new().await;
    let old = Arc::new(Old {
        says: Mutex::new(Says::Tokens(json!({ "scope": "read" }))),
        of_users: Mutex::new((200, json!({ "active": true, "sub": "bob", "scope": "profile" }))),
        live: Mutex::new(HashSet::from([OLD.to_owned()])),
        asked: Mutex::default(),
        answers: Semaphore::new(1_000),
    });
    set(&world, &old, change);
    (world, old)
}

fn set(world: &World, old: &Arc<Old>, change: impl FnOnce(&mut OldServerSettings)) {
    let mut settings = OldServerSettings {
        server: Arc::clone(old) as _,
        until: world.now().plus_seconds(86_400),
        user_from: UserSource::AccessToken,
        user_claim: "sub".to_owned(),
        issuer: None,
        audience: None,
        unknown_users: UnknownUsers::Create,
        at_once_max: 10,
        per_second_max: 100,
        revokes: false,
        is_for_unnamed: false,
    };
    change(&mut settings);
    world.server.set_old_servers(HashMap::from([(ClientId::parse("app").unwrap(), settings)]));
}

async fn refresh(world: &World, token: &str) -> Result<TokenResponse, TokenError> {
    world.token(&format!("grant_type=refresh_token&client_id=app&refresh_token={}", token.replace('+', "%2B"))).await
}

fn verdict(answered: Result<TokenResponse, TokenError>) -> Verdict {
    match answered {
        Err(TokenError::Refresh { verdict, .. }) => verdict,
        other => panic!("it was not the rule that refused: {other:?}"),
    }
}

fn successor(given: &TokenResponse) -> &str {
    given.refresh_token.as_ref().unwrap().expose()
}

/// The row of the grant that was made of [`OLD`].
async fn row(world: &World) -> Option<Grant> {
    let found = world.server.store.imported_token(&ImportedToken(sha256(OLD.as_bytes()))).await.unwrap();
    let Some(FoundToken::Refresh(grant)) = found else { return None };
    let look = |scene: &Scene<'_>| (scene.grant.cloned(), Write::Nothing);
    decide_in(&*world.server.store, Target::Grant(grant), None, look).await.unwrap()
}

#[tokio::test]
async fn an_unknown_token_is_presented_once_and_its_user_goes_on_here() {
    let (mut world, old) = world(|_| {}).await;
    let listener = world.listen();
    let first = refresh(&world, OLD).await.unwrap();
    assert!(successor(&first).starts_with("rgr_"));
    assert_eq!(first.scope.as_str(), "read");
    let heard = listener.heard();
    let told = |part: &str| heard.iter().filter(|happening| happening.contains(part)).count();
    assert_eq!((heard.len(), told("TakeOver { outcome: TakenOver"), told("Rotated")), (2, 1, 1), "{heard:?}");
    assert!(!heard.iter().any(|happening| happening.contains(OLD)), "{heard:?}");

    let grant = row(&world).await.unwrap();
    let policy = crate::world::settings().policy;
    assert_eq!((grant.subject.as_str(), grant.client.as_str(), grant.scope.as_str()), ("bob", "app", "read"));
    assert_eq!((grant.created_at, grant.authenticated_at), (world.now(), world.now()));
    assert_eq!(grant.absolute_expires_at, policy.absolute_lifetime.end(world.now()));
    let user = world.server.store.user(&grant.subject).await.unwrap().unwrap();
    assert_eq!((user.username.as_str(), user.credential), ("bob", None));

    assert_eq!(successor(&refresh(&world, OLD).await.unwrap()), successor(&first), "a retry");
    let second = refresh(&world, successor(&first)).await.unwrap();
    assert_eq!(verdict(refresh(&world, OLD).await), Verdict::ReuseDetected);
    assert_eq!(verdict(refresh(&world, successor(&second)).await), Verdict::Revoked);
    assert_eq!(old.asked(), [format!("refresh {OLD}")]);
}

#[tokio::test]
async fn what_is_left_at_the_old_server_is_revoked_there_where_that_is_wanted() {
    for (revokes, asked) in
        [(false, vec![format!("refresh {OLD}")]), (true, vec![format!("refresh {OLD}"), format!("revoke {NEXT}")])]
    {
        let (world, old) = world(|settings| settings.revokes = revokes).await;
        refresh(&world, OLD).await.unwrap();
        world.server.take_overs_ended().await;
        assert_eq!(old.asked(), asked);
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_before_it_was_taken_over_is_dead() {
    let (world, old) = world(|_| {}).await;
    let form = regrant_protocol::Params::parse(format!("client_id=app&token={OLD}").as_bytes()).unwrap();
    old.says(Says::Silence);
    let told = world.server.revoke(&world.context(), None, &form).await;
    assert!(matches!(told, Err(TokenError::NotTakenOver { .. })), "nobody is told that it is revoked: {told:?}");
    old.says(Says::Tokens(json!({})));
    world.server.revoke(&world.context(), None, &form).await.unwrap();
    assert_eq!(verdict(refresh(&world, OLD).await), Verdict::Revoked);
    assert_eq!(old.asked().len(), 2);
}

#[tokio::test]
async fn a_token_without_a_client_is_of_the_one_that_such_tokens_are_of() {
    for (is_for_unnamed, is_good) in [(false, false), (true, true)] {
        let (world, _old) = world(|settings| settings.is_for_unnamed = is_for_unnamed).await;
        let form = format!("grant_type=refresh_token&refresh_token={OLD}");
        let params = regrant_protocol::Params::parse(form.as_bytes()).unwrap();
        let call = crate::TokenCall {
            client: crate::ClaimedClient::OfRefreshToken,
            ..crate::TokenCall::standard(None, &params)
        };
        let answered = world.server.answer_token_call(&world.context(), &call).await;
        assert_eq!(answered.is_ok(), is_good, "{answered:?}");
        if !is_good {
            assert_eq!(verdict(answered), Verdict::UnknownGrant);
        }
    }
}
