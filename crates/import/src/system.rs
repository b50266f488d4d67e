use std::fmt;

use crate::settings;

/// A system whose data can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// bshaffer's oauth2-server-php with its PDO storage.
    Bshaffer,
    /// redCORE for Joomla.
    Redcore,
    /// WSO2 Identity Server.
    Wso2,
    /// DotAuth with its Marten (PostgreSQL) storage.
    Dotauth,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bshaffer, Self::Redcore, Self::Wso2, Self::Dotauth];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.replaced().name()
    }

    /// The same system as one whose place regrant takes.
    #[must_use]
    pub const fn replaced(self) -> settings::System {
        match self {
            Self::Bshaffer => settings::System::Bshaffer,
            Self::Redcore => settings::System::Redcore,
            Self::Wso2 => settings::System::Wso2,
            Self::Dotauth => settings::System::DotAuth,
        }
    }

    /// The system called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// The versions whose tables are known.
    #[must_use]
    pub const fn known_versions(self) -> &'static str {
        match self {
            Self::Bshaffer => "oauth2-server-php 1.0 to 1.14",
            Self::Redcore => "redCORE 1.4 to 2.3",
            Self::Wso2 => "WSO2 Identity Server 5.1 to 7.1",
            Self::Dotauth => "DotAuth with Marten, 2020 to 2026",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
