use regrant_protocol::{Resource, Resources, Scope};

/// What an access token is for: at which resource servers (RFC 8707), and how much it may do there.
///
/// One login can have access tokens for several targets. They come from the same refresh token, and none of them is ever
/// given to somebody who asked for another target.
///
/// ```
/// use regrant_client::Target;
/// use regrant_protocol::{Resource, Scope};
///
/// let calendar = Target::resource(&Resource::parse("https://calendar.example")?).with_scope(Scope::parse("read")?);
/// assert_eq!(calendar.resources.iter().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// The resource servers; none means those that the server chooses.
    pub resources: Resources,
    /// The scope; empty means all that the login was given.
    pub scope: Scope,
}

impl Target {
    /// One resource server, with all that the login was given.
    #[must_use]
    pub fn resource(resource: &Resource) -> Self {
        let resources = Resources::parse([resource.as_str()]).expect("a resource is read as it was written");
        Self { resources, scope: Scope::empty() }
    }

    /// The same resource servers, with this scope alone.
    #[must_use]
    pub fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Heard, START_SECONDS, Scripted, answer};
    use crate::{
        Credential, Dpop, Failure, FileStorage, LogOut, MemoryStorage, Storage, TokenError, TokenManager, TokenType,
    };
    use std::collections::HashMap;

    fn resource(name: &str) -> Resource {
        Resource::parse(&format!("https://{name}.example")).unwrap()
    }

    /// A server whose refresh tokens are good for one use, and whose access tokens say what they are for.
    fn rotating(token_type: &'static str) -> Scripted {
        let mut generation = 0;
        let mut live = String::new();
        Scripted::new(move |heard: &Heard| {
            if heard.path != "/token" {
                return answer(200, "");
            }
            if heard.get("grant_type") == Some("refresh_token") && heard.get("refresh_token") != Some(&live) {
                return answer(400, r#"{"error":"invalid_grant"}"#);
            }
            generation += 1;
            live = format!("r{generation}");
            let target = format!("{} {}", heard.get("resource").unwrap_or("-"), heard.get("scope").unwrap_or("-"));
            let type_of = if heard.dpop.is_some() { token_type } else { "Bearer" };
            answer(
                200,
                &format!(
                    r#"{{"access_token":"{target} {generation}","token_type":"{type_of}","expires_in":3600,
                    "refresh_token":"{live}"}}"#
                ),
            )
        })
    }

    async fn logged_in(server: &Scripted, storage: impl Storage + 'static, dpop: Dpop) -> TokenManager {
        let client = server.client().with_dpop(dpop);
        let password = regrant_protocol::Secret::new("p".to_owned());
        let credential = client.password("ada", &password, &Scope::empty()).await.unwrap();
        let manager = TokenManager::new(client, storage).with_timer(server.clone());
        manager.log_in(credential).await.unwrap();
        server.take();
        manager
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_refresh_token_serves_all_targets_and_nobody_gets_the_token_of_another() {
        let server = rotating("Bearer");
        let manager = logged_in(&server, MemoryStorage::default(), Dpop::Off).await;
        let read = Scope::parse("read").unwrap();
        let own = manager.clone();
        let managers: Vec<(String, TokenManager)> = vec![
            ("- - ".to_owned(), own),
            ("https://a.example - ".to_owned(), manager.for_resource(&resource("a"))),
            ("https://b.example - ".to_owned(), manager.for_resource(&resource("b"))),
            (
                "https://a.example read ".to_owned(),
                manager.for_target(Target::resource(&resource("a")).with_scope(read.clone())),
            ),
            ("- read ".to_owned(), manager.for_target(Target::default().with_scope(read))),
        ];
        for round in 0..3 {
            let asked: Vec<_> = (0..40)
                .map(|at| managers[at % managers.len()].clone())
                .map(|(prefix, own)| tokio::spawn(async move { (prefix, own.access_token().await) }))
                .collect();
            let mut tokens: HashMap<String, String> = HashMap::new();
            for task in asked {
                let (prefix, token) = task.await.unwrap();
                let token = token.unwrap().expose().to_owned();
                assert!(token.starts_with(&prefix), "{prefix:?} was given {token:?}");
                assert_eq!(
                    tokens.entry(prefix).or_insert_with(|| token.clone()),
                    &token,
                    "one exchange for each target"
                );
            }
            // Those of the login are there already in the first round.
            assert_eq!(server.take().len(), if round == 0 { 4 } else { 5 });
            server.clock().advance_seconds(3600);
        }
    }

    #[tokio::test]
    async fn a_token_of_each_target_is_kept_and_so_many_of_them_only() {
        let server = rotating("Bearer");
        let storage = MemoryStorage::default();
        let manager = logged_in(&server, storage.clone(), Dpop::Off).await;
        for number in 0..=Credential::NARROWED_MAX {
            server.clock().advance_seconds(1);
            manager.for_resource(&resource(&format!("api{number}"))).access_token().await.unwrap();
        }
        let kept = storage.load().await.unwrap().unwrap();
        assert_eq!(kept.narrowed.len(), Credential::NARROWED_MAX);
        let is_kept = |name: &str| kept.access_for(Some(&Target::resource(&resource(name)))).is_some();
        assert!(!is_kept("api0") && is_kept("api1") && is_kept("api16"), "the oldest has gone");
        assert_eq!(kept.access.unwrap().token.expose(), "- - 1");

        server.take();
        let other = TokenManager::new(server.client(), storage).with_timer(server.clone());
        other.for_resource(&resource("api5")).access_token().await.unwrap();
        assert!(server.take().is_empty(), "another process finds it");
    }

    #[tokio::test]
    async fn a_lost_answer_for_one_target_is_asked_for_again_before_another_has_its_turn() {
        // A server that repeats its answer to a try that it knows, whatever that asks for.
        let mut lost = true;
        let mut last: Option<(String, String)> = None;
        let mut generation = 1;
        let server = Scripted::new(move |heard: &Heard| {
            let sent = heard.get("refresh_token").unwrap_or_default().to_owned();
            if let Some((_, body)) = last.as_ref().filter(|(known, _)| *known == sent) {
                return answer(200, body);
            }
            generation += 1;
            let target = heard.get("resource").unwrap_or("-");
            let body = format!(
                r#"{{"access_token":"{target} {generation}","expires_in":3600,"refresh_token":"r{generation}"}}"#
            );
            let is_lost = !sent.is_empty() && std::mem::take(&mut lost);
            last = (!sent.is_empty()).then(|| (sent, body.clone()));
            if is_lost { None } else { answer(200, &body) }
        });
        let storage = MemoryStorage::default();
        let manager = logged_in(&server, storage.clone(), Dpop::Off).await;
        // The marker of a process that died while it waited for the answer for `a`.
        let seen = storage.load().await.unwrap().unwrap();
        let a = Target::resource(&resource("a"));
        let now = regrant_protocol::Timestamp::from_seconds(START_SECONDS);
        let pending = crate::Pending::first(&regrant_crypto::SystemEntropy, now, a.clone());
        server.client().refresh(seen.refresh_token.as_ref().unwrap(), &pending, None).await;
        let marked = Credential { pending: Some(pending), ..seen.clone() };
        assert_eq!(storage.compare_and_swap(Some(seen.version()), Some(&marked)).await, Ok(crate::Swap::Done));

        let b =
            TokenManager::new(server.client(), storage.clone()).with_timer(server.clone()).for_resource(&resource("b"));
        assert_eq!(b.access_token().await.unwrap().expose(), "https://b.example 4");
        let heard = server.take();
        let resources: Vec<_> = heard.iter().map(|own| own.get("resource")).collect();
        assert_eq!(resources, [Some("https://a.example"), Some("https://a.example"), Some("https://b.example")]);
        assert_eq!(heard[2].after.as_secs(), 20, "and not while the lost try may be on its way");
        let kept = storage.load().await.unwrap().unwrap();
        assert_eq!(kept.access_for(Some(&a)).unwrap().token.expose(), "https://a.example 3");
        drop(manager);
    }

    #[tokio::test]
    async fn a_rejected_token_of_one_target_leaves_the_others_alone() {
        let server = rotating("Bearer");
        let manager = logged_in(&server, MemoryStorage::default(), Dpop::Off).await;
        let (a, b) = (manager.for_resource(&resource("a")), manager.for_resource(&resource("b")));
        let (first, other) = (a.access_token().await.unwrap(), b.access_token().await.unwrap());
        server.clock().advance_seconds(60);
        b.invalidate(&first);
        a.invalidate(&first);
        assert_eq!(b.access_token().await.unwrap(), other);
        let second = a.access_token().await.unwrap();
        assert_ne!(second, first);
        server.clock().advance_seconds(60);
        for (own, refused) in [(&a, &second), (&b, &other)] {
            own.invalidate(refused);
        }
        assert!(a.access_token().await.unwrap() != second && b.access_token().await.unwrap() != other);
    }

    #[tokio::test]
    async fn a_bound_login_is_refreshed_with_its_own_key_by_every_process() {
        let server = rotating("DPoP");
        let storage = MemoryStorage::default();
        let manager = logged_in(&server, storage.clone(), Dpop::Required).await;
        let key = manager.credential().await.unwrap().unwrap().dpop_key.unwrap();
        // A program that was not told of DPoP goes on with what is kept.
        for dpop in [Dpop::Required, Dpop::Off] {
            server.clock().advance_seconds(3600);
            let other = TokenManager::new(server.client().with_dpop(dpop), storage.clone()).with_timer(server.clone());
            other.access_token().await.unwrap();
            let heard = server.take();
            let jwk = crate::scripted::header(heard[0].dpop.as_deref().unwrap())["jwk"].clone();
            let jwk: regrant_crypto::Jwk = serde_json::from_value(jwk).unwrap();
            assert_eq!((heard.len(), jwk.thumbprint().as_str()), (1, key.thumbprint()));
            assert_eq!(storage.load().await.unwrap().unwrap().dpop_key.as_ref(), Some(&key));
        }
    }

    #[tokio::test]
    async fn a_bearer_token_is_no_answer_to_a_bound_refresh_and_the_session_stays() {
        let mut generation = 0;
        let server = Scripted::new(move |_| {
            generation += 1;
            let type_of = if generation == 2 { "Bearer" } else { "DPoP" };
            answer(
                200,
                &format!(
                    r#"{{"access_token":"a{generation}","token_type":"{type_of}","expires_in":60,
                    "refresh_token":"r{generation}"}}"#
                ),
            )
        });
        let storage = MemoryStorage::default();
        let manager = logged_in(&server, storage.clone(), Dpop::Required).await;
        server.clock().advance_seconds(60);
        let error = manager.access_token().await.unwrap_err();
        assert_eq!(error, TokenError::Refused(Failure::TokenType(TokenType::Bearer)));
        let kept = storage.load().await.unwrap().unwrap();
        assert_eq!((kept.access, kept.refresh_token.unwrap().expose()), (None, "r2"));
        assert_eq!(manager.access_token().await.unwrap().expose(), "a3");
        assert_eq!(server.take().last().unwrap().get("refresh_token"), Some("r2"));
    }

    #[tokio::test]
    async fn an_access_token_that_is_too_long_is_refused_and_the_session_stays() {
        let mut generation = 0;
        let server = Scripted::new(move |_| {
            generation += 1;
            let token = if generation == 2 { "x".repeat(300_000) } else { format!("a{generation}") };
            answer(200, &format!(r#"{{"access_token":"{token}","expires_in":60,"refresh_token":"r{generation}"}}"#))
        });
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path().join("token.json"));
        let manager = logged_in(&server, storage.clone(), Dpop::Off).await;
        server.clock().advance_seconds(60);
        let error = manager.access_token().await.unwrap_err();
        assert_eq!(error, TokenError::Refused(Failure::TooLong(300_000)));
        assert_eq!(storage.load().await.unwrap().unwrap().refresh_token.unwrap().expose(), "r2");
        assert_eq!(manager.access_token().await.unwrap().expose(), "a3");
    }

    #[tokio::test]
    async fn long_access_tokens_for_many_targets_leave_a_credential_that_is_read_again() {
        let mut generation = 0;
        let server = Scripted::new(move |_| {
            generation += 1;
            let token = format!("{generation}-{}", "x".repeat(17_000));
            answer(200, &format!(r#"{{"access_token":"{token}","expires_in":3600,"refresh_token":"r{generation}"}}"#))
        });
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path().join("token.json"));
        let manager = logged_in(&server, storage.clone(), Dpop::Off).await;
        for number in 0..20 {
            let resource = Resource::parse(&format!("https://r{number}.example")).unwrap();
            let own = manager.for_resource(&resource);
            let token = own.access_token().await.unwrap();
            let kept = storage.load().await.unwrap().unwrap();
            assert_eq!(kept.access_for(Some(own.target())).map(|access| &access.token), Some(&token), "{number}");
            server.clock().advance_seconds(1);
        }
        let kept = storage.load().await.unwrap().unwrap();
        assert!(kept.access.is_some() && kept.narrowed.len() > 8, "{}", kept.narrowed.len());
    }

    #[tokio::test]
    async fn where_there_is_no_refresh_token_a_logout_revokes_the_access_tokens() {
        for (status, expected) in [(200, "revoked"), (503, "unconfirmed")] {
            let server = Scripted::new(move |heard: &Heard| match heard.path.as_str() {
                "/token" => answer(200, r#"{"access_token":"a","expires_in":60}"#),
                _ => answer(status, ""),
            });
            let manager = logged_in(&server, MemoryStorage::default(), Dpop::Off).await;
            let found = match manager.log_out().await.unwrap() {
                LogOut::Revoked => "revoked",
                LogOut::Unconfirmed(_) => "unconfirmed",
                LogOut::NothingToRevoke | LogOut::NotOffered => "other",
            };
            let heard = server.take();
            assert_eq!((found, heard[0].get("token")), (expected, Some("a")));
            assert_eq!(heard[0].get("token_type_hint"), Some("access_token"));
        }
    }
}
