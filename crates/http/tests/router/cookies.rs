use crate::server::Server;

#[tokio::test]
async fn a_page_gives_its_cookie_to_this_host_alone() {
    let server = Server::start().await;
    let shown = server.send("GET", "/account", &[("host", "evil.example")], "").await;
    let cookie = shown.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-regrant-browser="), "{cookie}");
    assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(!format!("{:?}{}", shown.headers, shown.body).contains("evil"), "{:?}", shown.headers);
}
