use std::env;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::common_options::CommonOptions;
use crate::output::write_json;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kubectl config set-credentials ada --exec-api-version=client.authentication.k8s.io/v1 \\
    --exec-interactive-mode=Never --exec-command=regrant-token --exec-arg=kubectl --exec-arg=--name --exec-arg=cluster";

/// The answer of a credential plugin (client.authentication.k8s.io).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    api_version: &'static str,
    kind: &'static str,
    status: ExecCredentialStatus<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredentialStatus<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_timestamp: Option<String>,
    token: &'a str,
}

/// What kubectl says about itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecInfo {
    api_version: String,
}

/// Answers kubectl, in the version that it speaks.
///
/// # Errors
/// When there is no token, or kubectl speaks another version.
pub(crate) async fn kubectl(common: &CommonOptions) -> Result<()> {
    let api_version = api_version(env::var(EXEC_INFO_VARIABLE).ok().as_deref())?;
    let granted = Session::open(common)?.bearer_token().await?;
    let expiration_timestamp = granted.expires_at.map(|end| end.to_rfc3339());
    let status = ExecCredentialStatus { expiration_timestamp, token: granted.token.expose() };
    write_json(&ExecCredential { api_version, kind: "ExecCredential", status })
}

fn api_version(info: Option<&str>) -> Result<&'static str> {
    let Some(info) = info.filter(|info| !info.is_empty()) else { return Ok(API_VERSIONS[0]) };
    let info: ExecInfo =
        serde_json::from_str(info).with_context(|| format!("{EXEC_INFO_VARIABLE} is not that of kubectl"))?;
    match API_VERSIONS.iter().find(|known| **known == info.api_version) {
        Some(known) => Ok(known),
        None => {
            bail!("kubectl asks for {:?}; set the apiVersion of this user to {}", info.api_version, API_VERSIONS[0])
        }
    }
}

/// What kubectl may ask for, the newest first.
const API_VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/// Where kubectl says what it asks for.
const EXEC_INFO_VARIABLE: &str = "KUBERNETES_EXEC_INFO";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_is_answered_in_its_own_version() {
        let info =
            |version: &str| format!("{{\"kind\":\"ExecCredential\",\"apiVersion\":\"{version}\",\"spec\":{{}}}}");
        for version in API_VERSIONS {
            assert_eq!(api_version(Some(&info(version))).unwrap(), version);
        }
        assert_eq!(api_version(None).unwrap(), "client.authentication.k8s.io/v1");
        for unknown in [&info("client.authentication.k8s.io/v1alpha1"), "{}", "no JSON"] {
            assert!(api_version(Some(unknown)).is_err(), "{unknown}");
        }
    }
}
