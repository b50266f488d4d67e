use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use regrant_engine::{Admitted, AuthorizationServer, Endpoint};
use regrant_protocol::{Params, Secret};

use super::Dialect;
use super::fault::Fault;
use super::json_body::{json_pairs, list};
use super::multipart::{boundary, multipart_pairs};
use super::values::{OptionsMethod, OtherBody, RepeatedParameter, SecretsInQuery};
use crate::form::{FormFault, charset_of_form, is_form, read_body};
use crate::single_header::single;

/// What the query may not bring where secrets there are refused.
const SECRETS: [&str; 6] = ["client_secret", "password", "refresh_token", "code", "code_verifier", "token"];
/// What PHP does not take for missing when it is `0`.
const KEPT_WHEN_ZERO: [&str; 2] = ["client_id", "client_secret"];

/// A call as a dialect reads it; nothing of it is checked. It counts as one that is being answered until this is dropped.
pub(crate) struct Read {
    pub(crate) params: Params,
    pub(super) authorization: Option<HeaderValue>,
    _admitted: Admitted,
}

impl Dialect {
    /// Reads a request to an endpoint of `server`, and lets it in.
    ///
    /// # Errors
    /// The answer, when there is nothing to read, or it cannot be read, or there are too many others.
    pub(crate) async fn read(
        &self,
        endpoint: Endpoint,
        server: &AuthorizationServer,
        request: Request,
    ) -> Result<Read, Response> {
        let issuer = server.issuer();
        if request.method() == Method::OPTIONS && self.options_method == OptionsMethod::Allow {
            return Err(self.options());
        }
        if request.method() != Method::POST {
            return Err(self.told(endpoint, &Fault::Method { allow: self.allowed_methods() }, issuer));
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        if self.secrets_in_query == SecretsInQuery::Refuse && names(&query).any(|name| SECRETS.contains(&name)) {
            return Err(self.told(endpoint, &Fault::SecretInQuery, issuer));
        }
        let read = self.read_post(&query, request).await;
        let (params, authorization) = read.map_err(|fault| self.told(endpoint, &Fault::Unreadable(&fault), issuer))?;
        // Not before: whoever sends slowly would take the places of others.
        let admitted = server.admit();
        let _admitted = admitted.map_err(|error| self.told(endpoint, &Fault::refused(&error), issuer))?;
        Ok(Read { params, authorization, _admitted })
    }

    async fn read_post(&self, query: &str, request: Request) -> Result<(Params, Option<HeaderValue>), FormFault> {
        let authorization = single(request.headers(), &AUTHORIZATION)?.cloned();
        let mut params = self.params(request).await?;
        if self.php_values {
            params = Params::of_which_last_wins(params.pairs().filter_map(as_php_reads))?;
        }
        if self.scope_in_query && params.get("scope").is_none() {
            let in_query = Params::parse_last_wins(query.as_bytes()).unwrap_or_default();
            let scope = in_query.get("scope").map(|scope| ("scope".to_owned(), Secret::new(scope.to_owned())));
            params = Params::of_which_last_wins(params.pairs().chain(scope))?;
        }
        Ok((params, authorization))
    }

    fn is_form(&self, content_type: &HeaderValue) -> bool {
        if self.any_charset { charset_of_form(content_type).is_some() } else { is_form(content_type) }
    }

    async fn params(&self, request: Request) -> Result<Params, FormFault> {
        let content_type = single(request.headers(), &CONTENT_TYPE)?.cloned();
        if content_type.as_ref().is_some_and(|kind| self.is_form(kind)) {
            let body = read_body(request.into_body()).await?;
            return Ok(match self.repeated_parameter {
                RepeatedParameter::Refuse => Params::parse(&body)?,
                RepeatedParameter::Last => Params::parse_last_wins(&body)?,
            });
        }
        let pairs = match content_type.as_ref() {
            Some(kind) if self.json_body && is_json(kind) => json_pairs(&read_body(request.into_body()).await?),
            Some(kind) if self.multipart_body => match boundary(kind) {
                Some(boundary) => multipart_pairs(&read_body(request.into_body()).await?, boundary),
                None => None,
            },
            _ => None,
        };
        match (pairs, self.other_body, self.repeated_parameter) {
            (Some(pairs), _, RepeatedParameter::Refuse) => Ok(Params::of(pairs)?),
            (Some(pairs), _, RepeatedParameter::Last) => Ok(Params::of_which_last_wins(pairs)?),
            (None, OtherBody::Empty, _) => Ok(Params::default()),
            (None, OtherBody::Refuse, _) => Err(FormFault::MediaType),
        }
    }
}

/// The names in a query, as they are written.
fn names(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').map(|pair| pair.split('=').next().unwrap_or_default())
}

fn is_json(content_type: &HeaderValue) -> bool {
    let kind = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// A pair as PHP and the library read it: `name[…]` is a list, and `0` counts as nothing.
fn as_php_reads((name, value): (String, Secret)) -> Option<(String, Secret)> {
    if let Some((base, _)) = name.split_once('[').filter(|(base, rest)| !base.is_empty() && rest.contains(']')) {
        return Some((base.to_owned(), list(base)));
    }
    let is_missing = value.expose() == "0" && !KEPT_WHEN_ZERO.contains(&&*name);
    (!is_missing).then_some((name, value))
}
