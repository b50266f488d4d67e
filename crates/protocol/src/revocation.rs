use crate::token_request::required;
use crate::{Params, RequestFault, Secret};

/// What a client asks of the revocation endpoint (RFC 7009 §2.1).
///
/// `token_type_hint` is not kept: our tokens tell their type, so that a wrong hint cannot stop the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationRequest {
    /// The token as it arrived.
    pub token: Secret,
}

impl RevocationRequest {
    /// Reads the request from its form.
    ///
    /// # Errors
    /// [`RequestFault::Missing`] when there is no `token`.
    pub fn parse(params: &Params) -> Result<Self, RequestFault> {
        Ok(Self { token: Secret::new(required(params, "token")?.to_owned()) })
    }
}
