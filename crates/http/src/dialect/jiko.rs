use super::members::{Member, Members};
use super::values::{ScopeMember, TokenType};
use super::{Dialect, Paths};

impl Dialect {
    /// Jiko, as its document of 2024 has it: neither `token_type` nor `scope`, and a refresh that names no client. Nothing is
    /// public about its errors: they are ours.
    #[must_use]
    pub fn jiko() -> Self {
        Self {
            paths: Paths {
                token: &["/api/oauth2/token"],
                authorization: &["/api/oauth2/authorize"],
                userinfo: &["/api/v1/user"],
                jwks: &["/.well-known/jwks.json"],
                ..Paths::default()
            },
            any_charset: true,
            client_of_refresh_token: true,
            success_members: Members(vec![
                Member::AccessToken,
                Member::RefreshToken,
                Member::TokenType,
                Member::ExpiresIn,
                Member::Scope,
                Member::IdToken,
            ]),
            token_type: TokenType::Absent,
            scope: ScopeMember::Absent,
            ..Self::standard()
        }
    }
}
