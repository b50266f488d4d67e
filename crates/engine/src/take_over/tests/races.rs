use tokio::task::{JoinSet, yield_now};

use super::*;

#[tokio::test]
async fn whoever_comes_with_a_token_at_once_meets_one_presentation_and_one_successor() {
    let (world, old) = world(|settings| settings.at_once_max = 1).await;
    let world = Arc::new(world);
    let mut tabs = JoinSet::new();
    for _ in 0..64 {
        let world = Arc::clone(&world);
        tabs.spawn(async move { refresh(&world, OLD).await.unwrap().refresh_token.unwrap().expose().to_owned() });
    }
    let successors: HashSet<String> = tabs.join_all().await.into_iter().collect();
    assert_eq!((successors.len(), old.asked().len()), (1, 1), "{successors:?}");
}

#[tokio::test]
async fn a_caller_who_goes_away_loses_nothing() {
    let (world, old) = world(|_| {}).await;
    let answers = old.answers.forget_permits(1_000);
    let mut refreshing = Box::pin(refresh(&world, OLD));
    while old.asked.lock().unwrap().is_empty() {
        tokio::select! {
            biased;
            answered = &mut refreshing => panic!("nobody has answered: {answered:?}"),
            () = yield_now() => {}
        }
    }
    drop(refreshing);
    assert!(row(&world).await.is_none());
    old.answers.add_permits(answers);
    world.server.take_overs_ended().await;
    assert!(row(&world).await.is_some());
    refresh(&world, OLD).await.unwrap();
    assert_eq!(old.asked().len(), 1);
}

#[tokio::test]
async fn whoever_waits_too_long_may_come_again_and_meets_the_answer() {
    let (world, old) = world(|_| {}).await;
    let answers = old.answers.forget_permits(1_000);
    // The rest of its ten seconds is for the step.
    let begun = world.context();
    world.clock.advance_seconds(9);
    let form = format!("grant_type=refresh_token&client_id=app&refresh_token={OLD}");
    let params = regrant_protocol::Params::parse(form.as_bytes()).unwrap();
    let told = world.server.token(&begun, None, &params).await;
    assert_eq!(told.unwrap_err(), TokenError::NotTakenOver { retry_after_seconds: SLOW_RETRY_SECONDS });
    old.answers.add_permits(answers);
    refresh(&world, OLD).await.unwrap();
    assert_eq!(old.asked().len(), 1);
}

/// An old server that another process of ours was faster at.
struct Late {
    world: Arc<World>,
    old: Arc<Old>,
}

#[async_trait]
impl OldServer for Late {
    async fn ask(&self, question: OldServerQuestion<'_>) -> Result<OldServerAnswer, OldServerSilent> {
        let other = AuthorizationServer::open(crate::Parts {
            issuer: self.world.server.issuer().clone(),
            store: Arc::clone(self.world.server.store()),
            ring: self.world.server.keys.ring().as_ref().clone(),
            clock: Arc::clone(&self.world.clock) as _,
            entropy: Arc::new(regrant_crypto::SeededEntropy::new(9)),
            session_seconds: crate::SESSION_SECONDS,
            hooks: crate::Hooks::default(),
        });
        let other = other.await.unwrap();
        let here = self.world.server.take_overs.old_servers.read().unwrap().values().next().unwrap().settings.clone();
        let there = OldServerSettings { server: Arc::clone(&self.old) as _, ..here };
        other.set_old_servers(HashMap::from([(ClientId::parse("app").unwrap(), there)]));
        let form = format!("grant_type=refresh_token&client_id=app&refresh_token={OLD}");
        let params = regrant_protocol::Params::parse(form.as_bytes()).unwrap();
        other.token(&self.world.context(), None, &params).await.unwrap();
        self.old.ask(question).await
    }
}

#[tokio::test]
async fn a_refusal_because_another_process_was_faster_is_none() {
    let (world, old) = world(|_| {}).await;
    let world = Arc::new(world);
    let late = Arc::new(Late { world: Arc::clone(&world), old: Arc::clone(&old) });
    set(&world, &old, |settings| settings.server = late);
    refresh(&world, OLD).await.unwrap();
    assert_eq!(old.asked().len(), 2);
    assert!(row(&world).await.is_some());
}

/// One that breaks down.
struct Broken;

#[async_trait]
impl OldServer for Broken {
    async fn ask(&self, _: OldServerQuestion<'_>) -> Result<OldServerAnswer, OldServerSilent> {
        panic!("this is what the test is about")
    }
}

#[tokio::test]
async fn a_presentation_that_breaks_down_blocks_nobody() {
    let (world, old) = world(|settings| settings.server = Arc::new(Broken)).await;
    for _ in 0..2 {
        let told = refresh(&world, OLD).await.unwrap_err();
        assert_eq!(told, TokenError::NotTakenOver { retry_after_seconds: SLOW_RETRY_SECONDS });
    }
    set(&world, &old, |_| {});
    refresh(&world, OLD).await.unwrap();
}
