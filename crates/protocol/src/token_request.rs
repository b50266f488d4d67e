use crate::{CodeVerifier, GrantType, Params, RequestFault, Resources, RetryChallenge, RetryVerifier, Scope, Secret};

/// What a client asks of the token endpoint (RFC 6749 §3.2), one variant per grant type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(CodeRequest),
    /// RFC 6749 §4.3.
    Password(PasswordRequest),
    /// RFC 6749 §4.4.
    ClientCredentials {
        /// What is asked for; `None` leaves it to the client's default.
        scope: Option<Scope>,
        /// For whom (RFC 8707); none leaves it to the client's default.
        resources: Resources,
    },
    /// RFC 6749 §6.
    RefreshToken(RefreshRequest),
}

/// The parameters of `grant_type=authorization_code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRequest {
    /// The code as it arrived.
    pub code: Secret,
    /// The redirect URI of the authorization request, as clients of OAuth 2.0 repeat it.
    pub redirect_uri: Option<String>,
    /// The proof that the code is redeemed by whoever asked for it.
    pub code_verifier: Option<CodeVerifier>,
    /// A narrower audience for this access token (RFC 8707 §2.2); none means all that was granted.
    pub resources: Resources,
}

/// The parameters of `grant_type=password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRequest {
    /// The user's login name, as it arrived.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// What is asked for; `None` leaves it to the client's default.
    pub scope: Option<Scope>,
    /// For whom (RFC 8707).
    pub resources: Resources,
}

/// The parameters of `grant_type=refresh_token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshRequest {
    /// The token as it arrived.
    pub refresh_token: Secret,
    /// A narrower scope for this access token; `None` means all that was granted.
    pub scope: Option<Scope>,
    /// A narrower audience for this access token; none means all that was granted.
    pub resources: Resources,
    /// Our extension: what the next retry will have to prove.
    pub retry_challenge: Option<RetryChallenge>,
    /// Our extension: the proof that this is a retry by the same sender.
    pub retry_verifier: Option<RetryVerifier>,
}

impl TokenRequest {
    /// Reads the request from its form.
    ///
    /// # Errors
    /// The first [`RequestFault`]: of `grant_type`, then of what its grant needs.
    pub fn parse(params: &Params) -> Result<Self, RequestFault> {
        let grant_type = required(params, "grant_type")?;
        let unsupported = || RequestFault::UnsupportedGrantType(grant_type.to_owned());
        match GrantType::parse(grant_type).ok_or_else(unsupported)? {
            GrantType::AuthorizationCode => Ok(Self::AuthorizationCode(CodeRequest {
                code: Secret::new(required(params, "code")?.to_owned()),
                redirect_uri: params.get("redirect_uri").map(str::to_owned),
                code_verifier: params
                    .get("code_verifier")
                    .map(CodeVerifier::parse)
                    .transpose()
                    .map_err(RequestFault::CodeVerifier)?,
                resources: resources(params)?,
            })),
            GrantType::ClientCredentials => {
                Ok(Self::ClientCredentials { scope: scope(params)?, resources: resources(params)? })
            }
            GrantType::Password => Ok(Self::Password(PasswordRequest {
                username: required(params, "username")?.to_owned(),
                password: Secret::new(required(params, "password")?.to_owned()),
                scope: scope(params)?,
                resources: resources(params)?,
            })),
            GrantType::RefreshToken => Ok(Self::RefreshToken(RefreshRequest {
                refresh_token: Secret::new(required(params, "refresh_token")?.to_owned()),
                scope: scope(params)?,
                resources: resources(params)?,
                retry_challenge: params
                    .get("retry_challenge")
                    .map(RetryChallenge::parse)
                    .transpose()
                    .map_err(RequestFault::Retry)?,
                retry_verifier: params
                    .get("retry_verifier")
                    .map(RetryVerifier::parse)
                    .transpose()
                    .map_err(RequestFault::Retry)?,
            })),
        }
    }

    /// The grant type that is asked for.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::Password(_) => GrantType::Password,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::RefreshToken(_) => GrantType::RefreshToken,
        }
    }
}

/// The value of a parameter that must be there.
pub(crate) fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, RequestFault> {
    params.get(name).ok_or(RequestFault::Missing(name))
}

/// The parameter `scope`; `None` when it is absent.
pub(crate) fn scope(params: &Params) -> Result<Option<Scope>, RequestFault> {
    params.get("scope").map(Scope::parse).transpose().map_err(RequestFault::Scope)
}

/// The parameters `resource`.
pub(crate) fn resources(params: &Params) -> Result<Resources, RequestFault> {
    Resources::parse(params.all("resource")).map_err(RequestFault::Target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, ErrorResponse};

    fn parse(body: &str) -> Result<TokenRequest, ErrorCode> {
        TokenRequest::parse(&Params::parse(body.as_bytes()).unwrap()).map_err(|fault| ErrorResponse::from(fault).error)
    }

    #[test]
    fn rfc6749_section_5_2_each_fault_has_its_code() {
        for (body, expected) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=", ErrorCode::InvalidRequest),
            ("grant_type=foo", ErrorCode::UnsupportedGrantType),
            ("grant_type=authorization_code", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=x&code_verifier=short", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=x&resource=foo", ErrorCode::InvalidTarget),
            ("grant_type=password&username=a", ErrorCode::InvalidRequest),
            ("grant_type=password&password=a", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=x&retry_challenge=x", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=x&retry_verifier=x", ErrorCode::InvalidRequest),
            ("grant_type=client_credentials&scope=a%22b", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&resource=foo", ErrorCode::InvalidTarget),
        ] {
            assert_eq!(parse(body).err(), Some(expected), "{body:?}");
        }
    }

    #[test]
    fn rfc6749_section_4_1_3_the_redemption_of_a_code() {
        let verifier = "a".repeat(43);
        let whole = format!(
            "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Fc%2Fcb&code_verifier={verifier}&resource=a:b"
        );
        let code = Secret::new("x".to_owned());
        let expected = CodeRequest {
            code: code.clone(),
            redirect_uri: Some("https://c/cb".to_owned()),
            code_verifier: Some(CodeVerifier::parse(&verifier).unwrap()),
            resources: Resources::parse(["a:b"]).unwrap(),
        };
        assert_eq!(parse(&whole), Ok(TokenRequest::AuthorizationCode(expected)));
        // RFC 7636 §4.5: an empty verifier is no verifier, and the redemption will say whether one was needed.
        let expected = CodeRequest { code, redirect_uri: None, code_verifier: None, resources: Resources::none() };
        let request = parse("grant_type=authorization_code&code=x&redirect_uri=&code_verifier=").unwrap();
        assert_eq!(request, TokenRequest::AuthorizationCode(expected));
        assert_eq!(request.grant_type(), GrantType::AuthorizationCode);
    }

    #[test]
    fn unknown_parameters_are_ignored() {
        let request = parse("grant_type=client_credentials&foo=bar&scope=").unwrap();
        assert_eq!(request, TokenRequest::ClientCredentials { scope: None, resources: Resources::none() });
    }
}
