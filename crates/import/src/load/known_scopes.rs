use std::collections::{BTreeMap, BTreeSet};

use regrant_protocol::{ClientId, SCOPE_TOKENS_MAX, Scope};

use crate::ForeignScope;

/// The most scopes of a server that are remembered; the others are known from the tokens that carry them.
const LISTED_MAX: usize = 10_000;

/// The scopes that a foreign server knew: those that it listed, and those that its tokens carry.
#[derive(Clone, Debug, Default)]
pub struct KnownScopes {
    listed: BTreeSet<String>,
    defaults: BTreeSet<String>,
    carried: BTreeMap<ClientId, BTreeSet<String>>,
}

impl KnownScopes {
    /// Notes a scope that the server listed; whether that is news, and there was room for it.
    pub fn list(&mut self, scope: &ForeignScope) -> bool {
        if scope.is_default {
            self.defaults.insert(scope.name.clone());
        }
        self.listed.len() < LISTED_MAX && self.listed.insert(scope.name.clone())
    }

    /// Notes the scope of a live token.
    pub fn see(&mut self, client: &ClientId, scope: &Scope) {
        if scope.is_empty() {
            return;
        }
        if !self.carried.contains_key(client) {
            self.carried.insert(client.clone(), BTreeSet::new());
        }
        let carried = self.carried.get_mut(client).expect("it was put in");
        for name in scope.tokens() {
            if carried.len() < SCOPE_TOKENS_MAX && !carried.contains(name) {
                carried.insert(name.to_owned());
            }
        }
    }

    /// What a client may ask for of which the server said "everything": first what its tokens carry, then what is given to those
    /// who ask for nothing, then the rest; and how many of these were too many for a scope.
    #[must_use]
    pub fn everything_for(&self, client: &ClientId) -> (Scope, usize) {
        let carried = self.carried.get(client).into_iter().flatten();
        let mut names: Vec<&str> = Vec::new();
        for name in carried.chain(&self.defaults).chain(&self.listed) {
            if !names.contains(&name.as_str()) && Scope::parse(name).is_ok() {
                names.push(name);
            }
        }
        let beyond = names.len().saturating_sub(SCOPE_TOKENS_MAX);
        names.truncate(SCOPE_TOKENS_MAX);
        (Scope::parse(&names.join(" ")).unwrap_or_default(), beyond)
    }

    /// What is given to those who ask for nothing, within `scope`.
    #[must_use]
    pub fn defaults_within(&self, scope: &Scope) -> Scope {
        let names: Vec<&str> = scope.tokens().filter(|name| self.defaults.contains(*name)).collect();
        Scope::parse(&names.join(" ")).unwrap_or_default()
    }

    /// What the tokens of a client carry beyond `scope`.
    #[must_use]
    pub fn carried_beyond(&self, client: &ClientId, scope: &Scope) -> Vec<String> {
        let carried = self.carried.get(client).into_iter().flatten();
        carried.filter(|name| !scope.contains(name)).cloned().collect()
    }

    /// Those that the server listed and that one of `scopes` has.
    #[must_use]
    pub fn listed_in<'a>(&self, scopes: impl Iterator<Item = &'a Scope>) -> BTreeSet<String> {
        scopes.flat_map(Scope::tokens).filter(|name| self.listed.contains(*name)).map(ToOwned::to_owned).collect()
    }

    /// Those that the server listed.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.listed.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    fn listed(name: &str, is_default: bool) -> ForeignScope {
        let origin = Origin { table: "oauth_scopes".to_owned(), key: name.to_owned() };
        ForeignScope { origin, name: name.to_owned(), description: None, is_default }
    }

    #[test]
    fn everything_is_what_is_listed_and_what_the_clients_own_tokens_carry() {
        let client = |id| ClientId::parse(id).unwrap();
        let mut scopes = KnownScopes::default();
        scopes.list(&listed("write", false));
        scopes.list(&listed("basic", true));
        scopes.see(&client("shop"), &Scope::parse("old basic").unwrap());
        scopes.see(&client("other"), &Scope::parse("secret").unwrap());
        let (everything, beyond) = scopes.everything_for(&client("shop"));
        assert_eq!((everything.as_str(), beyond), ("basic old write", 0));
        assert_eq!(scopes.defaults_within(&everything).as_str(), "basic");
        assert_eq!(scopes.everything_for(&client("third")).0.as_str(), "basic write");
        assert_eq!(scopes.carried_beyond(&client("shop"), &Scope::parse("basic").unwrap()), ["old"]);
    }

    #[test]
    fn of_too_many_scopes_those_that_tokens_carry_are_kept() {
        let client = ClientId::parse("shop").unwrap();
        let mut scopes = KnownScopes::default();
        for number in 0..SCOPE_TOKENS_MAX {
            scopes.list(&listed(&format!("internal_{number}"), false));
        }
        scopes.see(&client, &Scope::parse("openid").unwrap());
        let (everything, beyond) = scopes.everything_for(&client);
        assert!(everything.contains("openid"));
        assert_eq!((everything.tokens().count(), beyond), (SCOPE_TOKENS_MAX, 1));
    }
}
