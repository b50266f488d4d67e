use crate::settings::System;

/// The system whose file this is, by words that only its files have.
pub(super) fn owner(text: &str) -> Option<System> {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let quoted = |name: &str| holds(&[&format!("\"{name}\""), &format!("'{name}'")]);
    let has_option = |system: System, prefix: &str| {
        system.options().iter().any(|option| option.name.starts_with(prefix) && quoted(option.name))
    };
    if holds(&["<OAuth>", "<OAuth ", "[oauth"]) {
        Some(System::Wso2)
    } else if holds(&["<field "]) || has_option(System::Redcore, "oauth2_") {
        Some(System::Redcore)
    } else if has_option(System::Bshaffer, "") {
        Some(System::Bshaffer)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_words() {
        for (text, expected) in [
            (
                "<Server><OAuth><RefreshTokenValidityPeriod>1</RefreshTokenValidityPeriod></OAuth></Server>",
                Some(System::Wso2),
            ),
            ("[oauth.token_validation]\nrefresh_token_validity = \"1d\"", Some(System::Wso2)),
            ("{\"oauth2_access_lifetime\":\"3600\"}", Some(System::Redcore)),
            ("<config><field name=\"oauth2_access_lifetime\" default=\"3600\"/></config>", Some(System::Redcore)),
            ("['always_issue_new_refresh_token' => true]", Some(System::Bshaffer)),
            ("{\"access_lifetime\": 60}", Some(System::Bshaffer)),
            ("{\"name\": \"x\"}", None),
            ("", None),
        ] {
            assert_eq!(owner(text), expected, "{text}");
        }
    }
}
