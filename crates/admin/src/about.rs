use regrant_engine::RegistrationError;
use regrant_store::ChangeError;

use crate::error::AdminError;

/// Says of which kind of thing a name is that there is not, or that is taken: engine and store know the name alone.
pub(crate) trait About<T> {
    /// The same, with `what` before the name, such as `client`.
    fn about(self, what: &'static str) -> Result<T, AdminError>;
}

impl<T, E: Into<AdminError>> About<T> for Result<T, E> {
    fn about(self, what: &'static str) -> Result<T, AdminError> {
        self.map_err(|error| {
            let error = error.into();
            let (AdminError::Change(change) | AdminError::Registration(RegistrationError::Change(change))) = error
            else {
                return error;
            };
            match change {
                ChangeError::Unknown(name) => AdminError::Unknown { what, name },
                ChangeError::Taken(name) => AdminError::Taken { what, name },
                // The store failed, or a store has more to say.
                change @ (ChangeError::Store(_) | _) => AdminError::Change(change),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_not_and_what_is_taken_are_called_by_their_kind() {
        let told =
            |error: ChangeError| Err::<(), _>(RegistrationError::from(error)).about("client").unwrap_err().to_string();
        let name = || "nope".to_owned();
        assert_eq!(told(ChangeError::Unknown(name())), "there is no client \"nope\"");
        assert_eq!(told(ChangeError::Taken(name())), "there is, or was, a client \"nope\": choose another name");
    }
}
