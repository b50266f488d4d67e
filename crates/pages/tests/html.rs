//! What must hold for every page, whatever its values are.

#[path = "../examples/gallery/samples.rs"]
mod samples;
#[path = "html/tags.rs"]
mod tags;

use regrant_pages::{
    AccountGrant, AccountPage, Brand, Client, ConsentPage, ConsentScope, ErrorPage, FormPostPage, LogOutPage,
    LoginPage, Logo, Page, Pages, ScopeWords,
};
use tags::Tag;

/// The tags that have no end.
const VOID: [&str; 7] = ["meta", "link", "img", "input", "br", "path", "circle"];

/// Calls `check` with the name and the tags of every sample.
#[track_caller]
fn for_every_page(check: impl Fn(&str, &[Tag])) {
    let pages = samples::pages(&Pages::new(samples::brand(), "/base"));
    assert!(pages.len() > 10);
    for (name, Page { html, .. }) in pages {
        check(name, &tags::read(&html));
    }
}

#[test]
fn every_page_says_its_language_its_title_and_one_heading() {
    for_every_page(|name, tags| {
        let texts = |tag: &str| tags.iter().filter(|t| t.is(tag)).map(|t| t.text.trim()).collect::<Vec<_>>();
        assert_eq!(tags[0].get("lang"), Some("en"), "{name}");
        let titles = texts("title");
        assert_eq!(titles.len(), 1, "{name}");
        assert!(titles[0].ends_with(" · Northwind") && titles[0].len() > " · Northwind".len(), "{name}: {titles:?}");
        assert_eq!(texts("h1").len(), 1, "{name}");
        assert_eq!(texts("main").len(), 1, "{name}");
        let viewport = tags.iter().find(|tag| tag.get("name") == Some("viewport")).and_then(|tag| tag.get("content"));
        assert_eq!(viewport, Some("width=device-width, initial-scale=1"), "{name}");
    });
}

#[test]
fn every_tag_is_closed_where_it_was_opened() {
    for_every_page(|name, tags| {
        let mut open: Vec<&str> = Vec::new();
        for tag in tags.iter().filter(|tag| !VOID.contains(&tag.name.as_str())) {
            if tag.is_end {
                assert_eq!(open.pop(), Some(tag.name.as_str()), "{name}");
            } else {
                open.push(&tag.name);
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
    });
}

#[test]
fn headings_go_down_one_step_at_a_time() {
    for_every_page(|name, tags| {
        let mut above = 0;
        for heading in tags.iter().filter(|tag| !tag.is_end && ["h1", "h2", "h3", "h4"].contains(&tag.name.as_str())) {
            let level: u32 = heading.name[1..].parse().unwrap();
            assert!(level <= above + 1, "{name}: h{level} after h{above}");
            above = level;
        }
    });
}

#[test]
fn every_field_has_a_label_and_every_reference_a_target() {
    for_every_page(|name, tags| {
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}: an id is there twice in {ids:?}");

        for input in tags.iter().filter(|tag| tag.is("input") && tag.get("type") != Some("hidden")) {
            let id = input.get("id").unwrap_or_else(|| panic!("{name}: {input:?} has no id"));
            let labels = tags.iter().filter(|tag| tag.is("label") && tag.get("for") == Some(id)).count();
            assert_eq!(labels, 1, "{name}: labels of {id}");
        }
        for reference in ["for", "aria-describedby", "aria-labelledby"] {
            for id in tags.iter().filter_map(|tag| tag.get(reference)).flat_map(str::split_whitespace) {
                assert!(ids.contains(&id), "{name}: {reference}={id} leads nowhere");
            }
        }
        for tag in tags.iter().filter(|tag| tag.is("svg")) {
            assert_eq!(tag.get("aria-hidden"), Some("true"), "{name}: a picture beside text is not read out");
        }
    });
}

#[test]
fn password_managers_are_told_what_each_field_is() {
    for_every_page(|name, tags| {
        for input in tags.iter().filter(|tag| tag.is("input")) {
            let expected = match (input.get("type"), input.get("name")) {
                (Some("password"), Some("new_password" | "new_password_again")) => Some("new-password"),
                (Some("password"), _) => Some("current-password"),
                (Some("text"), _) => Some("username"),
                _ => None,
            };
            assert_eq!(input.get("autocomplete"), expected, "{name}: {input:?}");
        }
    });
}

#[test]
fn no_page_needs_what_its_policy_forbids() {
    for_every_page(|name, tags| {
        for tag in tags.iter().filter(|tag| !tag.is_end) {
            assert!(!["style", "iframe", "object", "base"].contains(&tag.name.as_str()), "{name}: {}", tag.name);
            assert!(tag.name != "script" || name == "form-post", "{name} has a script");
            for (attribute, value) in &tag.attributes {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}={value}");
            }
            if ["img", "link", "script"].contains(&tag.name.as_str()) {
                let source = tag.get("src").or(tag.get("href"));
                assert!(source.is_none_or(|path| path.starts_with("/base/assets/")), "{name}: {source:?}");
            }
        }
    });
}

