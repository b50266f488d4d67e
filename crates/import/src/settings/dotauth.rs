use crate::settings::option::{Counterpart, OptionKind, OptionPreset, SystemOption};
use crate::settings::settler::{Never, Settler};
use crate::settings::time_text::TimeSpelling;

/// The option of its clients, and those of its server.
pub(super) const OPTIONS: [SystemOption; 7] = [
    time(TOKEN_LIFETIME, 30 * 60, Counterpart::Settings, "`access_lifetime`.").also(&["TokenLifetime"]),
    time(
        "AuthorizationCodeValidityPeriod",
        30 * 60,
        Counterpart::Fixed(OptionPreset::Number(60)),
        "Authorization codes live for 60 seconds.",
    ),
    time("RptLifeTime", 30 * 60, Counterpart::None, "Regrant does not speak UMA."),
    time("TicketLifeTime", 30 * 60, Counterpart::None, "Regrant does not speak UMA."),
    time("DevicePollingInterval", 5, Counterpart::None, "Regrant has no device flow."),
    time("DeviceAuthorizationLifetime", 30 * 60, Counterpart::None, "Regrant has no device flow."),
    SystemOption::new(
        "Salt",
        OptionKind::Secret,
        OptionPreset::Absent,
        Counterpart::None,
        "It belongs to the passwords that DotAuth has; `regrant import dotauth` takes it.",
    ),
];

/// What the options mean, and what DotAuth does without them. Its refresh tokens never end, so it has no lifetime to take
/// over, and regrant's own holds: whatever lives for ever is stolen one day (RFC 9700 section 4.14.2).
pub(super) fn settle(settler: &mut Settler<'_>) {
    settler.client("rotation", "rotate", None);
    if let Some(seconds) = settler.lifetime(TOKEN_LIFETIME, Never::NotThere) {
        settler.client("access_lifetime", seconds, settler.given(TOKEN_LIFETIME));
    }
    settler.client("access_token_format", "jwt_rs256", None);
    settler.client("old_access_tokens", "end", None);
    settler.client("refresh_token_scope", "offline", None);
    settler.client("id_token_on_refresh", true, None);
    settler.client("require_pkce", false, None);
}

const TOKEN_LIFETIME: &str = "token_lifetime";

const fn time(name: &'static str, preset: i64, counterpart: Counterpart, doc: &'static str) -> SystemOption {
    let kind = OptionKind::Time(TimeSpelling::TimeSpan);
    SystemOption::new(name, kind, OptionPreset::Number(preset), counterpart, doc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::settler::checks::{clients, losses, refused};
    use crate::settings::{OptionValue, System};

    #[test]
    fn it_rotates_and_ends_the_old_access_token_and_has_no_refresh_lifetime_to_take_over() {
        assert_eq!(
            clients(System::DotAuth, &[]),
            [
                "rotation = rotate",
                "access_lifetime = 1800",
                "access_token_format = jwt_rs256",
                "old_access_tokens = end",
                "refresh_token_scope = offline",
                "id_token_on_refresh = true",
                "require_pkce = false",
            ]
        );
    }

    #[test]
    fn the_token_lifetime_is_that_of_access_tokens() {
        let given = |seconds| [(TOKEN_LIFETIME, OptionValue::Number(seconds))];
        assert_eq!(clients(System::DotAuth, &given(60))[1], "access_lifetime = 60 from token_lifetime");
        assert_eq!(refused(System::DotAuth, &given(0)), ["token_lifetime"]);
    }

    #[test]
    fn uma_devices_and_the_salt_are_told_as_lost() {
        for name in ["RptLifeTime", "TicketLifeTime", "DevicePollingInterval", "DeviceAuthorizationLifetime"] {
            assert_eq!(losses(System::DotAuth, &[(name, OptionValue::Number(5))]), [name]);
        }
        assert_eq!(losses(System::DotAuth, &[("Salt", "".into())]), ["Salt"]);
    }
}
