use std::net::IpAddr;

use regrant_protocol::{ClientId, Timestamp};

use crate::{
    AuthorizationServer, BrowserError, Endpoint, Happening, Overloaded, Reason, RequestContext, RequestId, TokenError,
};

/// Hears of everything that happens, for metrics, an audit trail or alarms.
///
/// It is called on the way of a request, so it returns at once, and never waits for anything.
pub trait Observer: Send + Sync + 'static {
    /// This has happened.
    fn happened(&self, event: &Event<'_>);
}

/// Something that has happened. No event holds a token, a code, a secret or a password.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// In which request; `None` where it was none, or has no name.
    pub request: Option<&'a RequestId>,
    /// From where the request came.
    pub source: Option<IpAddr>,
    /// What.
    pub happening: Happening<'a>,
}

impl AuthorizationServer {
    /// Tells of an event, once, where it is decided: it is logged, refusals are remembered for a while, and the observer of
    /// [`Hooks`](crate::Hooks) hears of it.
    pub fn observe(&self, event: &Event<'_>) {
        self.recent_refusals.remember(event);
        self.hooks.tell(event);
    }

    /// Passes a refusal on, and tells of it unless an event of its own has told of it where it was decided. Of all methods only
    /// [`AuthorizationServer::metadata`] leaves this to who answers, as it knows of no request.
    ///
    /// Nobody is told of calls that were turned away before their grant was looked at ([`Overloaded::Calls`] and
    /// [`Overloaded::Signatures`]): there are thousands in a second, and a line for each would add to what is too much.
    pub fn refused(
        &self,
        context: &RequestContext,
        endpoint: Endpoint,
        client: Option<&ClientId>,
        error: TokenError,
    ) -> TokenError {
        match &error {
            TokenError::ClientNotAuthenticated(_)
            | TokenError::ClientDisabled
            | TokenError::TooManyFailures { .. }
            | TokenError::Credentials
            | TokenError::UserDisabled
            | TokenError::Redeem { .. }
            | TokenError::Refresh { .. }
            | TokenError::Overloaded(Overloaded::Calls | Overloaded::Signatures) => {}
            TokenError::Request(_)
            | TokenError::GrantTypeNotAllowed { .. }
            | TokenError::PublicClient
            | TokenError::Scope(_)
            | TokenError::Target(_)
            | TokenError::TargetNotGranted
            | TokenError::SigningKeyNotReady(_)
            | TokenError::AccessTokenTooLarge
            | TokenError::Claims(_)
            | TokenError::Changed
            | TokenError::NotTakenOver { .. }
            | TokenError::Overloaded(Overloaded::Hashing)
            | TokenError::Store(_) => {
                self.tell(context, Happening::Refused { endpoint, client, reason: Reason::Token(&error) });
            }
        }
        error
    }

    /// Tells that a browser is shown an error page, which whoever answers it calls once, unless an event of its own has told.
    pub fn refused_browser(&self, context: &RequestContext, endpoint: Endpoint, error: &BrowserError) {
        if !matches!(error, BrowserError::UserDisabled(_)) {
            self.tell(context, Happening::Refused { endpoint, client: error.client(), reason: Reason::Browser(error) });
        }
    }

