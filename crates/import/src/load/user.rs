use regrant_protocol::{Subject, Username};
use regrant_store::{User, UserStatus};

use crate::ForeignUser;

/// What a foreign user becomes, but for the password, which is for the caller to make of the
/// [`ForeignPassword`](crate::ForeignPassword).
///
/// # Errors
/// When nobody can log in by such a name.
pub fn load_user(foreign: &ForeignUser, subject: Subject) -> Result<User, regrant_protocol::IdentifierError> {
    let status = if foreign.is_disabled { UserStatus::Disabled } else { UserStatus::Active };
    Ok(User {
        status,
        profile: foreign.profile.clone(),
        ..User::without_password(subject, Username::parse(&foreign.username)?)
    })
}

/// A user of whom nothing is known but the name that tokens use: they refresh, and whoever it is logs in by some other way, or when
/// an operator gives them a password.
///
/// # Errors
/// When nobody can log in by such a name.
pub fn stand_in_user(name: &str, subject: Subject) -> Result<User, regrant_protocol::IdentifierError> {
    Ok(User::without_password(subject, Username::parse(name)?))
}

#[cfg(test)]
mod tests {
    use regrant_protocol::Profile;

    use super::*;
    use crate::{ForeignPassword, Origin};

    #[test]
    fn a_user_keeps_names_profile_and_standing() {
        let profile = Profile { name: Some("Alice".to_owned()), ..Profile::default() };
        for (is_disabled, status) in [(false, UserStatus::Active), (true, UserStatus::Disabled)] {
            let foreign = ForeignUser {
                origin: Origin { table: "oauth_users".to_owned(), key: "alice".to_owned() },
                subject: "42".to_owned(),
                username: "alice".to_owned(),
                password: ForeignPassword::None,
                profile: profile.clone(),
                is_disabled,
                remarks: Vec::new(),
            };
            let user = load_user(&foreign, Subject::parse("42").unwrap()).unwrap();
            assert_eq!((user.subject.as_str(), user.username.as_str(), user.status), ("42", "alice", status));
            assert_eq!((user.profile, user.credential, user.version), (profile.clone(), None, 1));
        }
        let user = stand_in_user("jörg", Subject::parse("j%C3%B6rg").unwrap()).unwrap();
        assert_eq!((user.username.as_str(), user.credential), ("jörg", None));
    }
}
