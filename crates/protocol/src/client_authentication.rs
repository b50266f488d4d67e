use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::params::decode;
use crate::{ClientId, Params, RequestFault, Secret};

/// How a client proves who it is at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// The `Authorization: Basic` header (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// `client_id` alone: a public client, which proves nothing.
    None,
}

impl TokenEndpointAuthMethod {
    /// Every method that is offered.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The registered name of the method.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// Who the caller says it is, and what it presents to prove it. Nothing is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuthentication {
    /// The client that the caller claims to be.
    pub client_id: ClientId,
    /// The secret that it presents; `None` for [`TokenEndpointAuthMethod::None`].
    pub secret: Option<Secret>,
    /// The way in which it was presented.
    pub method: TokenEndpointAuthMethod,
}

/// Why an `Authorization` header is not client authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BasicError {
    /// Another scheme than Basic.
    #[error("the Authorization header does not use the scheme Basic")]
    Scheme,
    /// Not base64, or no colon inside.
    #[error("the Authorization header is not base64 of client_id:client_secret")]
    Malformed,
    /// Name or secret is not form-urlencoded, as RFC 6749 §2.3.1 demands.
    #[error("client_id or client_secret in the Authorization header is not form-urlencoded (RFC 6749 section 2.3.1)")]
    Encoding,
}

impl ClientAuthentication {
    /// Finds the client's credentials in the `Authorization` header or in the body, never in both (RFC 6749 §2.3).
    ///
    /// # Errors
    /// [`RequestFault`] when two methods are used at once, there is none, or it cannot be read.
    pub fn find(authorization: Option<&[u8]>, params: &Params) -> Result<Self, RequestFault> {
        let Some(header) = authorization else {
            return Self::in_body(params)?.ok_or(RequestFault::NoClientCredentials);
        };
        let basic = Self::parse_basic(header).map_err(RequestFault::Basic)?;
        if params.get("client_secret").is_some() {
            return Err(RequestFault::TwoMethods);
        }
        if params.get("client_id").is_some_and(|client_id| client_id != basic.client_id.as_str()) {
            return Err(RequestFault::ClientIdMismatch);
        }
        Ok(basic)
    }

    /// `client_id` and `client_secret` of a body (RFC 6749 §2.3.1); `None` when it names no client.
    ///
    /// # Errors
    /// [`RequestFault::ClientId`].
    pub fn in_body(params: &Params) -> Result<Option<Self>, RequestFault> {
        let Some(client_id) = params.get("client_id") else { return Ok(None) };
        let secret = params.get("client_secret");
        Ok(Some(Self {
            client_id: ClientId::parse(client_id).map_err(RequestFault::ClientId)?,
            method: secret.map_or(TokenEndpointAuthMethod::None, |_| TokenEndpointAuthMethod::ClientSecretPost),
            secret: secret.map(|secret| Secret::new(secret.to_owned())),
        }))
    }

    /// Reads `Basic base64(urlencode(client_id) ":" urlencode(client_secret))` (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// When the header is of another scheme, is not base64 of two parts, or a part is not form-urlencoded.
    pub fn parse_basic(header: &[u8]) -> Result<Self, BasicError> {
        Self::basic(header, form_decoded)
    }

    /// As [`Self::parse_basic`], with both parts taken as they are: what servers do that never read RFC 6749 §2.3.1.
    ///
    /// # Errors
    /// When the header is of another scheme, is not base64 of two parts, or is not UTF-8.
    pub fn parse_raw_basic(header: &[u8]) -> Result<Self, BasicError> {
        Self::basic(header, |part| String::from_utf8(part.to_vec()).map_err(|_| BasicError::Malformed))
    }

    fn basic(header: &[u8], read: impl Fn(&[u8]) -> Result<String, BasicError>) -> Result<Self, BasicError> {
        let scheme = header.get(..6).ok_or(BasicError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(BasicError::Scheme);
        }
        let decoded = BASE64.decode(header[6..].trim_ascii()).map_err(|_| BasicError::Malformed)?;
        let colon = decoded.iter().position(|&byte| byte == b':').ok_or(BasicError::Malformed)?;
        let client_id = read(&decoded[..colon])?;
        let secret = read(&decoded[colon + 1..])?;
        Ok(Self {
            client_id: ClientId::parse(&client_id).map_err(|_| BasicError::Malformed)?,
            // An empty password is how a public client looks when its library insists on Basic.
            method: if secret.is_empty() {
                TokenEndpointAuthMethod::None
            } else {
                TokenEndpointAuthMethod::ClientSecretBasic
            },
            secret: (!secret.is_empty()).then(|| Secret::new(secret)),
        })
    }
}

