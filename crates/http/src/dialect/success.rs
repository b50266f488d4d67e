use axum::http::StatusCode;
use axum::response::Response;
use regrant_protocol::{Secret, Timestamp, TokenResponse};

use super::Dialect;
use super::choice::ChoiceValue;
use super::json::JsonObject;
use super::members::Member;
use super::render::answer;
use super::values::{ErrorCaching, ExpiresIn, KeptRefreshToken, NeverExpires, ScopeMember, TokenType};

impl Dialect {
    /// An answer with tokens, made at `now`, to a request that presented the refresh token `presented`.
    pub(crate) fn given(&self, mut given: TokenResponse, presented: Option<&str>, now: Timestamp) -> Response {
        let is_kept = presented.is_some_and(|presented| given.refresh_token == Some(Secret::new(presented.to_owned())));
        if is_kept && self.kept_refresh_token == KeptRefreshToken::LeftOut {
            (given.refresh_token, given.refresh_token_expires_in) = (None, None);
        }
        let mut members = JsonObject::new(self.json);
        for member in &self.success_members.0 {
            self.add(*member, &given, now, &mut members);
        }
        let mut response = answer(StatusCode::OK, members.into_bytes());
        self.forbid_caches(&mut response, ErrorCaching::Both);
        response
    }

    fn add(&self, member: Member, given: &TokenResponse, now: Timestamp, members: &mut JsonObject) {
        let name = &*member.name();
        match member {
            Member::AccessToken => members.text(name, given.access_token.expose()),
            Member::TokenType => match self.token_type {
                TokenType::Bearer => members.text(name, "Bearer"),
                TokenType::LowerCase => members.text(name, "bearer"),
                TokenType::Absent => {}
            },
            Member::ExpiresIn => self.add_expires_in(name, given.expires_in, members),
            Member::Scope => match (self.scope, given.scope.is_empty()) {
                (ScopeMember::Text | ScopeMember::Null, false) => members.text(name, given.scope.as_str()),
                (ScopeMember::Null, true) => members.literal(name, "null"),
                (ScopeMember::Text, true) | (ScopeMember::Absent, _) => {}
            },
            Member::RefreshToken => add_secret(name, given.refresh_token.as_ref(), members),
            Member::RefreshTokenExpiresIn => {
                if let Some(seconds) = given.refresh_token_expires_in {
                    members.literal(name, &seconds.to_string());
                }
            }
            Member::IdToken => add_secret(name, given.id_token.as_ref(), members),
            // The original says when the token ends only where it does.
            Member::ExpireTimeFormatted => {
                if let Some(seconds) = given.expires_in {
                    members.text(name, &self.time_zone.write(now.plus_seconds(i64::from(seconds))));
                }
            }
            Member::Created => members.text(name, &self.time_zone.write(now)),
        }
    }

    fn add_expires_in(&self, name: &str, seconds: Option<u32>, members: &mut JsonObject) {
        let number = match (seconds, self.never_expires) {
            (Some(seconds), _) => seconds.to_string(),
            (None, NeverExpires::LongMax) => i64::MAX.to_string(),
            (None, NeverExpires::Null) if self.expires_in != ExpiresIn::Absent => return members.literal(name, "null"),
            (None, NeverExpires::Null | NeverExpires::Absent) => return,
        };
        match self.expires_in {
            ExpiresIn::Number => members.literal(name, &number),
            ExpiresIn::Text => members.text(name, &number),
            ExpiresIn::Absent => {}
        }
    }
}

fn add_secret(name: &str, secret: Option<&Secret>, members: &mut JsonObject) {
    if let Some(secret) = secret {
        members.text(name, secret.expose());
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use regrant_protocol::Scope;

    use super::super::values::JsonStyle;
    use super::*;

    async fn body_of(response: Response) -> String {
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn given() -> TokenResponse {
        TokenResponse {
            access_token: Secret::new("a/t".to_owned()),
            expires_in: Some(60),
            scope: Scope::parse("x/y").unwrap(),
            refresh_token: Some(Secret::new("rt".to_owned())),
            refresh_token_expires_in: Some(90),
            id_token: Some(Secret::new("it".to_owned())),
        }
    }

    #[tokio::test]
    async fn our_own_dialect_writes_an_answer_as_the_answer_writes_itself() {
        let empty = TokenResponse {
            expires_in: None,
            scope: Scope::empty(),
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
            ..given()
        };
        for given in [given(), empty] {
            let written = given.to_json();
            let response = Dialect::standard().given(given, None, Timestamp::from_seconds(0));
            assert_eq!(body_of(response).await.as_bytes(), written);
        }
    }

    #[tokio::test]
    async fn every_choice_of_how_a_member_is_told_is_followed() {
        let never = || TokenResponse { expires_in: None, scope: Scope::empty(), ..given() };
        for (choices, given, expected) in [
            (&[("json", "php")][..], given(), r#"{"access_token":"a\/t","expires_in":60,"scope":"x\/y"}"#),
            (&[("expires_in", "string")], given(), r#"{"access_token":"a/t","expires_in":"60","scope":"x/y"}"#),
            (&[("expires_in", "absent"), ("scope", "absent")], given(), r#"{"access_token":"a/t"}"#),
            (&[], never(), r#"{"access_token":"a/t"}"#),
            (
                &[("never_expires", "null"), ("scope", "null")],
                never(),
                r#"{"access_token":"a/t","expires_in":null,"scope":null}"#,
            ),
            (&[("never_expires", "null"), ("expires_in", "absent")], never(), r#"{"access_token":"a/t"}"#),
            (
                &[("never_expires", "9223372036854775807")],
                never(),
                r#"{"access_token":"a/t","expires_in":9223372036854775807}"#,
            ),
            (
                &[("success_members", "scope,access_token,token_type"), ("token_type", "bearer")],
                given(),
                r#"{"scope":"x/y","access_token":"a/t","token_type":"bearer"}"#,
            ),
            (
                &[("success_members", "access_token,expireTimeFormatted,created")],
                given(),
                r#"{"access_token":"a/t","expireTimeFormatted":"1970-01-01 00:01:00","created":"1970-01-01 00:00:00"}"#,
            ),
            (&[("success_members", "access_token,expireTimeFormatted")], never(), r#"{"access_token":"a/t"}"#),
        ] {
            let mut dialect = Dialect::standard();
            dialect.set("success_members", "access_token,expires_in,scope").unwrap();
            for (key, value) in choices {
                dialect.set(key, value).unwrap();
            }
            let response = dialect.given(given, None, Timestamp::from_milliseconds(999));
            assert_eq!(body_of(response).await, expected, "{choices:?}");
        }
        assert_eq!(Dialect::bshaffer().json, JsonStyle::Php);
    }

    #[tokio::test]
    async fn a_refresh_token_that_stays_the_same_is_left_out_where_the_original_leaves_it_out() {
        let mut dialect = Dialect::standard();
        dialect.set("success_members", "access_token,refresh_token,refresh_token_expires_in").unwrap();
        let (left_out, sent) = (
            r#"{"access_token":"a/t"}"#,
            r#"{"access_token":"a/t","refresh_token":"rt","refresh_token_expires_in":90}"#,
        );
        for (choice, presented, expected) in [
            ("left-out", Some("rt"), left_out),
            ("left-out", Some("rs"), sent),
            ("left-out", None, sent),
            ("sent", Some("rt"), sent),
        ] {
            dialect.set("kept_refresh_token", choice).unwrap();
            let response = dialect.given(given(), presented, Timestamp::from_seconds(0));
            assert_eq!(body_of(response).await, expected, "{choice} {presented:?}");
        }
    }
}
