use std::cell::RefCell;
use std::collections::BTreeMap;

use regrant_protocol::Secret;

use crate::config::nearest::nearest;
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::section::SECTIONS;

/// What the name of every variable begins with.
pub(super) const PREFIX: &str = "REGRANT_";

/// What commands read besides the settings, however near it is to the name of one.
const OF_COMMANDS: [&str; 4] = ["REGRANT_IMPORT_PASSWORD", "REGRANT_IMPORT_SALT", "REGRANT_PASSWORD", "REGRANT_SECRET"];

/// The environment variables of regrant, and who asked for them. A value may be a secret.
pub(super) struct Environment<'a> {
    values: &'a BTreeMap<String, Secret>,
    asked: RefCell<BTreeMap<String, Vec<String>>>,
}

impl<'a> Environment<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, Secret>) -> Self {
        Self { values, asked: RefCell::default() }
    }

    /// The variable `name`, which means the setting `key`; one that is set to nothing counts as not set.
    pub(super) fn get(&self, name: &str, key: String) -> Option<&'a str> {
        self.asked.borrow_mut().entry(name.to_owned()).or_default().push(key);
        self.value(name)
    }

    /// The value of a variable that was asked for.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(Secret::expose).filter(|value| !value.is_empty())
    }

    /// What is wrong with the names of the variables that are set, once everything has been asked for.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let asked = self.asked.borrow();
        let problem =
            |name: &str, fault| Problem { origin: Origin::Environment(name.to_owned()), key: String::new(), fault };
        let names = self.values.keys().map(String::as_str);
        names
            .filter_map(|name| match asked.get(name).map(Vec::as_slice) {
                Some([_]) => None,
                Some(keys) => Some(problem(name, Fault::AmbiguousVariable(keys.join(" or ")))),
                None => {
                    let near = nearest(bare(name), asked.keys().map(|name| bare(name))).map(str::to_owned);
                    let near = near.or_else(|| of_server(bare(name)));
                    let is_near = near.is_some();
                    let hint = near.map(|near| format!("; did you mean {PREFIX}{near}?")).unwrap_or_default();
                    is_ours(name, is_near).then(|| problem(name, Fault::UnknownVariable(hint)))
                }
            })
            .collect()
    }
}

/// The name of the variable for `key` of `section`, or of the client whose identifier is `entry`.
pub(super) fn variable(section: &str, entry: Option<&str>, key: &str) -> String {
    let entry = entry.map(|entry| format!("_{entry}")).unwrap_or_default();
    let name = format!("{section}{entry}_{key}");
    let plain: String =
        name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect();
    format!("{PREFIX}{}", plain.to_ascii_uppercase())
}

/// The variable that somebody meant who left `SERVER` out.
fn of_server(bare_name: &str) -> Option<String> {
    let key = bare_name.to_ascii_lowercase();
    let has_it = SECTIONS.iter().any(|section| section.name == "server" && section.key(&key).is_some());
    has_it.then(|| format!("SERVER_{bare_name}"))
}

fn bare(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Whether somebody meant to set something with a variable that nobody asked for.
///
/// Others have variables with our prefix too: those of other programs of ours, and those that Kubernetes makes for a service that is
/// named regrant or regrant-admin.
fn is_ours(name: &str, is_near: bool) -> bool {
    if is_of_kubernetes(name) || OF_COMMANDS.contains(&name) {
        return false;
    }
    let names_section = SECTIONS.iter().any(|section| name.starts_with(&variable(section.name, None, "")));
    is_near || names_section
}

/// `…_SERVICE_HOST`, `…_SERVICE_PORT`, `…_SERVICE_PORT_HTTPS`, `…_PORT`, `…_PORT_443_TCP`, `…_PORT_443_TCP_ADDR`.
fn is_of_kubernetes(name: &str) -> bool {
    let after_port = name.split_once("_PORT").map(|(_, rest)| rest);
    let is_port = after_port.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    is_port || name.ends_with("_SERVICE_HOST")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Shape;

    #[test]
    fn a_variable_is_named_for_its_section_and_key() {
        assert_eq!(variable("server", None, "issuer"), "REGRANT_SERVER_ISSUER");
        assert_eq!(variable("client", Some("photos-app 2"), "secret_file"), "REGRANT_CLIENT_PHOTOS_APP_2_SECRET_FILE");
    }

    #[test]
    fn no_setting_has_the_name_of_a_variable_that_kubernetes_makes() {
        for section in SECTIONS {
            for key in section.keys {
                let entry = (section.shape == Shape::List).then_some("photos");
                assert!(!is_of_kubernetes(&variable(section.name, entry, key.name)), "{} {}", section.name, key.name);
            }
        }
    }

    #[test]
    fn what_others_set_is_left_alone_and_a_slip_is_told() {
        let values: BTreeMap<String, Secret> = [
            "REGRANT_SERVER_ISUER",
            "REGRANT_SERVR_ISSUER",
            "REGRANT_TLS_X",
            "REGRANT_ISSUER",
            "REGRANT_PLAIN_HTTP",
            "REGRANT_SECRET",
            "REGRANT_LOG",
            "REGRANT_HOME",
            "REGRANT_IMPORT_PASSWORD",
            "REGRANT_PORT_443_TCP_ADDR",
            "REGRANT_SERVER_PORT",
            "REGRANT_ADMIN_SERVICE_HOST",
            "REGRANT_ADMIN_SERVICE_PORT_HTTPS",
        ]
        .into_iter()
        .map(|name| (name.to_owned(), Secret::new("sesame".to_owned())))
        .collect();
        let environment = Environment::new(&values);
        environment.get("REGRANT_SERVER_ISSUER", "server.issuer".to_owned());
        environment.get("REGRANT_STORE_PASSWORD", "store.password".to_owned());
        let told: Vec<String> = environment.problems().iter().map(Problem::to_string).collect();
        assert_eq!(
            told,
            [
                "REGRANT_ISSUER: regrant reads no such variable; did you mean REGRANT_SERVER_ISSUER?",
                "REGRANT_PLAIN_HTTP: regrant reads no such variable; did you mean REGRANT_SERVER_PLAIN_HTTP?",
                "REGRANT_SERVER_ISUER: regrant reads no such variable; did you mean REGRANT_SERVER_ISSUER?",
                "REGRANT_SERVR_ISSUER: regrant reads no such variable; did you mean REGRANT_SERVER_ISSUER?",
                "REGRANT_TLS_X: regrant reads no such variable",
            ]
        );
    }
}
