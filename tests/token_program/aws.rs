use serde::Deserialize;

use crate::desk::Desk;
use crate::stand_in::{StandIn, answer};

const KEYS: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
    <SecretAccessKey>secret/key</SecretAccessKey><SessionToken>session+token==</SessionToken>\
    <Expiration>2027-01-15T08:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
    </AssumeRoleWithWebIdentityResponse>";

/// What AWS programs read, and not one member more.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ProcessCredential {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[test]
fn an_access_token_is_exchanged_for_the_keys_of_a_role() {
    let desk = Desk::logged_in();
    let token = desk.token(&[]);
    let sts = StandIn::once(answer("200 OK", KEYS));
    let role = "arn:aws:iam::123456789012:role/reports";
    let told = desk.told(&["aws", "--role-arn", role, "--duration", "900", "--sts", &sts.url]);
    let expected = ProcessCredential {
        version: 1,
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "secret/key".to_owned(),
        session_token: "session+token==".to_owned(),
        expiration: "2027-01-15T08:00:00Z".to_owned(),
    };
    assert_eq!(serde_json::from_str::<ProcessCredential>(&told).unwrap(), expected);

    let heard = sts.heard();
    let (head, form) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1\r\n") && !head.contains(&token), "{head}");
    let form: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let expected = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", "regrant-token"),
        ("DurationSeconds", "900"),
        ("WebIdentityToken", &token),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_role_that_is_refused_is_told() {
    let desk = Desk::logged_in();
    let body =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>";
    let sts = StandIn::once(answer("403 Forbidden", body));
    let ended = desk.run(&["aws", "--role-arn", "arn:x", "--sts", &sts.url]);
    assert!(ended.code == 1 && ended.stderr.contains("AccessDenied (Not authorized)"), "{ended:?}");
    sts.heard();
    let insecure = desk.run(&["aws", "--role-arn", "arn:x", "--sts", "http://sts.example"]);
    assert!(insecure.code == 1 && insecure.stderr.contains("--sts"), "{insecure:?}");
}
