use serde::Deserialize;

use crate::desk::{Desk, ended};

/// What kubectl accepts, and not one member more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExecCredential {
    api_version: String,
    kind: String,
    status: Status,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Status {
    expiration_timestamp: String,
    token: String,
}

#[test]
fn kubectl_gets_a_credential_in_the_version_that_it_speaks() {
    let desk = Desk::logged_in();
    let token = desk.token(&[]);
    let info = |version: &str| {
        format!("{{\"apiVersion\":\"{version}\",\"kind\":\"ExecCredential\",\"spec\":{{\"interactive\":false}}}}")
    };
    let (v1, v1beta1) = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1");
    for (info, expected) in [(None, v1), (Some(info(v1)), v1), (Some(info(v1beta1)), v1beta1)] {
        let mut command = desk.command(&["kubectl"]);
        command.envs(info.map(|info| ("KUBERNETES_EXEC_INFO", info)));
        let ended = ended(&mut command, "");
        let answer: ExecCredential =
            serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        assert_eq!((answer.api_version.as_str(), answer.kind.as_str()), (expected, "ExecCredential"));
        assert_eq!(answer.status.token, token);
        assert_eq!(answer.status.expiration_timestamp, desk.json(&["get"])["expires_at"]);
    }
    let mut unknown = desk.command(&["kubectl"]);
    let unknown = ended(unknown.env("KUBERNETES_EXEC_INFO", info("client.authentication.k8s.io/v1alpha1")), "");
    assert!(unknown.code == 1 && unknown.stdout.is_empty() && unknown.stderr.contains("apiVersion"), "{unknown:?}");
}
