use regrant_protocol::{ClientAuthentication, Params, RequestFault, TokenRequest};

/// A request to the token endpoint, as whoever read it has understood it.
#[derive(Clone, Debug)]
pub struct TokenCall {
    /// Who asks.
    pub client: ClaimedClient,
    /// What is asked for.
    pub request: Result<TokenRequest, RequestFault>,
    /// Which of two faults is told.
    pub order: OrderOfChecks,
}

/// Who a request comes from, by its own words.
#[derive(Clone, Debug)]
pub enum ClaimedClient {
    /// What it presents.
    Named(ClientAuthentication),
    /// What it presents cannot be read, or it presents nothing.
    Fault(RequestFault),
    /// A refresh that names no client: it is taken from the refresh token, for public clients. One of a client with a secret is told
    /// [`RequestFault::NoClientCredentials`], and so is any other grant type.
    OfRefreshToken,
}

/// Which of several faults of one request is told. By default as the RFCs have it: first that the client did not authenticate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderOfChecks {
    /// What is told of the request although the client has not authenticated yet.
    pub before_client: BeforeClient,
    /// Whether what is wrong with a refresh token is told to a client that may not refresh at all.
    pub refresh_token_before_grant_type: bool,
}

/// What is told of a request although its client has not authenticated yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BeforeClient {
    /// Nothing.
    #[default]
    Nothing,
    /// That `grant_type` is missing or unknown.
    GrantType,
    /// Whatever is wrong with its form.
    Everything,
}

impl OrderOfChecks {
    /// Whether `fault` is told before the client has authenticated.
    fn tells_first(self, fault: &RequestFault) -> bool {
        match self.before_client {
            BeforeClient::Nothing => false,
            BeforeClient::GrantType => fault.is_about_grant_type(),
            BeforeClient::Everything => true,
        }
    }
}

impl TokenCall {
    /// Reads a request as the RFCs say. `authorization` is the `Authorization` header, where there is one.
    #[must_use]
    pub fn standard(authorization: Option<&[u8]>, params: &Params) -> Self {
        let client = match ClientAuthentication::find(authorization, params) {
            Ok(claimed) => ClaimedClient::Named(claimed),
            Err(fault) => ClaimedClient::Fault(fault),
        };
        Self { client, request: TokenRequest::parse(params), order: OrderOfChecks::default() }
    }

    /// The fault that is told whoever asks.
    pub(crate) fn first_fault(&self) -> Option<&RequestFault> {
        self.request.as_ref().err().filter(|fault| self.order.tells_first(fault))
    }
}

/// A request about one token, to the revocation or the introspection endpoint, as whoever read it has understood it.
#[derive(Clone, Debug)]
pub struct AboutToken<R> {
    /// Who asks.
    pub client: Result<ClientAuthentication, RequestFault>,
    /// What is asked.
    pub request: Result<R, RequestFault>,
    /// Whether a fault of the form is told although the client has not authenticated yet.
    pub request_first: bool,
}

impl<R> AboutToken<R> {
    /// Reads a request as the RFCs say; `parse` reads what is asked.
    pub(crate) fn standard(
        authorization: Option<&[u8]>,
        params: &Params,
        parse: fn(&Params) -> Result<R, RequestFault>,
    ) -> Self {
        let client = ClientAuthentication::find(authorization, params);
        Self { client, request: parse(params), request_first: false }
    }

