/// A link to another site, as people should see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WebLink<'a> {
    pub(crate) url: &'a str,
    /// Host and port.
    pub(crate) host: &'a str,
}

impl<'a> WebLink<'a> {
    /// The link to `url`; `None` unless it is an `https` or `http` URL of a host, without user information: so a link
    /// runs no script, and shows the host it leads to.
    pub(crate) fn new(url: &'a str) -> Option<Self> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let host = rest.split(['/', '?', '#']).next()?;
        let is_host = !host.is_empty()
            && host.chars().all(|character| character.is_alphanumeric() || "-._:[]".contains(character));
        is_host.then_some(Self { url, host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_shows_the_host_it_leads_to() {
        let cases = [
            ("https://photos.example", Some("photos.example")),
            ("https://photos.example/about?x#y", Some("photos.example")),
            ("http://127.0.0.1:8090/", Some("127.0.0.1:8090")),
            ("https://[::1]:8443", Some("[::1]:8443")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("//photos.example", None),
            ("https://", None),
            ("https:///x", None),
            ("https://photos.example@evil.example/", None),
            ("https://evil.example\\photos.example", None),
            ("https://photos example", None),
        ];
        for (url, expected) in cases {
            assert_eq!(WebLink::new(url).map(|link| link.host), expected, "{url}");
        }
    }
}