#[test]
fn links_to_others_tell_them_nothing_and_say_that_they_open_a_tab() {
    for_every_page(|name, tags| {
        for tag in tags.iter().filter(|tag| tag.is("a")) {
            let href = tag.get("href").unwrap();
            if !href.starts_with("/base/") {
                assert!(href.starts_with("https://"), "{name}: {href}");
                assert_eq!(tag.get("rel"), Some("noopener noreferrer"), "{name}: {href}");
            }
        }
        let opening = tags.iter().filter(|tag| tag.get("target") == Some("_blank")).count();
        let said = tags.iter().filter(|tag| tag.text.contains("(opens in a new tab)")).count();
        assert_eq!(said, opening, "{name}");
    });
}

#[test]
fn every_form_posts_what_its_endpoint_reads() {
    let pages = samples::pages(&Pages::new(samples::brand(), "/base"));
    let cases: [(&str, &str, &[&str]); 8] = [
        ("login", "/base/login", &["request=sealed", "username=", "password", "action=login", "action=cancel"]),
        (
            "consent-plain",
            "/base/consent",
            &[
                "request=sealed",
                "decision=switch",
                "request=sealed",
                "allow_0=read",
                "allow_1=photos:write",
                "decision=allow",
                "decision=deny",
            ],
        ),
        ("account", "/base/account/log-out", &["form=form"]),
        ("account", "/base/account/end", &["form=form", "grant=one", "form=form", "grant=two"]),
        ("account", "/base/account/end-all", &["form=form"]),
        (
            "account",
            "/base/account/password",
            &["form=form", "current_password", "new_password", "new_password_again", "end_everything=on"],
        ),
        ("log-out", "/base/logout", &["form=form", "decision=log-out", "decision=stay"]),
        ("form-post", "https://photos.example/callback", &["code=c0de", "state=5tate"]),
    ];
    for (name, action, expected) in cases {
        let page = &pages.iter().find(|(sample, _)| *sample == name).unwrap().1;
        let mut fields = Vec::new();
        let mut is_inside = false;
        for tag in tags::read(&page.html) {
            if tag.name == "form" {
                is_inside = tag.get("action") == Some(action);
                assert!(tag.is_end || tag.get("method") == Some("post"), "{name}");
            } else if let Some(field) = tag.get("name").filter(|_| is_inside) {
                fields.push(tag.get("value").map_or_else(|| field.to_owned(), |value| format!("{field}={value}")));
            }
        }
        assert_eq!(fields, expected, "{name} {action}");
    }
}

/// What would be a script, the end of an attribute, the end of a title and another reading of an entity.
const HOSTILE: &str = r#"x"></title></script><script>alert('1')</script>&lt;i onload='y'"#;

