use regrant_engine::{RegistrationError, check_profile};
use regrant_protocol::Profile;
use serde_json::{Map, Value};

/// The profile without the claims that people cannot be shown, and their names.
pub(super) fn shown_profile(profile: &Profile) -> (Profile, Vec<String>) {
    let mut profile = profile.clone();
    let mut dropped = Vec::new();
    while let Err(RegistrationError::ProfileClaim(claim, _)) = check_profile(&profile) {
        profile = without(&profile, &claim);
        dropped.push(claim);
    }
    (profile, dropped)
}

fn without(profile: &Profile, claim: &str) -> Profile {
    let claims: Map<String, Value> = match serde_json::to_value(profile) {
        Ok(Value::Object(claims)) => claims.into_iter().filter(|(name, _)| name != claim).collect(),
        _ => unreachable!("a profile is texts and numbers"),
    };
    serde_json::from_value(Value::Object(claims)).expect("it was a profile with one claim more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_cannot_be_shown_is_left_away() {
        let text = |text: &str| Some(text.to_owned());
        let profile = Profile {
            name: text("two\nlines"),
            nickname: text("\u{202e}x"),
            email: text("a@b.example"),
            ..Profile::default()
        };
        let (shown, dropped) = shown_profile(&profile);
        assert_eq!(shown, Profile { email: text("a@b.example"), ..Profile::default() });
        assert_eq!(dropped.len(), 2, "{dropped:?}");
        assert_eq!(shown_profile(&shown), (shown, Vec::new()));
    }
}
