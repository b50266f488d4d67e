/// The one of `names` that was probably meant by `written`; `None` where none is near.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let near = names.into_iter().filter_map(|name| {
        let edits = strsim::osa_distance(&written, &name.to_lowercase());
        let is_slip = edits * EDITED_PART <= written.chars().count().max(name.chars().count());
        let is_beginning = written.len() >= BEGINNING_BYTES_MIN && name.starts_with(&written);
        (is_slip || is_beginning).then_some((edits, name))
    });
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// One edit in so many characters is taken for a slip.
const EDITED_PART: usize = 3;
/// The beginning of a name is taken for the name if it is no shorter.
const BEGINNING_BYTES_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        let names = ["issuer", "listen", "data", "trusted_proxies", "plain_http"];
        for (written, expected) in [
            ("isuer", Some("issuer")),
            ("Issuer", Some("issuer")),
            ("lsiten", Some("listen")),
            ("trusted_proxy", Some("trusted_proxies")),
            ("plain-http", Some("plain_http")),
            ("trusted", Some("trusted_proxies")),
            ("port", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
    }
}
