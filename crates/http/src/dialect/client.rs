use axum::http::HeaderValue;
use regrant_engine::{AboutToken, BeforeClient, ClaimedClient, OrderOfChecks, TokenCall};
use regrant_protocol::{
    ClientAuthentication, IntrospectionRequest, Params, RequestFault, RevocationRequest, TokenRequest,
};

use super::Dialect;
use super::read::Read;
use super::values::{BasicBesideBody, BasicEncoding, MalformedBasic, TokenTypeHint};

impl Dialect {
    /// What the token endpoint is asked.
    pub(crate) fn token_call(&self, read: &Read) -> TokenCall {
        let needs_secret =
            self.secret_for_client_credentials && read.params.get("grant_type") == Some("client_credentials");
        let client = match self.claimed(read) {
            Ok(claimed) if needs_secret && claimed.secret.is_none() => {
                ClaimedClient::Fault(RequestFault::NoClientSecret)
            }
            Ok(claimed) => ClaimedClient::Named(claimed),
            // Whoever names no client brings no secret.
            Err(RequestFault::NoClientCredentials) if self.client_of_refresh_token && self.public_clients => {
                ClaimedClient::OfRefreshToken
            }
            Err(fault) => ClaimedClient::Fault(fault),
        };
        let order = OrderOfChecks {
            before_client: self.told_before_client,
            refresh_token_before_grant_type: self.refresh_token_before_grant_type,
        };
        TokenCall { client, request: self.token_request(&read.params), order }
    }

    fn token_request(&self, params: &Params) -> Result<TokenRequest, RequestFault> {
        match params.get("grant_type") {
            Some("refresh_token") if !self.scope_on_refresh => {
                let without_scope = Params::of(params.pairs().filter(|(name, _)| name != "scope"));
                TokenRequest::parse(&without_scope.expect("a part of what is within the bounds is within them"))
            }
            Some("password" | "client_credentials") if self.scope_required && params.get("scope").is_none() => {
                TokenRequest::parse(params).and(Err(RequestFault::Missing("scope")))
            }
            _ => TokenRequest::parse(params),
        }
    }

    /// What the revocation endpoint is asked.
    pub(crate) fn revocation_call(&self, read: &Read) -> AboutToken<RevocationRequest> {
        let hint = read.params.get("token_type_hint");
        let is_known = matches!(hint, None | Some("access_token" | "refresh_token"));
        let request = match self.token_type_hint {
            TokenTypeHint::Known if !is_known => Err(RequestFault::TokenTypeHint),
            TokenTypeHint::Known | TokenTypeHint::Any => RevocationRequest::parse(&read.params),
        };
        self.about_token(read, request)
    }

    /// What the introspection endpoint is asked.
    pub(crate) fn introspection_call(&self, read: &Read) -> AboutToken<IntrospectionRequest> {
        self.about_token(read, IntrospectionRequest::parse(&read.params))
    }

    fn about_token<R>(&self, read: &Read, request: Result<R, RequestFault>) -> AboutToken<R> {
        let request_first = self.told_before_client != BeforeClient::Nothing;
        AboutToken { client: self.claimed(read), request, request_first }
    }

    /// Who a request comes from, and what it presents.
    fn claimed(&self, read: &Read) -> Result<ClientAuthentication, RequestFault> {
        let claimed = match self.in_header(read.authorization.as_ref())? {
            Some(basic) => self.beside_body(basic, &read.params)?,
            None if self.credentials_in_body => {
                ClientAuthentication::in_body(&read.params)?.ok_or(RequestFault::NoClientCredentials)?
            }
            None => return Err(RequestFault::NoClientCredentials),
        };
        if claimed.secret.is_none() && !self.public_clients {
            return Err(RequestFault::NoClientSecret);
        }
        Ok(claimed)
    }

    fn in_header(&self, header: Option<&HeaderValue>) -> Result<Option<ClientAuthentication>, RequestFault> {
        let Some(header) = header.map(HeaderValue::as_bytes) else { return Ok(None) };
        let parsed = match self.basic_encoding {
            BasicEncoding::Form => ClientAuthentication::parse_basic(header),
            BasicEncoding::Raw => ClientAuthentication::parse_raw_basic(header),
        };
        match (parsed, self.malformed_basic) {
            (Ok(basic), _) => Ok(Some(basic)),
            (Err(_), MalformedBasic::Ignore) => Ok(None),
            (Err(error), MalformedBasic::Refuse) => Err(RequestFault::Basic(error)),
        }
    }

    /// The client of the header, unless the body says too much beside it.
    fn beside_body(&self, basic: ClientAuthentication, params: &Params) -> Result<ClientAuthentication, RequestFault> {
        let (client_id, secret) = (params.get("client_id"), params.get("client_secret"));
        match self.basic_beside_body {
            BasicBesideBody::Refuse if secret.is_some() => Err(RequestFault::TwoMethods),
            BasicBesideBody::Refuse if client_id.is_some_and(|client_id| client_id != basic.client_id.as_str()) => {
                Err(RequestFault::ClientIdMismatch)
            }
            BasicBesideBody::RefusePair if client_id.is_some() && secret.is_some() => Err(RequestFault::TwoMethods),
            BasicBesideBody::Refuse | BasicBesideBody::RefusePair | BasicBesideBody::Basic => Ok(basic),
        }
    }
}
