//! What whoever runs the program sees of it: request ids, metrics, the audit trail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use regrant_tests::secret_in;
use serde_json::Value;

use crate::curl::bash;
use crate::program::{Program, binary};
use crate::serve::{Site, client};

/// The header of the answer that names its request.
fn request_id(curl: &str) -> String {
    let head = bash(&format!("curl -s --max-time 60 -D - -o /dev/null {curl}"));
    let line = head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    line.unwrap_or_else(|| panic!("{curl}: {head}")).to_owned()
}

/// The values of a metric, by the rest of its line.
fn metric(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in {text}"))
}

fn admin(program: &mut Program) -> String {
    program.line();
    program.line().strip_prefix("admin listening on ").expect("the line behind those of the addresses").to_owned()
}

#[test]
fn every_answer_says_how_its_request_is_called() {
    let site = Site::new();
    site.configure(
        "plain_http = true\ntrusted_proxies = [\"127.0.0.1\"]\n",
        &(client("app") + "[admin]\nlisten = \"127.0.0.1:0\"\n"),
    );
    let mut program = site.start();
    let (url, admin) = (program.url.clone(), admin(&mut program));
    let refused = format!("{url}/token -d grant_type=client_credentials -u app:wrong");
    for curl in [
        refused.as_str(),
        &format!("{url}/nowhere"),
        &format!("{url}/account"),
        &format!("{url}/login -d x=y"),
        &format!("{url}/ -H 'Transfer-Encoding: unknown'"),
        &format!("{admin}/readyz"),
    ] {
        let (one, other) = (request_id(curl), request_id(curl));
        assert!(one.len() == 32 && other.len() == 32 && one != other, "{curl}: {one} {other}");
    }
    assert_eq!(request_id(&format!("{refused} -H 'X-Request-Id: edge-1'")), "edge-1");
    program.wait_for_log("\"request\":\"edge-1\"");
    assert_ne!(request_id(&format!("{refused} -H 'X-Request-Id: edge 2'")), "edge 2");
    let page = bash(&format!("curl -s {url}/authorize?client_id=nobody -H 'X-Request-Id: edge-3'"));
    assert!(page.contains("give this number: <span class=\"code\">edge-3</span>"), "{page}");
    program.terminate();

    site.configure("plain_http = true\n", &client("app"));
    let program = site.start();
    assert_ne!(request_id(&format!("{}/nowhere -H 'X-Request-Id: edge-4'", program.url)), "edge-4");
}

