use std::collections::BTreeMap;

use super::Dialect;

/// The dialects of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialects {
    /// That of every path without one of its own.
    pub default: Dialect,
    /// The dialects of single paths, below the issuer, such as `/oauth2/token`. Each is a token endpoint, unless the paths of
    /// `default` or of the dialect itself say otherwise.
    pub at: BTreeMap<String, Dialect>,
}

impl Default for Dialects {
    fn default() -> Self {
        Self { default: Dialect::standard(), at: BTreeMap::new() }
    }
}

impl Dialects {
    /// The dialect that is spoken at `path`, below the issuer.
    pub(crate) fn spoken_at(&self, path: &str) -> &Dialect {
        self.at.get(path).unwrap_or(&self.default)
    }
}

impl Dialect {
    /// The names of all dialects.
    pub const NAMES: [&'static str; 6] = ["standard", "bshaffer", "redcore", "wso2", "dotauth", "jiko"];

    /// The dialect of the system of this name; `None` when it is none of [`Self::NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "standard" => Self::standard(),
            "bshaffer" => Self::bshaffer(),
            "redcore" => Self::redcore(),
            "wso2" => Self::wso2(),
            "dotauth" => Self::dotauth(),
            "jiko" => Self::jiko(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::DialectChoiceError;
    use super::*;

    #[test]
    fn every_dialect_is_found_by_its_name_and_no_two_are_alike() {
        let all = Dialect::NAMES.map(|name| Dialect::named(name).unwrap());
        for (at, dialect) in all.iter().enumerate() {
            assert!(!all[..at].contains(dialect), "{}", Dialect::NAMES[at]);
        }
        assert_eq!(Dialect::named("Standard"), None);
    }

    #[test]
    fn a_dialect_is_made_of_choices_that_can_be_made_by_name() {
        for name in Dialect::NAMES {
            let wanted = Dialect::named(name).unwrap();
            let mut made = Dialect { paths: wanted.paths, ..Dialect::standard() };
            for choice in Dialect::CHOICES {
                assert!(!choice.about.is_empty() && choice.allowed.iter().all(|allowed| !allowed.does.is_empty()));
                made.set(choice.key, &wanted.get(choice.key).unwrap()).unwrap();
            }
            assert_eq!(made, wanted, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_chosen_is_told_with_what_can() {
        let mut dialect = Dialect::standard();
        let told = |result: Result<(), DialectChoiceError>| result.unwrap_err().to_string();
        assert_eq!(told(dialect.set("scope", "nil")), "scope cannot be \"nil\"; it can be string, null, absent");
        assert!(
            told(dialect.set("scopes", "null"))
                .starts_with("a dialect has no choice \"scopes\"; it has any_charset, json_body, ")
        );
        for (key, value) in [
            ("success_members", "scope"),
            ("success_members", "access_token,access_token"),
            ("success_members", "access_token,"),
            ("time_zone", "Europe/Nowhere"),
            ("tenant", "a/b"),
            ("tenant", ".."),
            ("json_body", "yes"),
        ] {
            assert!(dialect.set(key, value).is_err(), "{key} = {value:?}");
        }
        assert_eq!(dialect, Dialect::standard());
        dialect.set("time_zone", "Europe/Copenhagen").unwrap();
        assert_eq!(dialect.get("time_zone").as_deref(), Some("Europe/Copenhagen"));
    }
}
