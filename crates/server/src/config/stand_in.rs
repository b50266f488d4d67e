use std::collections::BTreeMap;

use regrant_import::settings::{OptionKind, OptionPreset, OptionValue, Remark, Settings, System, SystemOption};
use regrant_store::ClientDefaults;

use crate::config::client_defaults;
use crate::config::environment::Environment;
use crate::config::key::{Form, Key, Kind};
use crate::config::layers::Layers;
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::section::{SECTIONS, Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::{Preset, Setting, Value};

pub(super) const BSHAFFER: Section = section(
    System::Bshaffer,
    "The options of bshaffer/oauth2-server-php, as they were given to `Server`, for `stand_in = \"bshaffer\"`. What \
     they mean for clients stands in for `[defaults]` and reaches clients as those do.",
    &keys::<{ System::Bshaffer.options().len() }>(System::Bshaffer),
);

pub(super) const REDCORE: Section = section(
    System::Redcore,
    "The options of redCORE's component, for `stand_in = \"redcore\"`. What they mean for clients stands in for `[defaults]` and reaches \
     clients as those do.",
    &keys::<{ System::Redcore.options().len() }>(System::Redcore),
);

pub(super) const WSO2: Section = section(
    System::Wso2,
    "The options of WSO2 Identity Server, by the names of identity.xml or deployment.toml, for `stand_in = \"wso2\"`. What \
     they mean for clients stands in for `[defaults]` and reaches clients as those do.",
    &keys::<{ System::Wso2.options().len() }>(System::Wso2),
);

pub(super) const DOTAUTH: Section = section(
    System::DotAuth,
    "The options of DotAuth, for `stand_in = \"dotauth\"`. What they mean for clients stands in for `[defaults]` and reaches clients as \
     those do.",
    &keys::<{ System::DotAuth.options().len() }>(System::DotAuth),
);

/// The section of a system's options; Jiko publishes none.
pub(super) fn section_of(system: System) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == system.name()).copied()
}

/// What a system does, and what its options say otherwise, in our own words.
#[derive(Default)]
pub(super) struct StandIn {
    /// Settings of clients.
    pub(super) clients: Vec<Setting>,
    /// Choices of the dialect.
    pub(super) dialect: Vec<Setting>,
    /// Something is lost of these options.
    pub(super) warnings: Vec<Problem>,
    /// What else is good to know.
    pub(super) notes: Vec<Problem>,
}

impl StandIn {
    /// What the system does that nobody gave options to.
    pub(super) fn by_itself(system: System) -> Self {
        let origin = |_: Option<&str>| Origin::StandIn(system.name());
        let Settings { clients, dialect, .. } = system.settings(&[]);
        Self {
            clients: clients.into_iter().map(|setting| ours(setting, origin)).collect(),
            dialect: dialect.into_iter().map(|setting| ours(setting, origin)).collect(),
            ..Self::default()
        }
    }

    /// Reads the section of `system`.
    pub(super) fn read(table: &mut TableReader<'_>, system: System) -> Result<Self, Reported> {
        let section = section_of(system).expect("a system whose section is read has one");
        let (mut given, mut read) = (Vec::new(), Ok(()));
        for key in section.keys {
            match table.said(key) {
                Ok(said) => given.extend(said.map(|setting| (key.name, theirs(&setting.value)))),
                Err(reported) => read = Err(reported),
            }
        }
        let Settings { clients, dialect, remarks, refusals } = system.settings(&given);
        for Remark { option, text, .. } in refusals {
            read = Err(table.refuse(table.origin(option), option, Fault::Value(text)));
        }
        let origin = |table: &TableReader<'_>, from: Option<&str>| match from {
            Some(option) => {
                Origin::Option { key: format!("{}.{option}", section.name), at: Box::new(table.origin(option)) }
            }
            None => Origin::StandIn(system.name()),
        };
        let mut found = Self::default();
        for setting in clients {
            let setting = ours(setting, |from| origin(table, from));
            if let Err(fault) = fits(&setting) {
                let at = setting.origin.said().unwrap_or(table.begins()).clone();
                let Origin::Option { key, .. } = &setting.origin else {
                    unreachable!("what systems do by themselves fits")
                };
                let option = key.rsplit('.').next().unwrap_or_default().to_owned();
                read = Err(table.refuse(at, &option, fault));
            }
            found.clients.push(setting);
        }
        found.dialect = dialect.into_iter().map(|setting| ours(setting, |from| origin(table, from))).collect();
        for Remark { option, text, is_loss } in remarks {
            let key = format!("{}.{option}", section.name);
            let remark = |told| Problem { origin: table.origin(option), key, fault: Fault::Value(told) };
            if is_loss {
                found.warnings.push(remark(format!("regrant differs: {}", text.trim_end_matches('.'))));
            } else {
                found.notes.push(remark(text));
            }
        }
        read.map(|()| found)
    }
}

/// What holds for clients of `system` of which nobody says otherwise.
pub(crate) fn defaults_of(system: System) -> ClientDefaults {
    let (flags, variables) = (BTreeMap::new(), BTreeMap::new());
    let layers = Layers { flags: &flags, environment: Environment::new(&variables), document: None };
    let inherited = StandIn::by_itself(system).clients;
    let mut table = TableReader::new(&client_defaults::SECTION, &layers, None).with_inherited(&inherited);
    client_defaults::read(&mut table).expect("what a system does by itself is good")
}

