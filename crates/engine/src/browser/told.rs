//! What the observer is told of what people do.

use regrant_store::UserChange;
use regrant_store::UserStatus;

use super::KnownUser;
use super::visitor::{Visitor, consent_prompt, login_prompt};
use crate::world::{Listener, World};
use crate::{Endpoint, RequestId};

/// Checks that exactly these events were told, each by the parts of its text.
#[track_caller]
fn assert_heard(listener: &Listener, expected: &[&[&str]]) {
    let heard = listener.heard();
    assert_eq!(heard.len(), expected.len(), "{heard:?}");
    for (event, parts) in heard.iter().zip(expected) {
        assert!(parts.iter().all(|part| event.contains(part)), "{event} {parts:?}");
        assert!(!event.contains("wonderland"), "{event}");
    }
}

#[tokio::test]
async fn every_step_of_a_login_is_told_once() {
    let mut world = World::new().await;
    let listener = world.listen();
    let subject = world.alice.as_str().to_owned();
    let mut visitor = Visitor::new(&world);
    let prompt = login_prompt(visitor.authorize("scope=openid+read").await);
    assert_heard(&listener, &[]);
    visitor.log_in(&prompt.request, "alice", "wrong-password").await.unwrap();
    assert_heard(&listener, &[&["LogIn", "subject: None", "WrongCredentials"]]);
    let next = visitor.log_in(&prompt.request, "alice", "wonderland").await.unwrap();
    assert_heard(&listener, &[&["LogIn", &subject, "LoggedIn"]]);
    let super::Next::Resume(request) = next else { panic!("{next:?}") };
    let consent = consent_prompt(visitor.resume(&request).await);
    visitor.consent(&consent.request, "decision=deny").await.unwrap();
    assert_heard(&listener, &[&["Consent", &subject, "app", "is_given: false"]]);
    visitor.consent(&consent.request, "decision=allow&allow_0=openid&allow_1=read").await.unwrap();
    assert_heard(&listener, &[&["CodeIssued", &subject, "app"], &["Consent", "is_given: true"]]);
}

#[tokio::test]
async fn a_login_that_the_program_vouches_for_is_told_once() {
    let mut world = World::new().await;
    let listener = world.listen();
    let mut visitor = Visitor::new(&world);
    let known = KnownUser::new("ada-1815", "ada").unwrap();
    let prompt = login_prompt(visitor.authorize("").await);
    visitor.log_in_as(&prompt.request, &known).await.unwrap();
    assert_heard(&listener, &[&["LogIn", "ada-1815", "LoggedIn"]]);
    world.server.store().change_user(&known.subject, UserChange::Status(UserStatus::Locked)).await.unwrap();
    let refused = visitor.log_in_as(&prompt.request, &known).await.unwrap_err();
    world.server.refused_browser(&world.context(), Endpoint::Login, &refused);
    assert_heard(&listener, &[&["LogIn", "ada-1815", "UserDisabled"]]);
}

#[tokio::test]
async fn what_a_user_does_at_their_account_is_told_once() {
    let mut world = World::new().await;
    let listener = world.listen();
    let subject = world.alice.as_str().to_owned();
    let mut visitor = Visitor::new(&world);
    world.redeem(&visitor.reach_code("").await, "").await.unwrap();
    let view = visitor.view().await;
    listener.heard();
    visitor.end_grant(&format!("form={}&grant={}", view.form, view.grants[0].id)).await.unwrap();
    assert_heard(&listener, &[&["Revoked", "One", "User"]]);
    visitor.end_all_grants(&format!("form={}", view.form)).await.unwrap();
    assert_heard(&listener, &[&["Revoked", "OfUser", &subject, "by: User"]]);
    let new = "new_password=looking-glass&new_password_again=looking-glass";
    visitor.change_password(&format!("form={}&current_password=wrong-password&{new}", view.form)).await.unwrap();
    assert_heard(&listener, &[&["LogIn", &subject, "WrongCredentials"]]);
    visitor.change_password(&format!("form={}&current_password=wonderland&{new}", view.form)).await.unwrap();
    assert_heard(&listener, &[&["PasswordChanged", &subject]]);
    visitor.log_out(&format!("form={}", view.form)).await.unwrap();
    assert_heard(&listener, &[&["LogOut", &subject]]);

    world.server.store().change_user(&world.alice, UserChange::Status(UserStatus::Locked)).await.unwrap();
    let prompt = login_prompt(visitor.account().await);
    visitor.log_in(&prompt.request, "alice", "looking-glass").await.unwrap();
    assert_heard(&listener, &[&["LogIn", &subject, "UserDisabled"]]);
}

#[tokio::test]
async fn a_refused_request_is_found_again_by_its_name() {
    let world = World::new().await;
    let mut browser = Visitor::new(&world).browser();
    browser.context.id = RequestId::parse("edge-1");
    let error = super::BrowserError::UnknownClient(regrant_protocol::ClientId::parse("app2").unwrap());
    world.server.refused_browser(&browser.context, crate::Endpoint::Authorization, &error);
    let found = world.server.recent_refusals().find(browser.context.id.as_ref().unwrap()).unwrap();
    assert_eq!((found.at, found.client.unwrap().as_str(), found.verdict), (world.now(), "app2", "refused"));
    assert!(found.sentence.contains("no client"), "{}", found.sentence);
    assert_eq!(world.server.recent_refusals().find(&RequestId::parse("edge-2").unwrap()), None);
}
