mod names;
mod options;

use crate::settings::settler::{Never, Settler};

pub use names::{DEPLOYMENT_KEYS, ELEMENTS};
pub(super) use options::OPTIONS;

/// What the options mean, and what WSO2 does without them.
pub(super) fn settle(settler: &mut Settler<'_>) {
    let renews = settler.switch(RENEW);
    settler.client("rotation", if renews { "rotate" } else { "reuse" }, settler.given(RENEW));
    access_lifetime(settler);
    refresh_lifetime(settler, renews);
    settler.client("scope_narrowing", "grant", None);
    settler.client("old_access_tokens", "end", None);
    settler.client("require_pkce", false, None);
    let is_jwt = settler.text(TOKEN_GENERATOR).is_some_and(|class| class.contains("JWTTokenIssuer"));
    settler.client("access_token_format", if is_jwt { "jwt_rs256" } else { "opaque" }, settler.given(TOKEN_GENERATOR));
    // What an application says itself, before what it may say at most.
    if let Some(grace) = settler.given(GRACE).or(settler.given(GRACE_MAX))
        && let Some(seconds) = settler.lifetime(grace, Never::NotThere)
    {
        settler.client("retry_window", seconds, Some(grace));
    }
    if settler.given(GRACE).is_some() {
        settler.note(
            GRACE_MAX,
            "gracefulRefreshTokenRotationValidityPeriod is said too and wins: it is what an application has, and this what it may have at \
             most",
        );
    }
}

fn access_lifetime(settler: &mut Settler<'_>) {
    let from = settler.given(USER_VALIDITY);
    if let Some(seconds) = settler.lifetime(USER_VALIDITY, Never::Negative) {
        settler.client("access_lifetime", seconds, from);
    }
    if settler.number(APP_VALIDITY) != settler.number(USER_VALIDITY) {
        settler.loss(
            APP_VALIDITY,
            "the access tokens that applications get for themselves live as long as those of users; say access_lifetime at the \
             clients that have client_credentials",
        );
    }
}

fn refresh_lifetime(settler: &mut Settler<'_>, renews: bool) {
    let Some(seconds) = settler.lifetime(REFRESH_VALIDITY, Never::Negative) else { return };
    let from = settler.given(REFRESH_VALIDITY);
    settler.client("idle_lifetime", seconds, from);
    let extends = renews && settler.switch(EXTEND);
    let says = if renews { settler.given(EXTEND) } else { settler.given(RENEW) };
    settler.client("absolute_lifetime", if extends { 0 } else { seconds }, says.or(from.filter(|_| !extends)));
    if seconds == MISSPELT_DAY {
        settler.note(
            REFRESH_VALIDITY,
            "84600 seconds are 23 hours and a half: older files have this typo for 86400, one day; it is taken as it is said",
        );
    }
}

/// What older files and tables have for a day.
const MISSPELT_DAY: u32 = 84_600;

