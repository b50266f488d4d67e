use crate::{Params, Secret};

/// An access token as somebody presented it (RFC 6750 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerToken(Secret);

/// Why a request presents no access token that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// No token, or an `Authorization` header of another scheme: the answer has no error code (RFC 6750 §3.1).
    #[error("no access token was sent; send it in the Authorization header, after Bearer")]
    Missing,
    /// The header does not follow the grammar.
    #[error("the Authorization header is not Bearer, a space, and a token")]
    Malformed,
    /// Header and body at once.
    #[error("the access token is sent both in the Authorization header and in the body; use one")]
    TwoMethods,
}

impl BearerToken {
    /// Finds the token in the `Authorization` header or in the form body, never in both (RFC 6750 §2), and never in the
    /// query.
    ///
    /// # Errors
    /// When there is none, two, or one that cannot be read.
    pub fn find(authorization: Option<&[u8]>, body: Option<&Params>) -> Result<Self, BearerError> {
        let in_body = body.and_then(|params| params.get("access_token"));
        match (authorization, in_body) {
            (Some(_), Some(_)) => Err(BearerError::TwoMethods),
            (Some(header), None) => Self::parse(header),
            (None, Some(token)) => Ok(Self(Secret::new(token.to_owned()))),
            (None, None) => Err(BearerError::Missing),
        }
    }

    /// Reads `Bearer` and a token of the characters of RFC 6750 §2.1.
    ///
    /// # Errors
    /// When the header is of another scheme, or what follows is not a token.
    pub fn parse(header: &[u8]) -> Result<Self, BearerError> {
        let at = header.iter().position(|&byte| byte == b' ').unwrap_or(header.len());
        let (scheme, rest) = header.split_at(at);
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Err(BearerError::Missing);
        }
        let token = rest.trim_ascii();
        let allowed = |&byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() || !token.iter().all(allowed) {
            return Err(BearerError::Malformed);
        }
        let token = String::from_utf8(token.to_owned()).expect("every allowed byte is ASCII");
        Ok(Self(Secret::new(token)))
    }

    /// The token itself, to be checked.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_section_2_1_the_header() {
        for (header, expected) in [
            (&b"Bearer mF_9.B5f-4.1JqM"[..], Ok("mF_9.B5f-4.1JqM")),
            (b"bEARER a+/~==", Ok("a+/~==")),
            (b"Bearer   a ", Ok("a")),
            (b"", Err(BearerError::Missing)),
            (b"Basic YTpi", Err(BearerError::Missing)),
            (b"DPoP a", Err(BearerError::Missing)),
            (b"Bearera", Err(BearerError::Missing)),
            (b" Bearer a", Err(BearerError::Missing)),
            (b"Bearer", Err(BearerError::Malformed)),
            (b"Bearer ", Err(BearerError::Malformed)),
            (b"Bearer a b", Err(BearerError::Malformed)),
            (b"Bearer a,b", Err(BearerError::Malformed)),
            (b"Bearer \"a\"", Err(BearerError::Malformed)),
            (b"Bearer a\xff", Err(BearerError::Malformed)),
            (b"Bearer a\0", Err(BearerError::Malformed)),
        ] {
            let parsed = BearerToken::parse(header);
            let parsed = parsed.as_ref().map(BearerToken::expose).map_err(|error| *error);
            assert_eq!(parsed, expected, "{}", header.escape_ascii());
        }
    }

    #[test]
    fn rfc6750_section_2_one_method_per_request() {
        let header = Some(&b"Bearer a"[..]);
        let body = Params::parse(b"access_token=b").unwrap();
        let other_body = Params::parse(b"x=y&access_token=").unwrap();
        for (header, body, expected) in [
            (header, None, Ok("a")),
            (header, Some(&other_body), Ok("a")),
            (None, Some(&body), Ok("b")),
            (header, Some(&body), Err(BearerError::TwoMethods)),
            (Some(&b"Basic YTpi"[..]), Some(&body), Err(BearerError::TwoMethods)),
            (None, Some(&other_body), Err(BearerError::Missing)),
            (None, None, Err(BearerError::Missing)),
        ] {
            let found = BearerToken::find(header, body);
            assert_eq!(found.as_ref().map(BearerToken::expose).map_err(|error| *error), expected);
        }
    }

    #[test]
    fn a_token_does_not_print_itself() {
        assert!(!format!("{:?}", BearerToken::parse(b"Bearer brent123")).contains("brent123"));
    }
}