#[test]
fn every_verdict_is_counted_from_nothing() {
    let site = Site::new();
    site.configure("plain_http = true\n", &(client("app") + "[admin]\nlisten = \"127.0.0.1:0\"\n"));
    let mut program = site.start();
    let (url, admin) = (program.url.clone(), admin(&mut program));
    let metrics = || bash(&format!("curl -s {admin}/metrics"));
    let forged = "regrant_client_authentication_failures_total{failure=\"wrong_credentials\"}";
    let issued = "regrant_tokens_issued_total{grant_type=\"client_credentials\"}";
    let reuse = "regrant_refreshes_total{verdict=\"reuse_detected\"}";
    for series in [forged, issued, reuse] {
        assert!(metric(&metrics(), series).abs() < 0.5, "{series}");
    }
    for secret in ["sesame", "wrong", "sesame"] {
        bash(&format!("curl -s {url}/token -u app:{secret} -d grant_type=client_credentials"));
    }
    let text = metrics();
    let told = [forged, issued, reuse].map(|series| metric(&text, series));
    assert_eq!(told, [1.0, 2.0, 0.0]);
    let requests = |status: &str| {
        let labels = format!("{{route=\"/token\",method=\"POST\",status=\"{status}\"}}");
        metric(&text, &format!("regrant_http_request_duration_seconds_count{labels}"))
    };
    assert_eq!((requests("2xx"), requests("4xx")), (2.0, 1.0));
    assert!(metric(&text, "regrant_start_timestamp_seconds") > 1.0e9);
    assert!(metric(&text, "regrant_signing_key_created_timestamp_seconds{algorithm=\"ES256\"}") > 1.0e9);
    assert!(text.contains("regrant_build_info{version=\""), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let elsewhere = bash(&format!("curl -s -D - -o /dev/null {url}/metrics"));
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
    assert!(!elsewhere.contains("strict-transport-security"), "without TLS it would be a promise: {elsewhere}");
}

#[test]
fn a_proxy_that_is_trusted_tells_the_source_and_names_the_request() {
    let site = Site::new();
    let sections = client("app") + "[log]\naudit = \"audit.log\"\n";
    for (trusted, name, source) in [("127.0.0.1", "edge-5", "203.0.113.7"), ("192.0.2.1", "edge-6", "127.0.0.1")] {
        site.configure(&format!("plain_http = true\ntrusted_proxies = [\"{trusted}\"]\n"), &sections);
        let program = site.start();
        let told = format!("-H 'X-Forwarded-For: 203.0.113.7' -H 'X-Request-Id: {name}'");
        bash(&format!("curl -s {}/token -u app:sesame -d grant_type=client_credentials {told}", program.url));
        program.terminate();
        let trail = fs::read_to_string(site.path("audit.log")).unwrap();
        let event: Value = serde_json::from_str(trail.lines().last().unwrap()).unwrap();
        assert_eq!(event["source"], source, "{trusted}");
        assert_eq!(event["span"]["request"] == name, trusted == "127.0.0.1", "{trusted}");
    }
}

#[test]
fn the_audit_trail_has_a_file_of_its_own_where_it_shall() {
    let site = Site::new();
    let sections = client("app") + "[log]\naudit = \"audit.log\"\nlevel = \"warn\"\n";
    site.configure("plain_http = true\n", &sections);
    let program = site.start();
    let url = program.url.clone();
    let ask = |secret: &str| request_id(&format!("{url}/token -u app:{secret} -d grant_type=client_credentials"));
    let events = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(site.path(name)).expect("the trail is there");
        assert!(text.lines().all(|line| secret_in(line).is_none()), "{text}");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect()
    };
    let ids = [ask("sesame"), ask("wrong")];
    let trail = events("audit.log");
    assert_eq!(trail.len(), 2, "{trail:?}");
    for (event, id) in trail.iter().zip(ids) {
        assert_eq!((&event["span"]["request"], &event["client"]), (&id.into(), &"app".into()), "{event}");
        assert_eq!(event["source"], "127.0.0.1", "{event}");
    }
    assert_eq!((&trail[0]["event"], &trail[0]["grant_type"]), (&"issued".into(), &"client_credentials".into()));
    let failed = (&trail[1]["event"], &trail[1]["failure"]);
    assert_eq!(failed, (&"client_authentication_failed".into(), &"wrong_credentials".into()));
    let mode = fs::metadata(site.path("audit.log")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);

    fs::rename(site.path("audit.log"), site.path("audit.log.1")).unwrap();
    // What the reload says tells that it is done.
    site.configure("plain_http = true\ntrusted_proxies = [\"10.0.0.0/8\"]\n", &sections.replace("warn", "info"));
    program.signal("HUP");
    program.wait_for_log("read the configuration again");
    ask("sesame");
    assert_eq!((events("audit.log").len(), events("audit.log.1").len()), (1, 2));
    let ended = program.terminate();
    assert!(!ended.stderr.contains("client_credentials"), "it is in its own file: {}", ended.stderr);

    let mut disable = Command::new(binary());
    disable.args(["client", "disable", "app", "--config"]).arg(site.path("regrant.toml"));
    let output = disable.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trail = events("audit.log");
    let told = ["event", "act", "object", "door"].map(|member| trail.last().unwrap()[member].clone());
    assert_eq!(told, ["administered", "client_disabled", "app", "process"]);
}
