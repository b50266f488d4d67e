use std::borrow::Cow;

use super::choice::{AllowedValue, ChoiceValue, choice_values};

choice_values! {
    /// A member of an answer with tokens.
    Member {
        /// The access token.
        AccessToken = "access_token",
        /// How it is presented.
        TokenType = "token_type",
        /// When it ends, in seconds from now.
        ExpiresIn = "expires_in",
        /// Its scope.
        Scope = "scope",
        /// The refresh token, where one is given.
        RefreshToken = "refresh_token",
        /// When that ends, in seconds from now; our own, where that is known.
        RefreshTokenExpiresIn = "refresh_token_expires_in",
        /// The ID token, where one is given.
        IdToken = "id_token",
        /// When the access token ends, as local time.
        ExpireTimeFormatted = "expireTimeFormatted",
        /// When it was made, as local time.
        Created = "created",
    }
}

/// The members of an answer with tokens, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(pub Vec<Member>);

impl ChoiceValue for Members {
    const ALLOWED: &'static [AllowedValue] = Member::ALLOWED;

    /// Names between commas, none twice, and the access token is one of them.
    fn parse(text: &str) -> Option<Self> {
        let members: Vec<Member> = text.split(',').map(|name| Member::parse(name.trim())).collect::<Option<_>>()?;
        let is_twice = |at: usize| members[..at].contains(&members[at]);
        let is_good = members.contains(&Member::AccessToken) && !(0..members.len()).any(is_twice);
        is_good.then_some(Self(members))
    }

    fn name(&self) -> Cow<'static, str> {
        self.0.iter().map(Member::name).collect::<Vec<_>>().join(",").into()
    }
}
