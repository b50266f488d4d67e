use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What a profile is called: it is part of file names, and of nothing outside the program's own directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ProfileName(String);

/// Why a text names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name of a profile: it has 1 to {CHARACTERS_MAX} of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit"
)]
pub(crate) struct ProfileNameError(String);

/// The longest name, in characters.
const CHARACTERS_MAX: usize = 64;

impl ProfileName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = ProfileNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // No capitals: some file systems do not tell them apart.
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = text.as_bytes().first().is_some_and(is_plain)
            && text.len() <= CHARACTERS_MAX
            && text.bytes().all(|byte| is_plain(&byte) || b"._-".contains(&byte));
        if is_name { Ok(Self(text.to_owned())) } else { Err(ProfileNameError(text.to_owned())) }
    }
}

impl Default for ProfileName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["work", "default", "id.example", "a", "7-up_x", &"n".repeat(64)] {
            assert!(good.parse::<ProfileName>().is_ok(), "{good}");
        }
        let long = "n".repeat(65);
        for bad in ["", ".", "..", "../work", "a/b", "a\\b", ".hidden", "-x", "Work", "wörk", "a b", "a\0", &long] {
            assert!(bad.parse::<ProfileName>().is_err(), "{bad:?}");
        }
    }
}
