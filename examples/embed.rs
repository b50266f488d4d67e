//! A program that contains regrant: with users and a login page of its own, a claim of its own in every access token, and
//! metrics of its own: `cargo run --package regrant-examples --bin embed -- 127.0.0.1:8080 embed-data`, and docs/guides/embed.md.

use std::sync::{Arc, Mutex};
use std::{collections::BTreeMap, net::SocketAddr};

use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::get};
use regrant::serde_json::{Map, Value};
use regrant::{
    ClaimsHook, ClaimsRequest, ClaimsUnavailable, ClientId, Event, Happening, Hooks, KnownUser, LoginPage, Observer,
    Params, Secrecy, Server, Site, SiteOptions, Visitor, async_trait, public_client,
};

/// Login name, password and role of each user. A real program keeps hashes of passwords, and counts wrong ones.
const USERS: [(&str, &str, &str); 2] = [("ada", "analytical", "admin"), ("grace", "nanosecond", "reader")];
const NO_PANIC: &str = "who counts does not panic";

struct Roles;

#[async_trait]
impl ClaimsHook for Roles {
    async fn claims(&self, of: &ClaimsRequest<'_>) -> Result<Map<String, Value>, ClaimsUnavailable> {
        let user = USERS.into_iter().find(|(name, ..)| of.subject.is_some_and(|subject| subject.as_str() == *name));
        Ok(user.into_iter().map(|(_, _, role)| ("role".to_owned(), role.into())).collect())
    }
}

#[derive(Default)]
struct Metrics(Mutex<BTreeMap<&'static str, u64>>);

impl Observer for Metrics {
    fn happened(&self, event: &Event<'_>) {
        if let Happening::Refresh { verdict, .. } = event.happening {
            *self.0.lock().expect(NO_PANIC).entry(verdict.as_str()).or_default() += 1;
        }
    }
}

fn page(fields: &str, problem: &str) -> Response {
    let fields = Params::parse(fields.as_bytes()).unwrap_or_default();
    let request = fields.get("request").unwrap_or_default().replace('&', "&amp;").replace('"', "&quot;");
    let form = format!(
        r#"<!doctype html><title>Log in</title><p>{problem}<form method="post"><input name="username" autofocus>
        <input name="password" type="password"><button name="request" value="{request}">Log in</button></form>"#
    );
    ([("cache-control", "no-store"), ("x-frame-options", "DENY")], Html(form)).into_response()
}

async fn log_in(State(site): State<Site>, visitor: Visitor, body: String) -> Response {
    let form = Params::parse(body.as_bytes()).unwrap_or_default();
    let entered = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
    let user = USERS.into_iter().find(|(name, password, _)| (*name, *password) == entered);
    match user.and_then(|(name, ..)| KnownUser::new(name, name).ok()) {
        Some(user) => site.log_in_as(&visitor, form.get("request").unwrap_or_default(), user).await,
        None => page(&body, "This is not the right name or password."),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let [listen, data] = ["127.0.0.1:8080", "embed-data"].map(str::to_owned);
    let mut arguments = std::env::args().skip(1);
    let listener = tokio::net::TcpListener::bind(arguments.next().unwrap_or(listen)).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let metrics = Arc::new(Metrics::default());
    let hooks = Hooks { observer: Some(Arc::clone(&metrics) as _), claims: Some(Arc::new(Roles)) };
    let server = Server::builder(&issuer).sqlite(arguments.next().unwrap_or(data)).hooks(hooks).open().await?;
    let app = public_client(&["http://127.0.0.1/callback"], "openid profile")?;
    server.keep_client(&ClientId::parse("app")?, Secrecy::Public, app).await?;
    let site = server.site(SiteOptions { login_page: Some(LoginPage::at("/login")?), ..SiteOptions::default() });
    let show = |RawQuery(query): RawQuery| async move { page(&query.unwrap_or_default(), "") };
    let line = |(verdict, count): (&&str, &u64)| format!("refreshes{{verdict=\"{verdict}\"}} {count}\n");
    let counted = move || async move { metrics.0.lock().expect(NO_PANIC).iter().map(line).collect::<String>() };
    let router = Router::new().route("/login", get(show).post(log_in)).with_state(site.clone());
    let router = router.route("/metrics", get(counted)).merge(server.router(&site));
    println!("listening on {issuer}");
    Ok(axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?)
}