/// What clients of `system` have to do before regrant's tokens reach them.
pub(super) fn width(system: System, origin: Origin) -> Problem {
    let theirs = match (system, system.refresh_token_characters()) {
        (System::DotAuth, Some(characters)) => {
            format!("refresh tokens of {} have {characters} characters, and its access tokens are JWTs", system.name())
        }
        (_, Some(characters)) => {
            format!("tokens of {} have {characters} characters, unless its access tokens are JWTs", system.name())
        }
        (_, None) => format!("nobody says how long tokens of {} are", system.name()),
    };
    let told = format!(
        "{theirs}; regrant's refresh tokens have {REFRESH_TOKEN_CHARACTERS}, its access tokens about {OPAQUE_TOKEN_CHARACTERS}, or up to \
         some thousand as JWTs: a client that stores tokens must have columns for both that are as wide"
    );
    Problem { origin, key: "server.stand_in".to_owned(), fault: Fault::Value(told) }
}

/// That the options of `section` are there although another system is chosen.
pub(super) fn misplaced(section: &Section, begins: Origin, chosen: &str) -> Problem {
    let name = section.name;
    let told = format!("server.stand_in is {chosen:?}; leave this section out, or say stand_in = {name:?}");
    Problem { origin: begins, key: name.to_owned(), fault: Fault::Contradiction(told) }
}

/// How long a refresh token of ours is.
const REFRESH_TOKEN_CHARACTERS: usize = 72;
/// How long an access token of ours is about that is no JWT.
const OPAQUE_TOKEN_CHARACTERS: usize = 190;

const fn section(system: System, doc: &'static str, keys: &'static [Key]) -> Section {
    Section { name: system.name(), shape: Shape::Table, doc, keys }
}

const fn keys<const N: usize>(system: System) -> [Key; N] {
    let options = system.options();
    let mut keys = [key(&options[0]); N];
    let mut index = 1;
    while index < N {
        keys[index] = key(&options[index]);
        index += 1;
    }
    keys
}

const fn key(option: &SystemOption) -> Key {
    let kind = match option.kind {
        OptionKind::Switch => Kind::Switch,
        OptionKind::Time(spelling) => Kind::Time(spelling),
        OptionKind::Number(unit) => Kind::Number { min: 0, max: u32::MAX, unit },
        OptionKind::Text => Kind::Text(Form::Plain),
        OptionKind::Secret => Kind::Secret,
    };
    let preset = match option.preset {
        OptionPreset::Absent => Preset::Absent,
        OptionPreset::Switch(is_on) => Preset::Switch(is_on),
        OptionPreset::Number(number) => Preset::Number(unsigned(number)),
        OptionPreset::Text(text) => Preset::Text(text),
    };
    Key::new(option.name, kind, preset, option.doc).aliases(option.also)
}

const fn unsigned(number: i64) -> u32 {
    assert!(number >= 0 && number <= u32::MAX as i64, "no option has a default out of bounds");
    number as u32
}

fn theirs(value: &Value) -> OptionValue {
    match value {
        Value::Switch(is_on) => OptionValue::Switch(*is_on),
        Value::Number(number) => OptionValue::Number((*number).into()),
        Value::Seconds(seconds) => OptionValue::Number(*seconds),
        Value::Text(text) => OptionValue::Text(text.clone()),
        Value::Texts(_) | Value::Hidden => OptionValue::Text(String::new()),
    }
}

fn ours(setting: regrant_import::settings::Setting, origin: impl Fn(Option<&str>) -> Origin) -> Setting {
    let value = match setting.value {
        OptionValue::Switch(is_on) => Value::Switch(is_on),
        OptionValue::Number(number) => Value::Number(u32::try_from(number).expect("a setting is not negative")),
        OptionValue::Text(text) => Value::Text(text),
    };
    Setting { name: setting.key.to_owned(), value, origin: origin(setting.from) }
}

/// Whether a setting that comes from an option is within the bounds of its key.
fn fits(setting: &Setting) -> Result<(), Fault> {
    let key = client_defaults::SECTION.key(&setting.name).expect("what options mean are keys of clients");
    match (key.kind, &setting.value) {
        (Kind::Number { min, max, unit }, Value::Number(number)) if !(min..=max).contains(number) => {
            Err(Fault::Range { found: number.to_string(), min, max, unit })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_system_does_by_itself_are_settings_that_there_are() {
        for system in System::ALL {
            let by_itself = StandIn::by_itself(system);
            for setting in &by_itself.clients {
                assert!(client_defaults::SECTION.key(&setting.name).is_some(), "{} {}", system.name(), setting.name);
            }
            defaults_of(system);
            assert!(by_itself.dialect.is_empty(), "a dialect says by itself what its system does");
        }
    }

    #[test]
    fn every_system_with_options_has_a_section_for_them() {
        for system in System::ALL {
            assert_eq!(section_of(system).is_some(), !system.options().is_empty(), "{}", system.name());
        }
    }
}
