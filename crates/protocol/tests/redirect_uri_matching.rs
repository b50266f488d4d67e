//! RFC 9700 §4.1.3, RFC 8252 §7.3: which redirect URI of a request is the registered one. Attackers look for a string that
//! the server takes for the registered one and the browser does not, so that every entry here differs in one small thing.

use regrant_protocol::RedirectUri;

const WEB: &str = "https://app.example/cb";
const WEB_WITH_QUERY: &str = "https://app.example/cb?k=v";
const LOOPBACK_IPV4: &str = "http://127.0.0.1/cb";
const LOOPBACK_IPV6: &str = "http://[::1]/cb";
const LOOPBACK_WITH_PORT: &str = "http://127.0.0.1:8080/cb";
const LOOPBACK_BARE: &str = "http://127.0.0.1";
const LOOPBACK_NAME: &str = "http://localhost:3000/cb";
const PRIVATE_USE: &str = "com.example.app:/cb";

/// Registered, presented, and in what they differ.
const REFUSED: &[(&str, &str, &str)] = &[
    // Case.
    (WEB, "HTTPS://app.example/cb", "case of the scheme"),
    (WEB, "https://APP.example/cb", "case of the host"),
    (WEB, "https://app.example/CB", "case of the path"),
    (WEB_WITH_QUERY, "https://app.example/cb?K=v", "case of the query"),
    // Path.
    (WEB, "https://app.example/cb/", "slash at the end"),
    (WEB, "https://app.example//cb", "two slashes"),
    (WEB, "https://app.example/./cb", "dot segment"),
    (WEB, "https://app.example/x/../cb", "dot segments that cancel out"),
    (WEB, "https://app.example/cb/..", "parent at the end"),
    (WEB, "https://app.example/cb/../../evil", "way out of the path"),
    (WEB, "https://app.example/x/%2e%2e/cb", "encoded dot segments"),
    (WEB, "https://app.example%2Fcb", "encoded slash"),
    (WEB, "https://app.example/cb%2F", "encoded slash at the end"),
    (WEB, "https://app.example/%63b", "encoded letter"),
    (WEB, "https://app.example/cb;x=1", "path parameter"),
    (WEB, "https://app.example/cb2", "longer path"),
    (WEB, "https://app.example/c", "shorter path"),
    (WEB, "https://app.example", "no path"),
    // Host.
    (WEB, "https://app.example./cb", "trailing dot"),
    (WEB, "https://evil.app.example/cb", "subdomain"),
    (WEB, "https://app.example.evil.example/cb", "host as a prefix of another"),
    (WEB, "https://evilapp.example/cb", "host as a suffix of another"),
    (WEB, "https://app.example@evil.example/cb", "host as user name"),
    (WEB, "https://evil.example@app.example/cb", "user name before the host"),
    (WEB, "https://user:pass@app.example/cb", "user name and password"),
    (WEB, "https://evil.example\\@app.example/cb", "backslash before the at sign"),
    (WEB, "https://evil.example\\.app.example/cb", "backslash in the host"),
    (WEB, "https://evil.example#@app.example/cb", "fragment before the at sign"),
    (WEB, "https://evil.example?https://app.example/cb", "registered URI in the query of another"),
    (WEB, "https://аpp.example/cb", "Cyrillic letter"),
    (WEB, "https://xn--pp-7kc.example/cb", "Cyrillic letter in Punycode"),
    (WEB, "https://app.example\u{3002}/cb", "ideographic full stop"),
    (WEB, "https://app\u{ff0e}example/cb", "full-width dot"),
    (WEB, "https://ap%70.example/cb", "encoded letter of the host"),
    // Scheme and port.
    (WEB, "http://app.example/cb", "http"),
    (WEB, "//app.example/cb", "no scheme"),
    (WEB, "/cb", "path alone"),
    (WEB, "https:app.example/cb", "no slashes"),
    (WEB, "https:/app.example/cb", "one slash"),
    (WEB, "https:///app.example/cb", "three slashes"),
    (WEB, "https:\\\\app.example\\cb", "backslashes"),
    (WEB, "https://app.example:443/cb", "default port"),
    (WEB, "https://app.example:/cb", "empty port"),
    (WEB, "https://app.example:8443/cb", "another port"),
    (WEB, "javascript:alert(1)//https://app.example/cb", "script"),
    // Query and fragment.
    (WEB, "https://app.example/cb?", "empty query"),
    (WEB, "https://app.example/cb?x=1", "query"),
    (WEB, "https://app.example/cb#", "empty fragment"),
    (WEB, "https://app.example/cb#x", "fragment"),
    (WEB, "https://app.example/cb%23x", "encoded fragment"),
    (WEB_WITH_QUERY, "https://app.example/cb", "no query"),
    (WEB_WITH_QUERY, "https://app.example/cb?k=v&x=1", "one parameter more"),
    (WEB_WITH_QUERY, "https://app.example/cb?k=v2", "another value"),
    // Characters that parsers drop.
    (WEB, "", "nothing"),
    (WEB, " https://app.example/cb", "space before"),
    (WEB, "https://app.example/cb ", "space after"),
    (WEB, "https://app.example/cb\t", "tab after"),
    (WEB, "https://app.ex\tample/cb", "tab in the host"),
    (WEB, "https://app.example/c\nb", "newline"),
    (WEB, "https://app.example/cb\r\nSet-Cookie: a=b", "header after a line break"),
    (WEB, "https://app.example/cb\0", "NUL after"),
    (WEB, "https://app.example\0.evil.example/cb", "NUL in the host"),
    (WEB, "https://app.example/cb%00", "encoded NUL"),
    (WEB, "\u{feff}https://app.example/cb", "byte order mark"),
    (WEB, "https://app.example/c\u{200b}b", "space of no width"),
    // This machine: only the port is open.
    (LOOPBACK_IPV4, "http://127.0.0.1/cb2", "another path"),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152/cb/", "slash at the end"),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152/CB", "case of the path"),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152/cb?x=1", "query"),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152/cb#x", "fragment"),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152", "no path"),
    (LOOPBACK_IPV4, "https://127.0.0.1:49152/cb", "https"),
    (LOOPBACK_IPV4, "HTTP://127.0.0.1:49152/cb", "case of the scheme"),
    (LOOPBACK_IPV4, "http://127.0.0.2:49152/cb", "another loopback address"),
    (LOOPBACK_IPV4, "http://localhost:49152/cb", "name of the address"),
    (LOOPBACK_IPV4, "http://[::1]:49152/cb", "the other family"),
    (LOOPBACK_IPV4, "http://[::ffff:127.0.0.1]:49152/cb", "the address inside IPv6"),
    (LOOPBACK_IPV4, "http://0x7f.1:49152/cb", "address in hexadecimal"),
    (LOOPBACK_IPV4, "http://127.1:49152/cb", "address abbreviated"),
    (LOOPBACK_IPV4, "http://2130706433:49152/cb", "address as one number"),
    (LOOPBACK_IPV4, "http://127.0.0.1.:49152/cb", "trailing dot"),
    (LOOPBACK_IPV4, "http://127.0.0.1.evil.example/cb", "address as a prefix of a host"),
    (LOOPBACK_IPV4, "http://127.0.0.1@evil.example/cb", "address as user name"),
    (LOOPBACK_IPV4, "http://127.0.0.1:80@evil.example/cb", "address and port as user name and password"),
    (LOOPBACK_IPV4, "http://127.0.0.1:@evil.example/cb", "empty password"),
    (LOOPBACK_IPV4, "http://127.0.0.1:/cb", "empty port"),
    (LOOPBACK_IPV4, "http://127.0.0.1:0/cb", "port 0"),
    (LOOPBACK_IPV4, "http://127.0.0.1:080/cb", "port with a leading zero"),
    (LOOPBACK_IPV4, "http://127.0.0.1:65536/cb", "port too large"),
    (LOOPBACK_IPV4, "http://127.0.0.1:+80/cb", "port with a sign"),
    (LOOPBACK_IPV4, "http://127.0.0.1:-1/cb", "negative port"),
    (LOOPBACK_IPV4, "http://127.0.0.1:80:80/cb", "two ports"),
    (LOOPBACK_IPV4, "http://127.0.0.1:8o/cb", "port with a letter"),
    (LOOPBACK_IPV4, "http://127.0.0.1:٨٠/cb", "port in other digits"),
    (LOOPBACK_IPV4, "http://127.0.0.1:80\\cb", "backslash after the port"),
    (LOOPBACK_IPV6, "http://127.0.0.1:49152/cb", "the other family"),
    (LOOPBACK_IPV6, "http://[0:0:0:0:0:0:0:1]:49152/cb", "address written out"),
    (LOOPBACK_IPV6, "http://[::1%25lo]:49152/cb", "zone"),
    (LOOPBACK_IPV6, "http://::1:49152/cb", "no brackets"),
    (LOOPBACK_BARE, "http://127.0.0.1:49152.evil.example", "more after the port"),
    (LOOPBACK_BARE, "http://127.0.0.1.evil.example", "more after the address"),
    (LOOPBACK_BARE, "http://127.0.0.1:1/", "slash at the end"),
    (LOOPBACK_NAME, "http://localhost:3001/cb", "another port: a name may lead elsewhere"),
    (LOOPBACK_NAME, "http://localhost/cb", "no port"),
    (LOOPBACK_NAME, "http://LOCALHOST:3000/cb", "case of the host"),
    // A scheme of the app's own.
    (PRIVATE_USE, "com.example.app:/cb2", "another path"),
    (PRIVATE_USE, "com.example.app://cb", "host instead of a path"),
    (PRIVATE_USE, "com.example.app:cb", "no slash"),
    (PRIVATE_USE, "com.example.App:/cb", "case of the scheme"),
    (PRIVATE_USE, "com.example.app2:/cb", "another scheme"),
    (PRIVATE_USE, "com.example.app:/cb?x=1", "query"),
];