    /// Tells of what happened in a request.
    pub(crate) fn tell(&self, context: &RequestContext, happening: Happening<'_>) {
        let (request, source) = (context.id.as_ref(), Some(context.source));
        self.observe(&Event { at: self.clock.now(), request, source, happening });
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::Params;

    use super::*;
    use crate::world::{VERIFIER, World, settings};
    use crate::{ScopeLimit, Secrecy, TooMuchScope};

    #[tokio::test]
    async fn every_answer_to_a_client_is_told_once() {
        let mut world = World::new().await;
        let listener = world.listen();
        let own = regrant_store::ClientSettings {
            grant_types: vec![regrant_protocol::GrantType::ClientCredentials, regrant_protocol::GrantType::Password],
            auth_methods: vec![regrant_protocol::TokenEndpointAuthMethod::ClientSecretPost],
            ..settings()
        };
        let machine = ClientId::parse("machine").unwrap();
        let secret = world.server.register_client(machine, Secrecy::Generated, own).await.unwrap().unwrap();
        let machine = format!("client_id=machine&client_secret={}", secret.expose());
        let code = world.code().await;
        let given = world.redeem(&code, "").await.unwrap();
        let old = given.refresh_token.as_ref().unwrap().expose();
        let given = world.refresh(&given, "").await.unwrap();
        let refresh = format!("grant_type=refresh_token&client_id=app&refresh_token={old}");
        let redeem = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
        let password = format!("grant_type=password&username=alice&{machine}");
        assert_eq!(listener.heard().len(), 2);

        for (form, expected) in [
            (refresh.clone(), &["Refresh", "Retried", "app"][..]),
            (refresh + "x", &["Refresh", "Malformed", "grant: None", "app"]),
            (redeem, &["Redemption", "Replayed", "app"]),
            (format!("grant_type=client_credentials&{machine}"), &["Issued", "ClientCredentials", "machine"]),
            (format!("{password}&password=wrong"), &["LogIn", "WrongCredentials"]),
            ("grant_type=x&client_id=nobody".to_owned(), &["ClientAuthenticationFailed", "nobody", "WrongCredentials"]),
            (format!("grant_type=client_credentials&scope=root&{machine}"), &["Refused", "Token", "machine", "Scope"]),
            ("grant_type=x".to_owned(), &["Refused", "client: None", "Request"]),
        ] {
            let _ = world.token(&form).await;
            let heard = listener.heard();
            assert!(heard.len() == 1 && expected.iter().all(|part| heard[0].contains(part)), "{expected:?}: {heard:?}");
            assert!(!heard[0].contains(secret.expose()) && !heard[0].contains("rgr_"), "{heard:?}");
        }
        world.token(&format!("{password}&password=wonderland")).await.unwrap();
        let heard = listener.heard();
        assert!(heard.len() == 2 && heard[0].contains("LoggedIn") && heard[1].contains("Password"), "{heard:?}");

        let token = given.refresh_token.as_ref().unwrap().expose();
        let form = |form: String| Params::parse(form.as_bytes()).unwrap();
        let asked = form(format!("token={token}&{machine}"));
        world.server.introspect(&world.context(), None, &asked).await.unwrap();
        assert!(matches!(&listener.heard()[..], [one] if one.contains("is_active: false")));
        let public = form(format!("token={token}&client_id=app"));
        assert!(world.server.introspect(&world.context(), None, &public).await.is_err());
        assert!(matches!(&listener.heard()[..], [one] if one.contains("ClientAuthenticationFailed")));
        world.server.revoke(&world.context(), None, &public).await.unwrap();
        // The replay of the code has revoked it before.
        assert_eq!(listener.heard(), [""; 0]);
    }

    #[tokio::test]
    async fn what_was_refused_is_found_by_the_name_of_its_request_until_too_many_followed() {
        let world = World::new().await;
        let refuse = |number: usize| {
            let id = RequestId::parse(&format!("r{number}"));
            let context = RequestContext { id, ..world.context() };
            let error = TokenError::Scope(TooMuchScope { beyond: None, limit: ScopeLimit::Client });
            world.server.refused(&context, Endpoint::Token, ClientId::parse("app").ok().as_ref(), error);
        };
        let found = |number: usize| {
            let id = RequestId::parse(&format!("r{number}")).unwrap();
            world.server.recent_refusals().find(&id).map(|found| found.sentence)
        };
        (0..crate::RECENT_REFUSALS_MAX).for_each(refuse);
        refuse(0);
        assert_eq!(found(0).as_deref(), Some("the scope is wider than the client's"));
        refuse(crate::RECENT_REFUSALS_MAX);
        assert_eq!((found(0), found(1).is_some(), found(crate::RECENT_REFUSALS_MAX).is_some()), (None, true, true));
    }
}