/// Padding is optional: RFC 4648 writes it, some clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// RFC 6749 Appendix B. What an encoder would never leave as it is (space, `&`, controls, non-ASCII) is refused, so that an
/// unencoded secret is told apart from an encoded one; other punctuation, which many clients send raw, is let through.
fn form_decoded(part: &[u8]) -> Result<String, BasicError> {
    if part.iter().any(|&byte| matches!(byte, 0..=b' ' | b'&' | 0x7f..)) {
        return Err(BasicError::Encoding);
    }
    decode(part).map_err(|_| BasicError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, ErrorResponse};

    fn basic(credentials: &str) -> Vec<u8> {
        format!("Basic {}", BASE64.encode(credentials)).into_bytes()
    }

    fn find(authorization: Option<&[u8]>, body: &str) -> Result<ClientAuthentication, ErrorResponse> {
        Ok(ClientAuthentication::find(authorization, &Params::parse(body.as_bytes()).unwrap())?)
    }

    #[test]
    fn rfc6749_section_2_3_1_basic_is_form_decoded_after_base64() {
        let found = ClientAuthentication::parse_basic(&basic("a%3Ab%2Bc%25:p+w%26%3D%C3%A9")).unwrap();
        assert_eq!(found.client_id.as_str(), "a:b+c%");
        assert_eq!(found.secret.unwrap().expose(), "p w&=é");
        for credentials in ["a%3Ab%2Bc%25:p w&=é", "x:p%", "x:a b", "x:a&b"] {
            assert_eq!(
                ClientAuthentication::parse_basic(&basic(credentials)),
                Err(BasicError::Encoding),
                "{credentials}"
            );
        }
    }

    #[test]
    fn raw_basic_takes_both_parts_as_they_are() {
        let found = ClientAuthentication::parse_raw_basic(&basic("a client:p%26+w &:=é")).unwrap();
        assert_eq!(found.client_id.as_str(), "a client");
        assert_eq!(found.secret.unwrap().expose(), "p%26+w &:=é");
        let latin1 = [&b"Basic "[..], BASE64.encode(b"x:\xe9").as_bytes()].concat();
        assert_eq!(ClientAuthentication::parse_raw_basic(&latin1), Err(BasicError::Malformed));
    }

    #[test]
    fn a_header_that_is_not_basic_is_refused() {
        for (header, expected) in [
            (&b"Bearer abc"[..], BasicError::Scheme),
            (b"Basic", BasicError::Scheme),
            (b"Basic !!!", BasicError::Malformed),
            (b"Basic YWJj", BasicError::Malformed),
            (b"Basic Og==", BasicError::Malformed),
        ] {
            assert_eq!(ClientAuthentication::parse_basic(header), Err(expected), "{}", header.escape_ascii());
        }
        assert!(ClientAuthentication::parse_basic(b"bAsIc VGVzdENsaWVudDpUZXN0U2VjcmV0").is_ok());
    }

    #[test]
    fn rfc6749_section_2_3_one_method_per_request() {
        let header = basic("TestClient:TestSecret");
        let both = find(Some(&header), "client_id=TestClient&client_secret=TestSecret").unwrap_err();
        assert_eq!(both.error, ErrorCode::InvalidRequest);
        assert_eq!(find(Some(&header), "client_id=Other").unwrap_err().error, ErrorCode::InvalidRequest);
        assert_eq!(
            find(Some(&header), "client_id=TestClient").unwrap().method,
            TokenEndpointAuthMethod::ClientSecretBasic
        );
        assert_eq!(
            find(None, "client_id=a&client_secret=b").unwrap().method,
            TokenEndpointAuthMethod::ClientSecretPost
        );
        assert_eq!(find(None, "client_id=a").unwrap().method, TokenEndpointAuthMethod::None);
        assert_eq!(find(None, "client_secret=b").unwrap_err().error, ErrorCode::InvalidClient);
    }
}
