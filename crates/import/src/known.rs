use std::collections::{BTreeMap, BTreeSet};

/// Names that are in the database, found as the database finds them.
pub(crate) struct Known {
    exact: BTreeSet<String>,
    /// By lower case, where the database takes `Alice` and `alice` for the same.
    folded: Option<BTreeMap<String, String>>,
}

impl Known {
    pub(crate) fn new(names: impl IntoIterator<Item = String>, ignores_case: bool) -> Self {
        let exact: BTreeSet<String> = names.into_iter().collect();
        let folded = ignores_case.then(|| exact.iter().map(|name| (name.to_lowercase(), name.clone())).collect());
        Self { exact, folded }
    }

    /// The name as its own row has it.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        match self.exact.get(name) {
            Some(exact) => Some(exact),
            None => self.folded.as_ref()?.get(&name.to_lowercase()).map(String::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_the_database_finds_it() {
        let names = || ["Alice".to_owned(), "bob".to_owned()];
        let cases = [
            (false, "Alice", Some("Alice"), "as it is"),
            (false, "alice", None, "elsewhere case counts"),
            (true, "alice", Some("Alice"), "to MySQL it is the same"),
            (true, "BOB", Some("bob"), "to MySQL it is the same"),
            (true, "carol", None, "nobody"),
        ];
        for (ignores_case, name, expected, why) in cases {
            assert_eq!(Known::new(names(), ignores_case).find(name), expected, "{name}: {why}");
        }
    }
}
