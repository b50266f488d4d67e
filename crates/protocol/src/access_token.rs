use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims of an access token (RFC 9068 §2.2), whether it is a JWT or opaque.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// The user, or the client itself where no user is involved.
    pub sub: String,
    /// For whom it is: one name or several.
    pub aud: Vec<String>,
    /// The client it was issued to.
    pub client_id: String,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
    /// Its own identifier, which also finds its grant.
    pub jti: String,
    /// What it allows; absent where no scope was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When the user logged in, in seconds (RFC 9068 §2.2.1); constant for the life of the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What the program around the server says of its own accord, none of it by a name of [`Self::RESERVED_NAMES`].
    #[serde(flatten)]
    pub added: Map<String, Value>,
}

impl AccessTokenClaims {
    /// What a program may not add: what the server itself says in an access token or at introspection (RFC 7662 §2.2), and
    /// what changes whose token it is or how its user was authenticated.
    pub const RESERVED_NAMES: [&'static str; 18] = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "scope",
        "auth_time",
        "acr",
        "amr",
        "cnf",
        "act",
        "may_act",
        "active",
        "token_type",
        "username",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9068_section_2_2_claims_keep_their_names_and_types() {
        let claims = AccessTokenClaims {
            iss: "https://id.example".to_owned(),
            sub: "u".to_owned(),
            aud: vec!["https://api.example".to_owned()],
            client_id: "c".to_owned(),
            iat: 1,
            exp: 2,
            jti: "j".to_owned(),
            scope: String::new(),
            auth_time: None,
            added: Map::new(),
        };
        let json = serde_json::to_string(&claims).unwrap();
        assert_eq!(
            json,
            r#"{"iss":"https://id.example","sub":"u","aud":["https://api.example"],"client_id":"c","iat":1,"exp":2,"jti":"j"}"#
        );
        assert_eq!(serde_json::from_str::<AccessTokenClaims>(&json).unwrap(), claims);
    }

    #[test]
    fn what_a_program_adds_stands_beside_the_other_claims_and_none_of_them_may_be_added() {
        let json = r#"{"iss":"i","sub":"u","aud":[],"client_id":"c","iat":1,"exp":2,"jti":"j","scope":"s","auth_time":3,"roles":["a"]}"#;
        let claims: AccessTokenClaims = serde_json::from_str(json).unwrap();
        assert_eq!(Value::Object(claims.added.clone()), serde_json::json!({ "roles": ["a"] }));
        assert_eq!(serde_json::to_string(&claims).unwrap(), json);

        let own = serde_json::to_value(AccessTokenClaims { added: Map::new(), ..claims }).unwrap();
        for name in own.as_object().unwrap().keys() {
            assert!(AccessTokenClaims::RESERVED_NAMES.contains(&name.as_str()), "{name}");
        }
    }
}
