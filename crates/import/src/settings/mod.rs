//! Other systems' options, and what each of them means for regrant.
//!
//! An operator copies what they have. Every system has a table of its [options](SystemOption), under its own names and with its
//! own units and defaults, and a function that makes settings of them: keys that regrant's configuration knows, for the
//! clients or for the dialect. What has no counterpart is told with the reason, and never passed over in silence.

mod bshaffer;
mod dotauth;
mod file;
mod jiko;
mod option;
mod redcore;
mod settler;
mod time_text;
mod wso2;

pub use file::{FoundChoice, FoundOption, OptionFault, OptionFile, Other};
pub use option::{Counterpart, OptionKind, OptionPreset, OptionValue, SystemOption};
pub use settler::{Remark, Setting, Settings};
pub use time_text::{TimeSpelling, TimeTextError};
pub use wso2::{DEPLOYMENT_KEYS, ELEMENTS};

use settler::Settler;

/// A system whose place regrant takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// The PHP library bshaffer/oauth2-server-php.
    Bshaffer,
    /// redCORE for Joomla, which is that library with options of its own.
    Redcore,
    /// WSO2 Identity Server.
    Wso2,
    /// DotAuth.
    DotAuth,
    /// The API of Jiko, whose server nobody else runs.
    Jiko,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bshaffer, Self::Redcore, Self::Wso2, Self::DotAuth, Self::Jiko];

    /// Its name in configurations and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bshaffer => "bshaffer",
            Self::Redcore => "redcore",
            Self::Wso2 => "wso2",
            Self::DotAuth => "dotauth",
            Self::Jiko => "jiko",
        }
    }

    /// The system of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// Its options, as it has them itself. Jiko has none: its server is not published.
    #[must_use]
    pub const fn options(self) -> &'static [SystemOption] {
        match self {
            Self::Bshaffer => &bshaffer::OPTIONS,
            Self::Redcore => &redcore::OPTIONS,
            Self::Wso2 => &wso2::OPTIONS,
            Self::DotAuth => &dotauth::OPTIONS,
            Self::Jiko => &[],
        }
    }

    /// Its option of this name, or of this other name.
    #[must_use]
    pub fn option(self, name: &str) -> Option<&'static SystemOption> {
        self.options().iter().find(|option| option.name == name || option.also.contains(&name))
    }

    /// How wide its refresh tokens are, in characters, and its access tokens that are no JWTs; `None` where nobody outside knows.
    #[must_use]
    pub const fn refresh_token_characters(self) -> Option<u32> {
        match self {
            Self::Bshaffer | Self::Redcore => Some(40),
            Self::Wso2 => Some(36),
            Self::DotAuth => Some(32),
            Self::Jiko => None,
        }
    }

    /// What these options mean, and what holds in this system where they say nothing. `given` holds each option once, by
    /// its [`SystemOption::name`], with a value of its kind; what the system does not have is passed over.
    #[must_use]
    pub fn settings(self, given: &[(&str, OptionValue)]) -> Settings {
        let mut settler = Settler::new(self.options(), given);
        match self {
            Self::Bshaffer => bshaffer::settle(&mut settler),
            Self::Redcore => redcore::settle(&mut settler),
            Self::Wso2 => wso2::settle(&mut settler),
            Self::DotAuth => dotauth::settle(&mut settler),
            Self::Jiko => jiko::settle(&mut settler),
        }
        settler.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_of_an_option_is_given_once_and_every_option_is_explained() {
        for system in System::ALL {
            assert_eq!(System::named(system.name()), Some(system));
            let mut names = BTreeSet::new();
            for option in system.options() {
                for name in option.also.iter().chain([&option.name]) {
                    assert!(names.insert(*name), "{} {name}", system.name());
                    assert_eq!(system.option(name).map(|found| found.name), Some(option.name));
                }
                assert!(option.doc.ends_with('.'), "{} {}", system.name(), option.name);
                if let Some(value) = option.preset.value() {
                    assert_eq!(option.kind.read(value.clone()), Ok(value), "{} {}", system.name(), option.name);
                }
            }
        }
    }

    #[test]
    fn what_a_system_has_by_itself_is_remarked_by_nobody_who_says_nothing() {
        for system in System::ALL {
            let settings = system.settings(&[]);
            assert!(settings.remarks.is_empty() && settings.refusals.is_empty(), "{}: {settings:?}", system.name());
            assert!(settings.clients.iter().chain(&settings.dialect).all(|setting| setting.from.is_none()));
        }
    }

    #[test]
    fn what_has_no_counterpart_is_told_when_it_is_said() {
        for system in System::ALL {
            for option in system.options() {
                let Counterpart::None = option.counterpart else { continue };
                let value = option.preset.value().filter(|value| *value != "".into()).unwrap_or("x".into());
                let settings = system.settings(&[(option.name, value)]);
                let told = settings.remarks.iter().any(|remark| remark.option == option.name && remark.is_loss);
                assert!(told, "{} {}", system.name(), option.name);
            }
        }
    }
}
