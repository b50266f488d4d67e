use clap::Args;
use regrant_admin::ProfilePatch;
use serde::Serialize;
use serde_json::Value;

/// A flag for each claim of a user.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Profile")]
pub(super) struct ProfileOptions {
    /// The full name, as it is shown.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The first names.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    /// The last names.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    /// The middle names.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    middle_name: Option<String>,
    /// What friends say.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    /// The short name that the user wants to be called by.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    /// The profile page.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// A picture of the user.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    /// The user's own site.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    /// In the user's words.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    /// YYYY-MM-DD, with the year 0000 where it is left out, or YYYY alone.
    #[arg(long, value_name = "DATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    birthdate: Option<String>,
    /// A name of the time zone database.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    zoneinfo: Option<String>,
    /// A language tag of BCP 47.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// Where mail reaches the user.
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether it was shown that the address is the user's own.
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl ProfileOptions {
    /// The claims that were given; the empty ones and those in `unset` as `null`, which means that there is none.
    pub(super) fn patch(&self, unset: &[String]) -> ProfilePatch {
        let given = serde_json::to_value(self).expect("texts and a switch can be written as JSON");
        let nulls = unset.iter().map(|claim| (claim.as_str(), &Value::Null));
        let given = given.as_object().into_iter().flatten().map(|(claim, value)| match value.as_str() {
            Some("") => (claim.as_str(), &Value::Null),
            _ => (claim.as_str(), value),
        });
        nulls.chain(given).fold(ProfilePatch::default(), |patch, (claim, value)| patch.with(claim, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Command;
    use regrant_protocol::Profile;

    use super::*;

    #[test]
    fn every_claim_of_a_profile_that_a_person_knows_has_a_flag() {
        let command = ProfileOptions::augment_args(Command::new("add"));
        let flags: BTreeSet<&str> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
        let claims: BTreeSet<&str> = Profile::PROFILE_CLAIMS.into_iter().chain(Profile::EMAIL_CLAIMS).collect();
        assert_eq!(claims.difference(&flags).collect::<Vec<_>>(), [&"updated_at"]);
        assert!(flags.is_subset(&claims), "{flags:?}");
    }

    #[test]
    fn a_claim_is_given_taken_away_or_left_alone() {
        let given = |text: &str| Some(text.to_owned());
        let options = ProfileOptions { email: given("a@b.example"), nickname: given(""), ..ProfileOptions::default() };
        let patch = serde_json::to_value(options.patch(&["name".to_owned()])).unwrap();
        assert_eq!(patch, serde_json::json!({ "email": "a@b.example", "name": null, "nickname": null }));
    }
}
