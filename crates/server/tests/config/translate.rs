//! Files of other systems, and the configurations that are made of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::folder::Folder;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/translate").join(name)
}

fn regrant(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_regrant")).arg("config").args(arguments).output().unwrap()
}

fn translate(system: &str, file: &Path) -> Output {
    regrant(&["translate", "--from", system, "--issuer", "https://id.example", &file.display().to_string()])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

/// The system, its file, the options that are taken over, and what is told.
const FILES: &[(&str, &str, &str, &str)] = &[
    (
        "wso2",
        "identity.xml",
        "UserAccessTokenDefaultValidityPeriod = 3600\nRefreshTokenValidityPeriod = 84600\nRenewRefreshTokenForRefreshGrant = true\n",
        "identity.xml:7: AuthorizationCodeDefaultValidityPeriod: left out, as it has no counterpart: Authorization codes live for 60 seconds\n\
         identity.xml:10: RefreshTokenValidityPeriod: note: 84600 seconds are 23 hours and a half: older files have this typo for 86400, \
         one day; it is taken as it is said\n\
         identity.xml:14: TokenPersistenceProcessor: left out, as no client can notice: Tokens are not stored\n\
         identity.xml:16: EnableTokenCleanup: left out, as no client can notice: Regrant sweeps by itself\n\
         identity.xml:19: include_username_in_access_token: left out, as it has no counterpart: An access token does not hold the name \
         of its user\n\
         identity.xml: left out, as they are no options of tokens that are known: OAuth2TokenEPUrl (line 5)\n",
    ),
    (
        "wso2",
        "deployment.toml",
        "RefreshTokenValidityPeriod = 604800\nUserAccessTokenDefaultValidityPeriod = 1800\nRenewRefreshTokenForRefreshGrant = true\n\
         ExtendRenewedRefreshTokenExpiryTime = false\nmaximum_validity_period = 60\n",
        "deployment.toml:5: TimestampSkew: left out, as it has no counterpart: Nothing is added to a lifetime; make the lifetime longer \
         instead\n\
         deployment.toml:18: maximum_reuse_limit: left out, as no client can notice: A retry within `retry_window` gets the same tokens \
         again, so it need not be counted\n\
         deployment.toml: left out, as they are no options of tokens that are known: server (line 1), oauth.grant_type.password.enable \
         (line 21)\n",
    ),
    (
        "bshaffer",
        "options.php",
        "always_issue_new_refresh_token = true\nrefresh_token_lifetime = 2419200\naccess_lifetime = 1800\n",
        "options.php:7: www_realm: left out, as it has no counterpart: No realm of one's own is told in `WWW-Authenticate`\n\
         options.php:8: allow_implicit: left out, as it has no counterpart: There is no implicit grant (RFC 9700 section 2.1.2)\n\
         options.php:10: client_table: left out, as no client can notice: Regrant has tables of its own; `regrant import bshaffer` reads \
         the library's\n\
         options.php: left out, as they are no options of tokens that are known: my_own (line 11)\n",
    ),
    (
        "bshaffer",
        "options.json",
        "unset_refresh_token_after_use = false\nrefresh_token_lifetime = 1209600\nallow_public_clients = false\n",
        "",
    ),
    (
        "redcore",
        "redcore.json",
        "oauth2_access_lifetime = 7200\noauth2_always_issue_new_refresh_token = true\noauth2_unset_refresh_token_after_use = true\n\
         refresh_token_lifetime = 600\n\n[dialect]\nexpires_in = \"string\"\n",
        "redcore.json:1: enable_oauth2_server: left out, as no client can notice: Regrant serves when it runs\n\
         redcore.json:1: note: these options were saved in Joomla, which keeps numbers as texts, and since then redCORE answers expires_in \
         as a text too: \"3600\" and not 3600\n\
         redcore.json:2: refresh_token_lifetime: note: redCORE's manual has this option and redCORE does not: its refresh tokens lived \
         for 1209600 seconds whatever it said; regrant does as it says\n\
         redcore.json: left out, as they are no options of tokens that are known: enable_webservices (line 3), \
         webservices_default_page_authorization (line 3)\n",
    ),
    (
        "redcore",
        "config.xml",
        "oauth2_access_lifetime = 3600\noauth2_always_issue_new_refresh_token = false\noauth2_unset_refresh_token_after_use = true\n",
        "config.xml:4: enable_oauth2_server: left out, as no client can notice: Regrant serves when it runs\n",
    ),
];

#[test]
fn a_file_becomes_a_configuration_that_is_good_and_what_is_left_out_is_told() {
    for (system, name, options, told) in FILES {
        let output = translate(system, &fixture(name));
        let (toml, said) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{name}: {said}");
        let short = said.replace(&format!("{}/", fixture("").display()).replace("//", "/"), "");
        assert_eq!(short, *told, "{name}");
        let (_, taken) = toml.split_once(&format!("\n[{system}]\n")).unwrap();
        assert_eq!(taken, *options, "{name}");

        let folder = Folder::new();
        let file = folder.write("translated.toml", &toml);
        let checked = regrant(&["check", &file.display().to_string()]);
        let told = text(&checked.stderr);
        assert!(checked.status.success() && !told.contains("warning"), "{name}: {told}\n{toml}");
        assert!(told.contains("regrant's refresh tokens have 72"), "{told}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let folder = Folder::new();
    for (system, content, told) in [
        (
            "bshaffer",
            "<?php return array(\n'access_lifetime' => 60 * 60,\n);",
            ":2: the value of 'access_lifetime' goes on; write one text",
        ),
        ("bshaffer", "[\n'access_lifetime' => getenv('X'),\n]", ":2: the value of 'access_lifetime' is not a text"),
        ("bshaffer", "[\n'issuer' => \"https://$host\",\n]", ":2: this text holds a variable, and nothing is run"),
        ("bshaffer", "[\n'issuer' => 'https://\n\n", ":2: the text that begins here is not closed"),
        ("bshaffer", "[\n/* 'a' => 1\n", ":2: the comment that begins here is not closed"),
        (
            "bshaffer",
            "array(\n'access_lifetime' => 1\n'id_lifetime' => 1)",
            ":3: the value of 'access_lifetime' goes on",
        ),
        ("bshaffer", "[\n3600,\n]", ":2: here should be the name of an option in quotes"),
        ("bshaffer", "[\n'access_lifetime', 3600\n]", ":2: here should be => behind 'access_lifetime'"),
        ("bshaffer", "\n$server = new OAuth2\\Server($storage);", ":2: this is not an array; give the options alone"),
        ("bshaffer", "return ['access_lifetime' => 60];\nsystem('ls');", ":2: something follows the array"),
        ("bshaffer", "['access_lifetime' => 0777]", ":1: the value of 'access_lifetime' is not a text"),
        (
            "bshaffer",
            "['access_lifetime' => 60,\n'access_lifetime' => 70]",
            ":2: access_lifetime is said in line 1 already; keep one",
        ),
        (
            "bshaffer",
            "['use_jwt_access_tokens' => 'yes']",
            ":1: the value of use_jwt_access_tokens cannot be read; write true or false",
        ),
        (
            "bshaffer",
            "['access_lifetime' => 0]",
            ":1: access_lifetime: with that every token is dead when it is issued",
        ),
        ("bshaffer", "{\n\"access_lifetime\": }", ":2: this is not the options as one JSON object"),
        ("bshaffer", "{\n\"access_lifetime\": [60]}", ":2: the value of access_lifetime cannot be read"),
        ("wso2", "<Server>\n<OAuth>\n</Server>", ":3: this is not XML"),
        ("wso2", "<Server/>", ":1: there is no element <OAuth>"),
        ("wso2", "<?xml version=\"1.0\"?>\n<!-- nothing -->", ":1: there is no element in this file"),
        ("wso2", "<A>1</A>\n<B>2</B>", ":2: this element stands behind the root element"),
        ("wso2", "<S>\n<OAuth/>\n<OAuth/></S>", ":3: there is an element <OAuth> in line 2 already; keep one"),
        ("wso2", " \n", ":1: the file is empty"),
        (
            "wso2",
            "{\"oauth2_access_lifetime\":\"3600\"}",
            ":1: these look like the options of redcore, not of wso2; say --from redcore",
        ),
        (
            "bshaffer",
            "{\"oauth2_access_lifetime\":\"3600\"}",
            ":1: these look like the options of redcore, not of bshaffer",
        ),
        ("redcore", "['access_lifetime' => 60]", ":1: these look like the options of bshaffer, not of redcore"),
        ("redcore", "<S><OAuth/></S>", ":1: no <field> is an option"),
        (
            "bshaffer",
            "[oauth.token_validation]\nrefresh_token_validity = 1",
            ":1: these look like the options of wso2, not of bshaffer",
        ),
        (
            "bshaffer",
            "['jwt_extra_payload_callable' => function () { return [1, 2]; }]",
            ":1: 'jwt_extra_payload_callable' is a function",
        ),
        (
            "wso2",
            "<OAuth>\n<RefreshTokenValidityPeriod>soon</RefreshTokenValidityPeriod></OAuth>",
            ":2: the value of RefreshTokenValidityPeriod",
        ),
        ("wso2", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>\n<OAuth>&b;</OAuth>", ":1: this is not XML"),
        ("wso2", "[oauth]\nx = \n", ":2: this is not TOML"),
        (
            "wso2",
            "[oauth.token_validation]\nrefresh_token_validity = \"1w\"",
            ":2: the value of oauth.token_validation.refresh_token_validity",
        ),
        (
            "wso2",
            "[oauth.token_validation]\nrefresh_token_validity = 1.5",
            ":2: the value of oauth.token_validation.refresh_token_validity",
        ),
        (
            "redcore",
            "<config>\n<field name=\"x\" default=\"1\"/></config>",
            ":1: no <field> is an option of redCORE's OAuth2 server",
        ),
        ("redcore", "[]", ":1: this is not the options as one JSON object"),
    ] {
        let file = folder.write("options", content);
        let output = translate(system, &file);
        let said = text(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{content}");
        assert!(said.contains(&format!("options{told}")), "{content}: {said}");
    }
    fs::write(folder.path().join("latin"), b"['issuer' => '\n\xe9']").unwrap();
    let said = text(&translate("bshaffer", &folder.path().join("latin")).stderr);
    assert!(said.contains("latin:2: this line is not UTF-8"), "{said}");
    let said = text(&translate("bshaffer", &folder.path().join("nowhere")).stderr);
    assert!(said.contains("nowhere: the file cannot be read: there is no such file"), "{said}");
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told_at_once() {
    let folder = Folder::new();
    let content = "[\n'access_lifetime' => 0,\n'id_lifetime' => 60 * 60,\n'enforce_pkce' => 'maybe',\n]";
    let said = text(&translate("bshaffer", &folder.write("options", content)).stderr);
    for line in [
        "options:2: access_lifetime: with that",
        "options:3: the value of 'id_lifetime' goes on",
        "options:4: the value of enforce",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_told_with_what_was_probably_meant() {
    let folder = Folder::new();
    for (system, content, told) in [
        (
            "bshaffer",
            "['acess_lifetime' => 60]",
            ":1: acess_lifetime: left out, as bshaffer has no such option; did you mean access_lifetime?",
        ),
        (
            "bshaffer",
            "['access_lifetime' => 60, 'enable_oauth2_server' => 1]",
            ":1: enable_oauth2_server: left out, as bshaffer has no such option; redcore has one: is --from right?",
        ),
        (
            "wso2",
            "[oauth.token_validation]\nrefresh_token_validty = 60",
            ":2: oauth.token_validation.refresh_token_validty: left out, as wso2 has no such option; did you mean refresh_token_validity?",
        ),
        ("wso2", "<OAuth><TimestampScew>1</TimestampScew></OAuth>", "did you mean TimestampSkew?"),
    ] {
        let output = translate(system, &folder.write("options", content));
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains(told), "{content}: {said}");
    }
}

#[test]
fn a_system_without_a_file_is_told_what_to_write() {
    let folder = Folder::new();
    for (system, told) in [("dotauth", "[dotauth]\ntoken_lifetime = \"00:30:00\""), ("jiko", "are not published")] {
        let output = translate(system, &folder.write("options", "{}"));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{said}");
        assert!(said.contains(&format!("stand_in = \"{system}\"")), "{said}");
    }
}
