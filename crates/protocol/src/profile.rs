use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Scope;

/// What is known about a user (OpenID Connect Core §5.1), and told to clients that were granted `profile` or `email`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The full name, as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The first names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The last names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// The middle names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// What friends say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The short name that the user wants to be called by; not unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The URL of the profile page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The URL of a picture of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The URL of the user's own site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// In the user's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, with the year `0000` where it is left out, or `YYYY` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// A name of the time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// A language tag of BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// When this was last changed, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// Where mail reaches the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it was shown that `email` is the user's own.
    pub email_verified: bool,
}

impl Profile {
    /// The claims that the scope `profile` releases (OpenID Connect Core §5.4).
    pub const PROFILE_CLAIMS: [&'static str; 14] = [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ];

    /// The claims that the scope `email` releases (OpenID Connect Core §5.4).
    pub const EMAIL_CLAIMS: [&'static str; 2] = ["email", "email_verified"];

    /// The claims that `scope` releases. What is not known is left out; without an address nothing is said about it.
    #[must_use]
    pub fn claims(&self, scope: &Scope) -> Map<String, Value> {
        let Ok(Value::Object(mut claims)) = serde_json::to_value(self) else {
            unreachable!("a struct of texts and numbers is a JSON object")
        };
        let releases_profile = scope.contains("profile");
        let releases_email = scope.contains("email") && self.email.is_some();
        claims.retain(
            |name, _| {
                if Self::EMAIL_CLAIMS.contains(&name.as_str()) { releases_email } else { releases_profile }
            },
        );
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Profile {
        let text = |value: &str| Some(value.to_owned());
        Profile {
            name: text("Alice B. Example"),
            given_name: text("Alice"),
            family_name: text("Example"),
            middle_name: text("B."),
            nickname: text("Al"),
            preferred_username: text("alice"),
            profile: text("https://alice.example/me"),
            picture: text("https://alice.example/me.png"),
            website: text("https://alice.example"),
            gender: text("female"),
            birthdate: text("0000-10-31"),
            zoneinfo: text("Europe/Berlin"),
            locale: text("de-DE"),
            updated_at: Some(1_311_280_970),
            email: text("alice@example.com"),
            email_verified: true,
        }
    }

    fn names(claims: &Map<String, Value>) -> Vec<&str> {
        claims.keys().map(String::as_str).collect()
    }

    fn sorted<const N: usize>(mut names: [&'static str; N]) -> Vec<&'static str> {
        names.sort_unstable();
        names.to_vec()
    }

    #[test]
    fn openid_core_section_5_4_each_scope_releases_its_claims() {
        let profile = full();
        let claims = |scope: &str| profile.claims(&Scope::parse(scope).unwrap());
        assert_eq!(names(&claims("openid profile")), sorted(Profile::PROFILE_CLAIMS));
        assert_eq!(names(&claims("email openid")), sorted(Profile::EMAIL_CLAIMS));
        assert_eq!(claims("profile email").len(), 16);
        assert!(claims("openid offline_access Profile emails").is_empty());
        assert!(claims("").is_empty());
        assert_eq!(claims("profile")["updated_at"], 1_311_280_970);
        assert_eq!(claims("email")["email_verified"], true);
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let scope = Scope::parse("profile email").unwrap();
        assert!(Profile::default().claims(&scope).is_empty());
        let named = Profile { name: Some("A".to_owned()), ..Profile::default() };
        assert_eq!(names(&named.claims(&scope)), ["name"]);
        let unverified = Profile { email: Some("a@b.example".to_owned()), ..Profile::default() };
        assert_eq!(unverified.claims(&scope)["email_verified"], false);
    }

    #[test]
    fn a_profile_is_stored_whole_and_read_strictly() {
        for profile in [full(), Profile::default()] {
            let json = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        }
        assert_eq!(serde_json::from_str::<Profile>("{}").unwrap(), Profile::default());
        assert!(serde_json::from_str::<Profile>(r#"{"phone_number":"1"}"#).is_err());
    }
}
