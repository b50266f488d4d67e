use crate::LoginProblem;
use crate::login::duration;

/// Why the password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The current password is wrong, or cannot be checked now.
    Current(LoginProblem),
    /// The new one is too short.
    TooShort,
    /// The new one is too long.
    TooLong,
    /// The new one was not entered the same twice.
    Mismatch,
    /// The new one is the current one.
    Unchanged,
    /// The new one is among those that an attacker tries first.
    Guessable,
}

impl PasswordProblem {
    /// In words; a new password has at least `characters_min` characters.
    pub(crate) fn in_words(self, characters_min: usize) -> String {
        match self {
            Self::Current(LoginProblem::Credentials) => "The current password is wrong.".to_owned(),
            Self::Current(LoginProblem::UserDisabled) => {
                "This account is locked. Please ask whoever runs this service for help.".to_owned()
            }
            Self::Current(LoginProblem::TooManyFailures { retry_after_seconds }) => format!(
                "There were too many wrong passwords. Please wait {} and try again.",
                duration(retry_after_seconds)
            ),
            Self::Current(LoginProblem::Overloaded) => {
                "The server is busy at this moment. Please try again.".to_owned()
            }
            Self::Current(LoginProblem::Outdated | LoginProblem::NoCookie | LoginProblem::LoggedOut) => {
                "This page was open for too long. Please try again.".to_owned()
            }
            Self::TooShort => {
                format!("The new password is too short. Please take at least {characters_min} characters.")
            }
            Self::TooLong => "The new password is too long. Please take a shorter one.".to_owned(),
            Self::Mismatch => "The two new passwords are not the same. Please enter the new password twice.".to_owned(),
            Self::Unchanged => "The new password is the current one. Please take another.".to_owned(),
            Self::Guessable => {
                "The new password is easily guessed. Please take another, such as four words that have nothing to do \
                 with each other."
                    .to_owned()
            }
        }
    }

    /// The current password itself is wrong.
    pub(crate) fn is_in_current(self) -> bool {
        self == Self::Current(LoginProblem::Credentials)
    }

    /// The new password itself is wrong.
    pub(crate) fn is_in_new(self) -> bool {
        matches!(self, Self::TooShort | Self::TooLong | Self::Unchanged | Self::Guessable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountPage, Brand, Pages};

    #[test]
    fn a_problem_is_said_at_the_field_that_has_it() {
        let pages = Pages::new(Brand::default(), "");
        let cases = [
            (
                PasswordProblem::Current(LoginProblem::Credentials),
                "The current password is wrong",
                Some("current_password"),
            ),
            (PasswordProblem::TooShort, "at least 12 characters", Some("new_password")),
            (PasswordProblem::Unchanged, "is the current one", Some("new_password")),
            (PasswordProblem::Guessable, "easily guessed", Some("new_password")),
            (PasswordProblem::TooLong, "too long", Some("new_password")),
            (PasswordProblem::Mismatch, "not the same", Some("new_password_again")),
            (PasswordProblem::Current(LoginProblem::UserDisabled), "locked", None),
            (PasswordProblem::Current(LoginProblem::Overloaded), "busy", None),
            (PasswordProblem::Current(LoginProblem::Outdated), "open for too long", None),
            (
                PasswordProblem::Current(LoginProblem::TooManyFailures { retry_after_seconds: 60 }),
                "wait 60 seconds",
                None,
            ),
        ];
        for (problem, expected, field) in cases {
            let page = AccountPage {
                has_password: true,
                password_characters_min: 12,
                password_problem: Some(problem),
                ..AccountPage::default()
            };
            let html = pages.account(&page).html;
            assert!(html.contains(expected), "{problem:?}");
            assert!(html.contains("<title>Password not changed · "), "{problem:?}");
            assert_eq!(html.matches("minlength=\"12\"").count(), 2, "{problem:?}");
            for name in ["current_password", "new_password", "new_password_again"] {
                let input = html.split(&format!("name=\"{name}\"")).nth(1).unwrap().split('>').next().unwrap();
                assert_eq!(input.contains("aria-invalid=\"true\""), field == Some(name), "{problem:?} {name}");
            }
        }
    }
}