/// Registered and presented.
const ACCEPTED: &[(&str, &str)] = &[
    (WEB, WEB),
    (WEB_WITH_QUERY, WEB_WITH_QUERY),
    (PRIVATE_USE, PRIVATE_USE),
    (LOOPBACK_NAME, LOOPBACK_NAME),
    (LOOPBACK_IPV4, LOOPBACK_IPV4),
    (LOOPBACK_IPV4, "http://127.0.0.1:49152/cb"),
    (LOOPBACK_IPV4, "http://127.0.0.1:1/cb"),
    (LOOPBACK_IPV4, "http://127.0.0.1:65535/cb"),
    (LOOPBACK_WITH_PORT, "http://127.0.0.1:49152/cb"),
    (LOOPBACK_WITH_PORT, "http://127.0.0.1/cb"),
    (LOOPBACK_IPV6, "http://[::1]:49152/cb"),
    (LOOPBACK_BARE, "http://127.0.0.1:49152"),
];

#[test]
fn rfc9700_section_4_1_3_what_differs_in_anything_but_a_loopback_port_is_another_uri() {
    assert!(REFUSED.len() >= 100, "the corpus has not shrunk");
    for (registered, presented, why) in REFUSED {
        let registered = RedirectUri::parse(registered).unwrap();
        assert!(!registered.matches(presented), "{why}: {presented:?} for {registered:?}");
    }
}

#[test]
fn rfc8252_section_7_3_the_registered_uri_and_any_loopback_port() {
    for (registered, presented) in ACCEPTED {
        assert!(RedirectUri::parse(registered).unwrap().matches(presented), "{presented:?} for {registered:?}");
    }
}
