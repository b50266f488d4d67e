use regrant_protocol::Secret;

use super::TokenDigest;

/// A client's secret in the form in which its system kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignSecret {
    /// There is none: a public client, or one that proves itself by a key.
    None,
    /// In the clear.
    Plain(Secret),
    /// WSO2's hash of it: SHA-256, without a salt.
    Wso2Sha256(TokenDigest),
    /// Encrypted with a key that is not in the database. The client needs a new one.
    Encrypted,
}
