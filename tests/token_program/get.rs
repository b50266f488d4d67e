use crate::desk::Desk;

#[test]
fn get_prints_one_token_and_refreshes_it_when_its_time_has_come() {
    let desk = Desk::logged_in();
    let first = desk.token(&[]);
    assert_eq!(desk.token(&[]), first);
    assert!(desk.is_good(&first));

    desk.let_time_pass();
    assert_eq!(desk.json(&["status"])["state"], "refresh");
    let second = desk.token(&[]);
    assert_ne!(second, first);
    assert!(desk.is_good(&second));

    let answer = desk.json(&["get"]);
    assert_eq!((&answer["version"], &answer["access_token"]), (&1.into(), &second.into()), "{answer}");
    assert_eq!((&answer["token_type"], &answer["scope"]), (&"Bearer".into(), &"read write".into()), "{answer}");
    assert!(answer["expires_at"].as_str().is_some_and(|end| end.ends_with('Z')), "{answer}");
}

#[test]
fn a_token_that_an_api_refused_is_replaced_unless_it_has_just_come() {
    let desk = Desk::logged_in();
    let first = desk.token(&[]);
    assert_eq!(desk.token(&["--refused"]), first, "it is seconds old");
    desk.change("tokens/default.json", |kept| {
        kept["received_at"] = (kept["received_at"].as_i64().unwrap() - 60_000).into();
    });
    let second = desk.token(&["--refused"]);
    assert_ne!(second, first);
    assert_eq!(desk.token(&[]), second);
}

#[test]
fn a_valid_token_is_printed_while_the_server_is_away() {
    let desk = Desk::logged_in();
    let token = desk.token(&[]);
    desk.server.signal("STOP");
    assert_eq!(desk.token(&[]), token);
    desk.server.signal("CONT");
}

#[test]
fn the_header_line_is_one_that_curl_takes() {
    let desk = Desk::logged_in();
    assert_eq!(desk.told(&["header"]), format!("Authorization: Bearer {}\n", desk.token(&[])));
}