pub(super) const REFRESH_VALIDITY: &str = "RefreshTokenValidityPeriod";
pub(super) const USER_VALIDITY: &str = "UserAccessTokenDefaultValidityPeriod";
pub(super) const APP_VALIDITY: &str = "AccessTokenDefaultValidityPeriod";
pub(super) const RENEW: &str = "RenewRefreshTokenForRefreshGrant";
pub(super) const EXTEND: &str = "ExtendRenewedRefreshTokenExpiryTime";
pub(super) const TOKEN_GENERATOR: &str = "IdentityOAuthTokenGenerator";
pub(super) const GRACE_MAX: &str = "maximum_validity_period";
pub(super) const GRACE: &str = "gracefulRefreshTokenRotationValidityPeriod";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::settler::checks::{clients, losses, refused};
    use crate::settings::{OptionValue, System};

    fn seconds(name: &'static str, seconds: i64) -> (&'static str, OptionValue) {
        (name, OptionValue::Number(seconds))
    }

    #[test]
    fn by_itself_it_rotates_for_a_day_ends_the_old_access_token_and_keeps_a_narrowed_scope() {
        assert_eq!(
            clients(System::Wso2, &[]),
            [
                "rotation = rotate",
                "access_lifetime = 3600",
                "idle_lifetime = 86400",
                "absolute_lifetime = 0",
                "scope_narrowing = grant",
                "old_access_tokens = end",
                "require_pkce = false",
                "access_token_format = opaque",
            ]
        );
    }

    #[test]
    fn every_option_that_has_a_counterpart_is_that() {
        let switch = |name: &'static str, is_on| (name, OptionValue::Switch(is_on));
        let class =
            |name: &str| (TOKEN_GENERATOR, OptionValue::Text(format!("org.wso2.carbon.identity.oauth2.token.{name}")));
        for (given, expected) in [
            (vec![seconds(REFRESH_VALIDITY, 600)], "idle_lifetime = 600 from RefreshTokenValidityPeriod"),
            (vec![seconds(REFRESH_VALIDITY, 600)], "absolute_lifetime = 0"),
            (vec![seconds(REFRESH_VALIDITY, -1)], "idle_lifetime = 0 from RefreshTokenValidityPeriod"),
            (vec![seconds(USER_VALIDITY, 600)], "access_lifetime = 600 from UserAccessTokenDefaultValidityPeriod"),
            (vec![seconds(USER_VALIDITY, -1)], "access_lifetime = 0 from UserAccessTokenDefaultValidityPeriod"),
            (vec![switch(RENEW, true)], "rotation = rotate from RenewRefreshTokenForRefreshGrant"),
            (vec![switch(RENEW, false)], "rotation = reuse from RenewRefreshTokenForRefreshGrant"),
            (vec![switch(RENEW, false)], "absolute_lifetime = 86400 from RenewRefreshTokenForRefreshGrant"),
            (vec![switch(EXTEND, false)], "absolute_lifetime = 86400 from ExtendRenewedRefreshTokenExpiryTime"),
            (vec![switch(EXTEND, true)], "absolute_lifetime = 0 from ExtendRenewedRefreshTokenExpiryTime"),
            (
                vec![switch(EXTEND, false), seconds(REFRESH_VALIDITY, 600)],
                "absolute_lifetime = 600 from ExtendRenewedRefreshTokenExpiryTime",
            ),
            (vec![class("JWTTokenIssuer")], "access_token_format = jwt_rs256 from IdentityOAuthTokenGenerator"),
            (vec![class("OauthTokenIssuerImpl")], "access_token_format = opaque from IdentityOAuthTokenGenerator"),
            (vec![seconds(GRACE_MAX, 60)], "retry_window = 60 from maximum_validity_period"),
            (
                vec![seconds(GRACE_MAX, 60), seconds(GRACE, 30)],
                "retry_window = 30 from gracefulRefreshTokenRotationValidityPeriod",
            ),
        ] {
            let lines = clients(System::Wso2, &given);
            assert!(lines.iter().any(|line| line == expected), "{given:?}: {lines:?}");
        }
    }

    #[test]
    fn the_misspelt_day_is_taken_as_it_is_said_and_remarked() {
        let given = [seconds(REFRESH_VALIDITY, 84_600)];
        assert!(clients(System::Wso2, &given).iter().any(|line| line.starts_with("idle_lifetime = 84600 ")));
        let remarks = System::Wso2.settings(&given).remarks;
        assert!(matches!(&remarks[..], [remark] if remark.text.contains("86400") && !remark.is_loss), "{remarks:?}");
    }

    #[test]
    fn of_two_periods_of_grace_the_one_that_loses_is_remarked() {
        let told = |given: &[_]| {
            System::Wso2.settings(given).remarks.into_iter().map(|remark| remark.option).collect::<Vec<_>>()
        };
        assert_eq!(told(&[seconds(GRACE_MAX, 60), seconds(GRACE, 30)]), [GRACE_MAX]);
        assert!(told(&[seconds(GRACE_MAX, 60)]).is_empty() && told(&[seconds(GRACE, 30)]).is_empty());
    }

    #[test]
    fn what_regrant_does_otherwise_is_told() {
        for (given, lost) in [
            (vec![seconds(APP_VALIDITY, 600)], vec![APP_VALIDITY]),
            (vec![seconds(APP_VALIDITY, 600), seconds(USER_VALIDITY, 600)], vec![]),
            (vec![seconds("TimestampSkew", 300)], vec!["TimestampSkew"]),
            (
                vec![seconds("AuthorizationCodeDefaultValidityPeriod", 300)],
                vec!["AuthorizationCodeDefaultValidityPeriod"],
            ),
            (vec![("RenewTokenPerRequest", false.into())], vec!["RenewTokenPerRequest"]),
            (vec![("HashAlgorithm", "SHA-512".into())], vec![]),
        ] {
            assert_eq!(losses(System::Wso2, &given), lost, "{given:?}");
        }
        assert_eq!(refused(System::Wso2, &[seconds(REFRESH_VALIDITY, 0)]), [REFRESH_VALIDITY]);
    }

    #[test]
    fn every_element_and_every_key_of_its_files_is_an_option() {
        for (path, name) in ELEMENTS.iter().chain(DEPLOYMENT_KEYS) {
            assert!(OPTIONS.iter().any(|option| option.name == *name), "{path}");
        }
        for (path, name) in DEPLOYMENT_KEYS {
            let last = path.rsplit('.').next().unwrap();
            let found = System::Wso2.option(last).map(|option| option.name);
            assert!(found == Some(*name) || last == "enable", "{path}: {found:?}");
        }
    }
}
