//! What is kept of a code.

use regrant_grant::Code;
use regrant_protocol::{CodeChallenge, Nonce, Timestamp};
use serde::{Deserialize, Serialize};

/// What is kept of a code, as it is stored.
///
/// # Panics
/// Never: the document has text keys only.
#[must_use]
pub fn to_json(code: &Code) -> String {
    serde_json::to_string(&Document::from(code)).expect("the document has text keys only")
}

/// Reads what was kept of a code. A member that is missing or not known is an error.
///
/// # Errors
/// What is wrong with it.
pub fn from_json(json: &str) -> Result<Code, serde_json::Error> {
    serde_json::from_str::<Document>(json).map(Code::from)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "Option::deserialize")]
    challenge: Option<CodeChallenge>,
    redirect_uri: [u8; 16],
    redirect_uri_was_sent: bool,
    #[serde(deserialize_with = "Option::deserialize")]
    nonce: Option<Nonce>,
    expires_at: i64,
}

impl From<&Code> for Document {
    fn from(code: &Code) -> Self {
        let Code { challenge, redirect_uri, redirect_uri_was_sent, nonce, expires_at } = code;
        Self {
            challenge: *challenge,
            redirect_uri: *redirect_uri,
            redirect_uri_was_sent: *redirect_uri_was_sent,
            nonce: nonce.clone(),
            expires_at: expires_at.milliseconds(),
        }
    }
}

impl From<Document> for Code {
    fn from(document: Document) -> Self {
        let Document { challenge, redirect_uri, redirect_uri_was_sent, nonce, expires_at } = document;
        let expires_at = Timestamp::from_milliseconds(expires_at);
        Self { challenge, redirect_uri, redirect_uri_was_sent, nonce, expires_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","redirect_uri":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,255],"redirect_uri_was_sent":true,"nonce":"n-0S6","expires_at":1790000060123}"#;

    #[test]
    fn what_is_kept_of_a_code_is_written_as_it_was_read() {
        assert_eq!(to_json(&from_json(STORED).unwrap()), STORED);
        let bare =
            STORED.replace(r#""E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM""#, "null").replace(r#""n-0S6""#, "null");
        assert_eq!(to_json(&from_json(&bare).unwrap()), bare);
    }

    #[test]
    fn a_code_with_a_member_too_few_too_many_or_wrong_is_refused() {
        for (from, to, problem) in [
            (r#""challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","#, "", "missing field `challenge`"),
            (r#","nonce":"n-0S6""#, "", "missing field `nonce`"),
            ("w-cM", "w-cN", "code_challenge is not the base64url encoding"),
            ("[0,", "[", "invalid length 15"),
            ("n-0S6", "", "nonce is 0 bytes long"),
            (r#""nonce""#, r#""colour":1,"nonce""#, "unknown field `colour`"),
        ] {
            let refusal = from_json(&STORED.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(refusal.contains(problem), "{from} -> {to}: {refusal}");
        }
    }
}
