use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a client wants the user to be asked, whatever was answered before (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing: no page is shown, and what cannot be answered without one is an error.
    None,
    /// The password, again.
    Login,
    /// The consent, again.
    Consent,
    /// Which account it is to be.
    SelectAccount,
}

impl Prompt {
    /// Every value of `prompt` that is supported.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// The registered name of the value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// The value named `name`; names are compared with case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.as_str() == name)
    }
}

/// The values of the request parameter `prompt`; usually none is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prompts(BTreeSet<Prompt>);

/// Why a text is not a set of prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// A value that is not supported.
    #[error(
        "prompt has a value that is not supported; send none, login, consent or select_account, separated by one space"
    )]
    Unknown,
    /// `none` beside another value.
    #[error("prompt=none contradicts the other values; send it alone")]
    NotAlone,
}

impl Prompts {
    /// Reads the request parameter `prompt`: values separated by one space; one named twice counts once.
    ///
    /// # Errors
    /// When a value is not supported, or `none` is not alone.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let prompts: Option<BTreeSet<_>> = text.split(' ').map(Prompt::parse).collect();
        let prompts = prompts.ok_or(PromptError::Unknown)?;
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err(PromptError::NotAlone);
        }
        Ok(Self(prompts))
    }

    /// Whether `prompt` is asked for.
    #[must_use]
    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_core_section_3_1_2_1_none_stands_alone() {
        use Prompt::{Consent, Login, None as NoPage, SelectAccount};
        let cases: [(&str, Result<&[Prompt], PromptError>); 12] = [
            ("none", Ok(&[NoPage])),
            ("login", Ok(&[Login])),
            ("consent login", Ok(&[Login, Consent])),
            ("select_account", Ok(&[SelectAccount])),
            ("login login", Ok(&[Login])),
            ("none none", Ok(&[NoPage])),
            ("none login", Err(PromptError::NotAlone)),
            ("consent none", Err(PromptError::NotAlone)),
            ("create", Err(PromptError::Unknown)),
            ("Login", Err(PromptError::Unknown)),
            ("login  consent", Err(PromptError::Unknown)),
            ("login\tconsent", Err(PromptError::Unknown)),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|prompts| Prompts(prompts.iter().copied().collect()));
            assert_eq!(Prompts::parse(text), expected, "{text:?}");
        }
        assert!(Prompt::ALL.iter().all(|&prompt| !Prompts::default().contains(prompt)));
        assert!(Prompts::parse("consent login").unwrap().contains(Login));
    }

    #[test]
    fn every_prompt_has_one_name() {
        for prompt in Prompt::ALL {
            assert_eq!(Prompt::parse(prompt.as_str()), Some(prompt));
            assert_eq!(serde_json::to_value(prompt).unwrap(), prompt.as_str());
        }
    }
}
