use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) state: State,
    /// What was found, and what to do where something has to be done.
    pub(super) found: String,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and is not wise or will not work for long.
    Warn,
    /// It has to be mended now.
    Fail,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into() }
    }

    pub(super) fn warn(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Warn, found: found.into() }
    }

    pub(super) fn fail(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Fail, found: found.into() }
    }
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}
