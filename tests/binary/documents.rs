//! The requests that the documents of other systems tell their clients to send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::curl::{log_in, run};
use crate::program::{Program, fresh_data};

/// oauth2-server-php.
#[test]
fn the_curl_lines_of_oauth2_server_php_work_at_token() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let here = |line: &str, token: &str| {
        let line = line.replace("https://api.mysite.com", &program.url).replace("tGzv3JOkF0XG5Qx2TlKWIA", token);
        run(&line)
    };
    let first = here(
        "curl -u TestClient:TestSecret https://api.mysite.com/token -d 'grant_type=password&username=bshaffer&password=brent123'",
        "",
    );
    assert_eq!(first.json["expires_in"], 3600);
    let second = here(
        "curl -u TestClient:TestSecret https://api.mysite.com/token -d 'grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA'",
        &first.refresh_token(),
    );
    assert_ne!(second.refresh_token(), first.refresh_token());
    assert_eq!(second.json["token_type"], "Bearer");
}

/// WSO2 Identity Server.
#[test]
fn the_curl_line_of_wso2_works_at_oauth2_token() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let first = log_in(&program.url).refresh_token();
    let line = r#"curl -k -d "grant_type=refresh_token&refresh_token=<refresh_token>" -H "Authorization: Basic <Base64Encoded(Client_Id:Client_Secret)>" -H "Content-Type: application/x-www-form-urlencoded" https://localhost:9443/oauth2/token"#
        .replace("<refresh_token>", &first)
        .replace("<Base64Encoded(Client_Id:Client_Secret)>", &STANDARD.encode("TestClient:TestSecret"))
        .replace("https://localhost:9443", &program.url);
    assert_ne!(run(&line).refresh_token(), first);
}

/// Jiko and DotAuth write the request as HTTP, and leave out how the client authenticates.
#[test]
fn the_requests_of_jiko_and_dotauth_work_at_their_paths() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    for path in ["/api/oauth2/token", "/token"] {
        let first = log_in(&program.url).refresh_token();
        let request = format!(
            "curl -X POST {}{path} -H 'Content-Type: application/x-www-form-urlencoded' \
             -d 'grant_type=refresh_token&refresh_token={first}'",
            program.url
        );
        let unauthenticated = run(&request);
        assert_eq!((unauthenticated.status, &unauthenticated.json["error"]), (401, &"invalid_client".into()));
        assert_ne!(run(&format!("{request} -u TestClient:TestSecret")).refresh_token(), first);
    }
}