    /// The client's claim, unless a fault is told before it is looked at.
    pub(crate) fn claimed(&self) -> Result<&ClientAuthentication, RequestFault> {
        match &self.request {
            Err(fault) if self.request_first => Err(fault.clone()),
            _ => self.client.as_ref().map_err(Clone::clone),
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::GrantType;

    use super::*;
    use crate::world::World;
    use crate::{TokenError, Verdict};

    fn call(form: &str, order: OrderOfChecks) -> TokenCall {
        TokenCall { order, ..TokenCall::standard(None, &Params::parse(form.as_bytes()).unwrap()) }
    }

    #[tokio::test]
    async fn of_two_faults_the_order_says_which_is_told() {
        let world = World::new().await;
        let code = world.code().await;
        let given = world.redeem(&code, "").await.unwrap();
        let token = given.refresh_token.as_ref().unwrap().expose();
        let no_client = || TokenError::Request(RequestFault::NoClientCredentials);
        let missing = |name| TokenError::Request(RequestFault::Missing(name));
        for (form, before_client, expected) in [
            ("", BeforeClient::Nothing, no_client()),
            ("", BeforeClient::GrantType, missing("grant_type")),
            ("grant_type=refresh_token", BeforeClient::GrantType, no_client()),
            ("grant_type=refresh_token", BeforeClient::Everything, missing("refresh_token")),
            ("grant_type=refresh_token&client_id=app", BeforeClient::Nothing, missing("refresh_token")),
        ] {
            let order = OrderOfChecks { before_client, ..OrderOfChecks::default() };
            let told = world.server.answer_token_call(&world.context(), &call(form, order)).await;
            assert_eq!(told.unwrap_err(), expected, "{form:?} {before_client:?}");
        }

        world.change(|settings| settings.grant_types = vec![GrantType::AuthorizationCode]).await;
        let wide = format!("{token}&scope=openid+root");
        for (token, is_token_first, is_token_told) in
            [(token, true, false), (&*wide, true, false), ("x", false, false), ("x", true, true)]
        {
            let order = OrderOfChecks { refresh_token_before_grant_type: is_token_first, ..OrderOfChecks::default() };
            let form = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
            let told = world.server.answer_token_call(&world.context(), &call(&form, order)).await.unwrap_err();
            let told_of_token = matches!(told, TokenError::Refresh { verdict: Verdict::Malformed, .. });
            let told_of_grant_type = matches!(told, TokenError::GrantTypeNotAllowed { .. });
            assert_eq!((told_of_token, told_of_grant_type), (is_token_told, !is_token_told), "{token}: {told:?}");
        }
    }

    #[tokio::test]
    async fn a_refresh_that_names_no_client_is_told_once_and_changes_nothing_unless_its_client_is_public() {
        let mut world = World::new().await;
        let code = world.code().await;
        let given = world.redeem(&code, "").await.unwrap();
        let token = given.refresh_token.as_ref().unwrap().expose();
        let listener = world.listen();
        let unnamed =
            |form: &str| TokenCall { client: ClaimedClient::OfRefreshToken, ..call(form, OrderOfChecks::default()) };
        for (form, expected) in [
            ("grant_type=client_credentials", "NoClientCredentials"),
            ("grant_type=refresh_token", "NoClientCredentials"),
            ("grant_type=refresh_token&refresh_token=x", "UnknownGrant"),
        ] {
            let told = world.server.answer_token_call(&world.context(), &unnamed(form)).await;
            assert!(format!("{:?}", told.unwrap_err()).contains(expected), "{form}");
            assert!(matches!(&listener.heard()[..], [one] if one.contains("Refused")), "{form}");
        }
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let given = world.server.answer_token_call(&world.context(), &unnamed(&form)).await.unwrap();
        assert!(given.refresh_token.is_some());
    }

    #[tokio::test]
    async fn reuse_ends_the_grant_where_the_client_may_not_refresh_any_more_too() {
        let world = World::new().await;
        let code = world.code().await;
        let first = world.redeem(&code, "").await.unwrap();
        let second = world.refresh(&first, "").await.unwrap();
        let third = world.refresh(&second, "").await.unwrap();
        world.change(|settings| settings.grant_types = vec![GrantType::AuthorizationCode]).await;

        let order = OrderOfChecks { refresh_token_before_grant_type: true, ..OrderOfChecks::default() };
        let reused = first.refresh_token.as_ref().unwrap().expose();
        let form = format!("grant_type=refresh_token&client_id=app&refresh_token={reused}");
        let told = world.server.answer_token_call(&world.context(), &call(&form, order)).await.unwrap_err();
        assert!(matches!(told, TokenError::Refresh { verdict: Verdict::ReuseDetected, .. }), "{told:?}");

        world.change(|_| {}).await;
        let told = world.refresh(&third, "").await.unwrap_err();
        assert!(matches!(told, TokenError::Refresh { verdict: Verdict::Revoked, .. }), "{told:?}");
    }
}
