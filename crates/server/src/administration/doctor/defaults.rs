use regrant_admin::{ClientView, RotationMode};
use regrant_store::ClientDefaults;

use crate::config::Config;

use super::check::Check;

/// More clients than these are counted and not named.
const CLIENTS_NAMED_MAX: usize = 5;

/// Clients that were registered while other defaults held, and keep those.
pub(super) struct Kept<'a> {
    config: &'a Config,
    found: Vec<(String, Vec<&'static str>)>,
}

impl<'a> Kept<'a> {
    /// None yet, beside those that `config` names.
    pub(super) const fn beside(config: &'a Config) -> Self {
        Self { config, found: Vec::new() }
    }

    /// Compares a client with the defaults; one of the configuration has what that says.
    pub(super) fn look_at(&mut self, client: &ClientView) {
        let is_configured = self.config.clients().iter().any(|configured| configured.id.as_str() == client.id);
        let differing = differing(client, &self.config.defaults);
        if !is_configured && !differing.is_empty() {
            self.found.push((client.id.clone(), differing));
        }
    }

    /// The note about them all: that may be meant so.
    pub(super) fn note(&self) -> Option<Check> {
        told(&self.found).map(|told| Check::ok("defaults", told))
    }
}

fn told(found: &[(String, Vec<&'static str>)]) -> Option<String> {
    let (id, settings) = found.first()?;
    let name = |(id, settings): &(String, Vec<&str>)| format!("{id} ({})", settings.join(", "));
    let mut named: Vec<String> = found.iter().take(CLIENTS_NAMED_MAX).map(name).collect();
    if found.len() > CLIENTS_NAMED_MAX {
        named.push(format!("and {} others", found.len() - CLIENTS_NAMED_MAX));
    }
    let unset: String = settings.iter().map(|setting| format!(" --unset {setting}")).collect();
    Some(format!(
        "clients that keep what they got and differ from the defaults now in force: {}; to let one follow, run: regrant client update \
         {id}{unset}",
        named.join(", ")
    ))
}

/// The settings by which a client differs from what it would get now.
fn differing(client: &ClientView, defaults: &ClientDefaults) -> Vec<&'static str> {
    let (settings, policy) = (&client.settings, &defaults.policy);
    let rotation = RotationMode::from(policy.rotation);
    // A public client cannot follow those two.
    let is_open = client.public && matches!(rotation, RotationMode::Reuse | RotationMode::Fork);
    let compared = [
        ("rotation", is_open || settings.rotation == rotation),
        ("access_lifetime", settings.access_lifetime == policy.access_lifetime.seconds()),
        ("idle_lifetime", settings.idle_lifetime == policy.idle_lifetime.seconds()),
        ("absolute_lifetime", settings.absolute_lifetime == policy.absolute_lifetime.seconds()),
    ];
    compared.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use regrant_grant::RotationMode;
    use regrant_protocol::Lifetime;
    use serde_json::json;

    use super::super::clients::tests::client;
    use super::*;

    #[test]
    fn a_client_that_keeps_other_settings_than_the_defaults_is_told_with_their_names() {
        let mut defaults = ClientDefaults::BUILT_IN;
        assert!(differing(&client(json!({})), &defaults).is_empty());
        assert_eq!(
            differing(&client(json!({ "idle_lifetime": 60, "rotation": "consume" })), &defaults),
            ["rotation", "idle_lifetime"]
        );
        defaults.policy.access_lifetime = Lifetime::from_seconds(60);
        defaults.policy.absolute_lifetime = Lifetime::Never;
        assert_eq!(differing(&client(json!({})), &defaults), ["access_lifetime", "absolute_lifetime"]);
        let mut reuse = ClientDefaults::BUILT_IN;
        reuse.policy.rotation = RotationMode::Reuse;
        assert!(differing(&client(json!({})), &reuse).is_empty(), "it is public");
        assert_eq!(differing(&client(json!({ "public": false })), &reuse), ["rotation"]);
    }

    #[test]
    fn a_few_are_named_and_the_others_counted() {
        let of = |count: usize| (0..count).map(|index| (format!("c{index}"), vec!["rotation"])).collect::<Vec<_>>();
        assert_eq!(told(&of(0)), None);
        let one = told(&of(1)).unwrap();
        assert!(
            one.contains(": c0 (rotation); ") && one.ends_with("regrant client update c0 --unset rotation"),
            "{one}"
        );
        assert!(told(&of(7)).unwrap().contains("c4 (rotation), and 2 others; "));
    }
}
