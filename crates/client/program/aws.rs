//! `credential_process` of the AWS programs: an access token in exchange for the keys of a role (AssumeRoleWithWebIdentity).

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use form_urlencoded::Serializer;
use http::{Method, Request, header};
use regrant_client::{IssuerIdentifier, RequestBody, ReqwestTransport, Transport as _};
use roxmltree::{Document, Node};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::common_options::CommonOptions;
use crate::output::write_json;
use crate::session::Session;

/// What `aws` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AwsOptions {
    /// The role whose keys are asked for. Its trust policy has to name the issuer.
    #[arg(long, value_name = "ARN")]
    role_arn: String,
    /// What the session of the role is called in the logs of AWS.
    #[arg(long, value_name = "NAME", default_value = "regrant-token")]
    role_session_name: String,
    /// How long the keys shall live, in seconds; without it as long as the role says.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u32>,
    /// The security token service: that of your region, or of a server that speaks the same protocol.
    #[arg(long, value_name = "URL", default_value = "https://sts.amazonaws.com")]
    sts: String,
}

const EXAMPLES: &str = "\
Examples, in ~/.aws/config:
  [profile reports]
  credential_process = regrant-token aws --name work --role-arn arn:aws:iam::123456789012:role/reports";

/// The answer of a `credential_process`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessCredential<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: &'a str,
}

/// Answers an AWS program.
///
/// # Errors
/// When there is no token, or no keys are given for it.
pub(crate) async fn aws(common: &CommonOptions, options: AwsOptions) -> Result<()> {
    // A token is a secret, and goes where an issuer could be: over TLS, or nowhere else than here.
    let sts = IssuerIdentifier::parse(&options.sts).context("--sts")?;
    let granted = Session::open(common)?.bearer_token().await?;
    let request = request(&sts, &options, granted.token.expose())?;
    let answer = ReqwestTransport::new()?.send(request).await.with_context(|| sts.to_string())?;
    let body = Zeroizing::new(answer.into_body());
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let document = Document::parse(text).with_context(|| format!("{sts} did not answer in XML"))?;
    write_json(&read(&document).with_context(|| sts.to_string())?)
}

fn request(sts: &IssuerIdentifier, options: &AwsOptions, token: &str) -> Result<Request<RequestBody>> {
    let duration = options.duration.map(|seconds| seconds.to_string());
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", "AssumeRoleWithWebIdentity").append_pair("Version", "2011-06-15");
    form.append_pair("RoleArn", &options.role_arn).append_pair("RoleSessionName", &options.role_session_name);
    form.extend_pairs(duration.iter().map(|seconds| ("DurationSeconds", seconds)));
    let body = form.append_pair("WebIdentityToken", token).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/", sts.as_str().trim_end_matches('/')))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/xml");
    Ok(request.body(RequestBody::new(body.into_bytes()))?)
}

fn read<'a>(document: &'a Document<'_>) -> Result<ProcessCredential<'a>> {
    let root = document.root_element();
    if let Some(error) = find(root, "Error") {
        bail!("it refused: {} ({})", printable(error, "Code"), printable(error, "Message"));
    }
    let keys = find(root, "Credentials").context("there are no credentials in its answer")?;
    let required = |name: &str| {
        let text = find(keys, name).and_then(|node| node.text()).unwrap_or_default();
        ensure!(!text.is_empty(), "there is no {name} in its answer");
        Ok(text)
    };
    Ok(ProcessCredential {
        version: 1,
        access_key_id: required("AccessKeyId")?,
        secret_access_key: required("SecretAccessKey")?,
        session_token: required("SessionToken")?,
        expiration: required("Expiration")?,
    })
}

fn find<'a, 'input>(within: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    within.descendants().find(|node| node.tag_name().name() == name)
}

/// What a server wrote, made fit for a terminal.
fn printable(error: Node<'_, '_>, name: &str) -> String {
    let text = find(error, name).and_then(|node| node.text()).unwrap_or_default();
    text.chars().take(ERROR_CHARACTERS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The longest error that is shown, in characters.
const ERROR_CHARACTERS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_an_answer_are_read() {
        let answer = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>tok</SessionToken><SecretAccessKey>sec</SecretAccessKey>\
            <Expiration>2027-01-15T08:00:00Z</Expiration><AccessKeyId>ASIA</AccessKeyId></Credentials>\
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        let json = serde_json::to_value(read(&Document::parse(answer).unwrap()).unwrap()).unwrap();
        let expected = serde_json::json!({"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "sec", "SessionToken": "tok",
            "Expiration": "2027-01-15T08:00:00Z"});
        assert_eq!(json, expected);
    }

    #[test]
    fn a_refusal_and_what_is_no_answer_are_told() {
        let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not\u{85}authorized</Message></Error></ErrorResponse>";
        for (answer, expected) in [
            (refused, "it refused: AccessDenied (Not?authorized)"),
            ("<html><body>hello</body></html>", "no credentials"),
            ("<r><Credentials><AccessKeyId>A</AccessKeyId></Credentials></r>", "no SecretAccessKey"),
        ] {
            let document = Document::parse(answer).unwrap();
            let error = format!("{:#}", read(&document).map(drop).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
