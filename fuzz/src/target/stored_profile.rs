use regrant_protocol::{Profile, Scope};

/// A stored profile is written as it was read, and releases no more than its scope allows.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(profile) = serde_json::from_str::<Profile>(text) else { return };
    let written = serde_json::to_string(&profile).expect("a profile is texts and numbers");
    assert_eq!(serde_json::from_str::<Profile>(&written).ok().as_ref(), Some(&profile), "it is read back");

    let released = |scope: &str| profile.claims(&Scope::parse(scope).expect("a scope"));
    assert!(released("openid address phone").is_empty(), "nothing is told that nobody asked for");
    assert!(released("profile").keys().all(|name| Profile::PROFILE_CLAIMS.contains(&name.as_str())));
    let email = released("email");
    assert!(email.keys().all(|name| Profile::EMAIL_CLAIMS.contains(&name.as_str())));
    assert_eq!(email.len(), if profile.email.is_some() { 2 } else { 0 }, "nothing is said of no address");
    assert_eq!(released("profile email").len(), released("profile").len() + email.len());
}
