use regrant_client::LogInReason;

use crate::profile_name::ProfileName;

/// What only this program can tell about a failure, and exit codes depend on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// No login was ever made under this name.
    #[error("there is no profile {0}; log in first: regrant-token login ISSUER --client-id ID{as_named}", as_named = .0.as_option())]
    NoProfile(ProfileName),
    /// Nobody can be asked.
    #[error(
        "a person has to log in, and there is no terminal here to ask one; run it on a terminal, or say --browser, --print-url or \
         --device if somebody will act on what standard error shows"
    )]
    NobodyHere,
    /// A person has to log in again.
    #[error("{reason}; run: regrant-token login{as_named}", as_named = .name.as_option())]
    LogIn {
        /// Where.
        name: ProfileName,
        /// Why.
        reason: LogInReason,
    },
    /// There is no such command.
    #[error("{0}: there is no such command")]
    CommandNotFound(String),
    /// There is such a command, and the system does not run it.
    #[error("{command} cannot be run: {cause}")]
    CommandNotRun {
        /// Which.
        command: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl ProfileName {
    /// The option that names it, where one is needed.
    fn as_option(&self) -> String {
        if *self == Self::default() { String::new() } else { format!(" --name {self}") }
    }
}
