use super::members::{Member, Members};
use super::values::OptionsMethod;
use super::{Dialect, Paths};

impl Dialect {
    /// redCORE for Joomla: bshaffer's library 1.8.0, two more members of a success, and one page that is every endpoint.
    #[must_use]
    pub fn redcore() -> Self {
        Self {
            paths: Paths { by_option: &["/index.php", "/administrator/index.php"], ..Paths::default() },
            options_method: OptionsMethod::Refuse,
            success_members: Members(vec![
                Member::AccessToken,
                Member::ExpiresIn,
                Member::TokenType,
                Member::Scope,
                Member::RefreshToken,
                Member::IdToken,
                Member::ExpireTimeFormatted,
                Member::Created,
            ]),
            ..Self::bshaffer()
        }
    }
}
