use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use regrant_engine::Act;
use regrant_protocol::{Profile, Subject, Username};
use regrant_store::User;

use crate::about::About;
use crate::api::Api;
use crate::desk::{Desk, Operator};
use crate::error::AdminError;
use crate::json::Json;
use crate::named::{Named, given};
use crate::operation::Operation;
use crate::query::{Query, count_max};
use crate::{
    EndedBy, ErrorCode, GrantsEnded, Listing, NewPassword, NewUser, ProfilePatch, UserPatch, UserView, UsersQuery,
};

const USER: &str = "user";

pub(super) fn serve(api: Api) -> Api {
    api.serves(
        Operation::get("/users", "listUsers", "Lists users by login name, or finds the one of a login name.")
            .query::<UsersQuery>()
            .answers::<Listing<UserView>>(),
        list,
    )
    .serves(
        Operation::post("/users", "addUser", "Registers a user.")
            .takes::<NewUser>()
            .creates::<UserView>()
            .refuses(&[ErrorCode::Taken, ErrorCode::Rule]),
        add,
    )
    .serves(Operation::get("/users/{subject}", "showUser", "Shows a user.").answers::<UserView>(), show)
    .serves(
        Operation::patch("/users/{subject}", "updateUser", "Changes the profile of a user.")
            .refuses(&[ErrorCode::Rule, ErrorCode::Outdated])
            .takes::<UserPatch>()
            .answers::<UserView>(),
        update,
    )
    .serves(
        Operation::delete(
            "/users/{subject}",
            "removeUser",
            "Removes a user for good, with profile, login sessions and consents.",
        ),
        remove,
    )
    .serves(
        Operation::post("/users/{subject}/password", "setPassword", "Gives a user another password.")
            .takes::<NewPassword>()
            .refuses(&[ErrorCode::Rule]),
        set_password,
    )
    .serves(
        Operation::post(
            "/users/{subject}/lock",
            "lockUser",
            "Keeps a user from logging in and from using grants, for a while. Nothing ends.",
        )
        .answers::<UserView>(),
        lock,
    )
    .serves(
        Operation::post(
            "/users/{subject}/disable",
            "disableUser",
            "Keeps a user from logging in and from using grants, and ends all login sessions.",
        )
        .answers::<UserView>(),
        disable,
    )
    .serves(
        Operation::post("/users/{subject}/enable", "enableUser", "Lets a user log in and use grants again.")
            .answers::<UserView>(),
        enable,
    )
    .serves(
        Operation::post("/users/{subject}/end-grants", "endGrantsOfUser", "Ends all grants of a user.")
            .answers::<GrantsEnded>(),
        end_grants,
    )
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<UsersQuery>,
) -> Result<Json<Listing<UserView>>, AdminError> {
    let username = given("username", query.username.as_deref(), Username::parse)?;
    let after = given("after", query.after.as_deref(), Username::parse)?;
    let count_max = count_max(query.limit)?;
    let store = desk.server().store();
    let (users, next) = match username {
        Some(username) => (store.user_named(&username).await?.into_iter().collect(), None),
        None => {
            let page = store.users(after.as_ref(), count_max).await?;
            (page.items, page.next)
        }
    };
    let items = users.iter().map(UserView::from).collect();
    Ok(Json(Listing { items, next: next.map(|next| next.to_string()) }))
}

async fn add(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Json<UserView>), AdminError> {
    let profile = patched(&new.profile, &Profile::default())?;
    given("username", Some(&new.username), Username::parse)?;
    let subject = desk.server().register_user(&new.username, new.password.0, profile).await.about(USER)?;
    desk.tell(&operator, Act::UserRegistered, subject.as_str());
    Ok((StatusCode::CREATED, desk.user_view(&subject).await?))
}

async fn show(State(desk): State<Arc<Desk>>, name: Named) -> Result<Json<UserView>, AdminError> {
    desk.user_view(&name.parse(USER, Subject::parse)?).await
}

async fn update(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
    Json(patch): Json<UserPatch>,
) -> Result<Json<UserView>, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    let user = desk.server().update_profile(&subject, |profile| patched(&patch.profile, profile)).await.about(USER)?;
    desk.tell(&operator, Act::UserChanged, subject.as_str());
    Ok(Json(UserView::from(&user)))
}

async fn remove(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<StatusCode, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().remove_user(&subject).await.about(USER)?;
    desk.tell(&operator, Act::UserRemoved, subject.as_str());
    Ok(StatusCode::NO_CONTENT)
}

async fn set_password(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().set_password(&subject, new.password.0).await.about(USER)?;
    desk.tell(&operator, Act::UserPasswordSet, subject.as_str());
    if new.end_grants {
        // After the password: nobody can begin with the old one what is ended here.
        desk.server().end_everything_of_user(&subject).await.about(USER)?;
        desk.tell(&operator, Act::UserGrantsEnded, subject.as_str());
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn lock(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<Json<UserView>, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().lock_user(&subject).await.about(USER)?;
    desk.tell(&operator, Act::UserLocked, subject.as_str());
    desk.user_view(&subject).await
}

async fn disable(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<Json<UserView>, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().disable_user(&subject).await.about(USER)?;
    desk.tell(&operator, Act::UserDisabled, subject.as_str());
    desk.user_view(&subject).await
}

async fn enable(State(desk): State<Arc<Desk>>, operator: Operator, name: Named) -> Result<Json<UserView>, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().enable_user(&subject).await.about(USER)?;
    desk.tell(&operator, Act::UserEnabled, subject.as_str());
    desk.user_view(&subject).await
}

async fn end_grants(
    State(desk): State<Arc<Desk>>,
    operator: Operator,
    name: Named,
) -> Result<Json<GrantsEnded>, AdminError> {
    let subject = name.parse(USER, Subject::parse)?;
    desk.server().end_grants_of_user(&subject).await.about(USER)?;
    desk.tell(&operator, Act::UserGrantsEnded, subject.as_str());
    Ok(Json(GrantsEnded { by: EndedBy::Cutoff, count: None }))
}

impl Desk {
    async fn user_view(&self, subject: &Subject) -> Result<Json<UserView>, AdminError> {
        let found = self.server().store().user(subject).await?;
        let user = found.ok_or_else(|| AdminError::Unknown { what: USER, name: subject.to_string() })?;
        Ok(Json(UserView::from(&user)))
    }
}

/// What the patch makes of a profile; the field that is wrong is one of `profile`.
fn patched(patch: &ProfilePatch, profile: &Profile) -> Result<Profile, AdminError> {
    let patched = patch.apply(profile, &Profile::default());
    patched.map_err(|error| {
        let field = Some(error.field.map_or_else(|| "profile".to_owned(), |field| format!("profile.{field}")));
        AdminError::Malformed { message: error.message, field }
    })
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            subject: user.subject.to_string(),
            username: user.username.to_string(),
            status: user.status.into(),
            has_password: user.credential.is_some(),
            profile: user.profile.clone(),
        }
    }
}
