//! What the exit code says: the one place where errors become numbers.

use regrant_client::{
    AuthorizationError, DeviceAuthorizationError, DiscoveryError, Failure, LogInReason, StorageError, TokenError,
};

use crate::problem::Problem;

const FAILED: u8 = 1;
const NO_CREDENTIAL: u8 = 3;
const LOG_IN: u8 = 4;
const TEMPORARY: u8 = 5;

/// The exit code of a command that failed: 3 when nobody has logged in, 4 when a person has to log in again, 5 when the same
/// command may succeed later, 126 and 127 when a command cannot be run, and 1 for everything else. Wrong usage is 2, by clap.
pub(crate) fn of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(known).unwrap_or(FAILED)
}

fn known(error: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Some(problem.exit_code());
    }
    if let Some(error) = error.downcast_ref::<TokenError>() {
        return Some(of_token_error(error));
    }
    if error.downcast_ref::<StorageError>().is_some_and(StorageError::is_temporary) {
        return Some(TEMPORARY);
    }
    if let Some(DiscoveryError::Transport(_) | DiscoveryError::Busy { .. }) = error.downcast_ref::<DiscoveryError>() {
        return Some(TEMPORARY);
    }
    if let Some(AuthorizationError::Redemption(failure)) = error.downcast_ref::<AuthorizationError>() {
        return Some(of_failure(failure));
    }
    if let Some(DeviceAuthorizationError::Unanswered(_)) = error.downcast_ref::<DeviceAuthorizationError>() {
        return Some(TEMPORARY);
    }
    if let Some(DeviceAuthorizationError::Failed(failure)) = error.downcast_ref::<DeviceAuthorizationError>() {
        return Some(of_failure(failure));
    }
    error.downcast_ref::<Failure>().map(of_failure)
}

fn of_token_error(error: &TokenError) -> u8 {
    match error {
        TokenError::LogIn(LogInReason::NoCredential) => NO_CREDENTIAL,
        TokenError::LogIn(_) => LOG_IN,
        TokenError::Temporary { .. } => TEMPORARY,
        TokenError::Storage(error) if error.is_temporary() => TEMPORARY,
        TokenError::Storage(_) | TokenError::Refused(_) | TokenError::OtherServer { .. } | TokenError::Uri(_) => FAILED,
    }
}

const fn of_failure(failure: &Failure) -> u8 {
    match failure {
        Failure::Temporary(_) => TEMPORARY,
        Failure::Terminal(_)
        | Failure::ReRegister(_)
        | Failure::Configuration(_)
        | Failure::TokenType(_)
        | Failure::TooLong(_) => FAILED,
    }
}

impl Problem {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::NoProfile(_) => NO_CREDENTIAL,
            Self::NobodyHere | Self::LogIn { .. } => LOG_IN,
            Self::CommandNotFound(_) => 127,
            Self::CommandNotRun { .. } => 126,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Context as _;
    use regrant_client::{Delivery, Temporary, TransportError};

    use super::*;

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        let temporary =
            Temporary { cause: "busy".to_owned(), retry_after: None, delivery: Delivery::Answered, error: None };
        let busy = || StorageError::Busy("token.json".into());
        let wait = Some(Duration::from_secs(7));
        let cases: Vec<(anyhow::Error, u8)> = vec![
            (anyhow::anyhow!("anything"), 1),
            (TokenError::Storage(StorageError::Other("it is full".to_owned())).into(), 1),
            (Problem::NoProfile("work".parse().unwrap()).into(), 3),
            (TokenError::LogIn(LogInReason::NoCredential).into(), 3),
            (TokenError::LogIn(LogInReason::Refused("invalid_grant".to_owned())).into(), 4),
            (TokenError::LogIn(LogInReason::NoRefreshToken).into(), 4),
            (Problem::NobodyHere.into(), 4),
            (TokenError::Temporary { cause: "status 503".to_owned(), retry_after: wait }.into(), 5),
            (TokenError::Storage(busy()).into(), 5),
            (busy().into(), 5),
            (DiscoveryError::Transport(TransportError::NotSent("refused".to_owned())).into(), 5),
            (DiscoveryError::Busy { url: "https://id.example".to_owned(), status: 429, retry_after: wait }.into(), 5),
            (Failure::Temporary(temporary.clone()).into(), 5),
            (DeviceAuthorizationError::Failed(Failure::Temporary(temporary.clone())).into(), 5),
            (DeviceAuthorizationError::Unanswered(temporary.clone()).into(), 5),
            (DeviceAuthorizationError::Denied.into(), 1),
            (AuthorizationError::Redemption(Failure::Temporary(temporary)).into(), 5),
            (AuthorizationError::NoCode.into(), 1),
            (Problem::CommandNotFound("nothing".to_owned()).into(), 127),
        ];
        for (error, expected) in cases {
            assert_eq!(of(&error), expected, "{error}");
            assert_eq!(of(&Err::<(), _>(error).context("said around it").unwrap_err()), expected);
        }
    }
}