#[test]
fn every_text_is_escaped() {
    let text = || HOSTILE.to_owned();
    let some = || Some(text());
    let client = || Client {
        name: text(),
        client_uri: Some(format!("https://photos.example/{HOSTILE}")),
        policy_uri: Some(format!("https://photos.example/{HOSTILE}")),
        tos_uri: Some(format!("https://photos.example/{HOSTILE}")),
        destination: some(),
        destination_scheme: some(),
    };
    let words = ScopeWords { name: "own".to_owned(), title: text(), detail: text() };
    let pages = Pages::new(Brand { name: text(), scopes: vec![words], ..Brand::default() }, "");
    let scope = |name: &str, is_required| ConsentScope { name: name.to_owned(), is_required };
    let written = [
        // Each with how often it shows what it was given: the brand in the title and beside the logo, and the rest.
        (pages.logged_out(), 2),
        (pages.login(&LoginPage { request: text(), client: Some(client()), username: some(), problem: None }), 2 + 4),
        (
            pages.consent(&ConsentPage {
                request: text(),
                client: client(),
                username: text(),
                scopes: vec![scope(HOSTILE, false), scope(HOSTILE, true), scope("own", true)],
                resources: vec![text()],
                is_outdated: true,
                ..ConsentPage::default()
            }),
            2 + 16,
        ),
        (
            pages.account(&AccountPage {
                form: text(),
                username: text(),
                name: some(),
                has_password: true,
                grants: vec![AccountGrant {
                    id: text(),
                    client: text(),
                    client_uri: Some(format!("https://photos.example/{HOSTILE}")),
                    scopes: vec![text(), "own".to_owned()],
                    address: some(),
                    agent: some(),
                    ..AccountGrant::default()
                }],
                ..AccountPage::default()
            }),
            2 + 17,
        ),
        (
            pages.log_out(&LogOutPage { form: text(), username: text(), client: Some(client()), is_outdated: false }),
            2 + 3,
        ),
        (pages.error(&ErrorPage { title: text(), message: text(), detail: some(), request_id: some() }), 2 + 5),
        (pages.form_post(&FormPostPage { action: text(), fields: vec![(text(), text())] }), 2 + 3),
    ];
    let escaped = "x&#34;&#62;&#60;/title&#62;&#60;/script&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;\
                   &#38;lt;i onload=&#39;y&#39;";
    for (number, (Page { html, content_security_policy }, times)) in written.into_iter().enumerate() {
        assert_eq!(html.matches(escaped).count(), times, "page {number}: {html}");
        // Nothing of it is there in any other form.
        assert_eq!(html.matches("alert(").count(), times, "page {number}: {html}");
        assert!(!content_security_policy.contains("alert"), "page {number}");
        tags::read(&html);
    }
}

#[test]
fn a_link_that_is_no_web_page_is_left_out() {
    let client = Client {
        name: "Photos".to_owned(),
        client_uri: Some("javascript:alert(1)".to_owned()),
        policy_uri: Some("data:text/html,x".to_owned()),
        tos_uri: Some("https://user@photos.example/".to_owned()),
        ..Client::default()
    };
    let pages = Pages::new(Brand::default(), "");
    let html = pages.consent(&ConsentPage { client, ..ConsentPage::default() }).html;
    for link in ["javascript:", "data:", "user@"] {
        assert!(!html.contains(link), "{link}");
    }
}

#[test]
fn what_a_page_loads_is_there() {
    let svg = || b"<svg/>".to_vec();
    // Picture above the page, picture in the tab, and whether the name is text or in the picture.
    let cases = [
        (None, "tile-", "tile-", true),
        (Some(Logo::new(svg()).unwrap()), "logo-", "logo-", true),
        (Some(Logo::with_name_in_it(svg()).unwrap()), "logo-", "tile-", false),
    ];
    for (logo, above, in_tab, name_is_text) in cases {
        let pages = Pages::new(Brand { logo, ..Brand::default() }, "/base");
        let html = pages.logged_out().html;
        let tags = tags::read(&html);
        let asset = |attribute: &str, value: Option<&str>, source: &str| {
            let tag =
                tags.iter().find(|tag| ["img", "link"].contains(&tag.name.as_str()) && tag.get(attribute) == value);
            let name = tag.and_then(|tag| tag.get(source)).and_then(|path| path.strip_prefix("/base/assets/"));
            pages.asset(name.unwrap()).unwrap()
        };
        assert_eq!(asset("rel", Some("stylesheet"), "href").content_type, "text/css; charset=utf-8");
        assert!(asset("rel", Some("icon"), "href").name.starts_with(in_tab));
        assert!(asset("alt", Some(if name_is_text { "" } else { "regrant" }), "src").name.starts_with(above));
        assert_eq!(html.contains("<span>regrant</span>"), name_is_text);
        assert!(pages.asset("style.css").is_none());
    }
}
