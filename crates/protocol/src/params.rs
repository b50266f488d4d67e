use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use percent_encoding::percent_decode;

use crate::Secret;

/// The longest form body that is read, in bytes.
pub const FORM_BYTES_MAX: usize = 16 * 1024;
/// The most parameters that a form may have.
pub const PARAMETER_COUNT_MAX: usize = 64;
/// The longest parameter name, in bytes after decoding.
pub const PARAMETER_NAME_BYTES_MAX: usize = 64;
/// The longest parameter value, in bytes after decoding.
pub const PARAMETER_VALUE_BYTES_MAX: usize = 8 * 1024;

/// The only parameter that may be given more than once (RFC 8707 §2).
const REPEATABLE: &str = "resource";

/// Form parameters under the rules of RFC 6749 §3.1, §3.2 and Appendix B: none twice, empty means absent, UTF-8 only.
#[derive(Default)]
pub struct Params {
    /// What was given once, or may be given more than once, and is not empty.
    pairs: Vec<(String, Secret)>,
    repeated: BTreeSet<String>,
}

/// Why a form body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// More than [`FORM_BYTES_MAX`].
    #[error("the form body is larger than {FORM_BYTES_MAX} bytes")]
    TooLarge,
    /// More than [`PARAMETER_COUNT_MAX`].
    #[error("the form has more than {PARAMETER_COUNT_MAX} parameters")]
    TooMany,
    /// A name of more than [`PARAMETER_NAME_BYTES_MAX`].
    #[error("a parameter name is longer than {PARAMETER_NAME_BYTES_MAX} bytes")]
    NameTooLong,
    /// A value of more than [`PARAMETER_VALUE_BYTES_MAX`].
    #[error("the value of parameter {0} is longer than {PARAMETER_VALUE_BYTES_MAX} bytes")]
    ValueTooLong(String),
    /// A `%` that is not followed by two hexadecimal digits, or bytes that no form encoder writes.
    #[error(
        "the form is not application/x-www-form-urlencoded: a percent sign must be followed by two hexadecimal digits"
    )]
    Encoding,
    /// Bytes that are not UTF-8 once decoded.
    #[error("the form is not UTF-8 once decoded")]
    NotUtf8,
    /// A parameter that may be given only once.
    #[error("parameter {0} is given more than once")]
    Repeated(String),
}

impl Params {
    /// Reads an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    /// When a bound is exceeded, the encoding is broken, or a parameter other than `resource` comes twice.
    pub fn parse(body: &[u8]) -> Result<Self, ParamsError> {
        let mut params = Self::parse_noting_repeats(body)?;
        match params.repeated.pop_first() {
            Some(name) => Err(ParamsError::Repeated(name)),
            None => Ok(params),
        }
    }

    /// Reads a body or a query of the authorization endpoint, which answers a repeated parameter by a redirect: such a
    /// parameter has no value, and [`Self::repeated`] names it.
    ///
    /// # Errors
    /// When a bound is exceeded or the encoding is broken.
    pub fn parse_noting_repeats(body: &[u8]) -> Result<Self, ParamsError> {
        if body.len() > FORM_BYTES_MAX {
            return Err(ParamsError::TooLarge);
        }
        Self::collect(decoded_pairs(body))
    }

    /// Reads a form of which the last value of each parameter counts, as PHP reads forms.
    ///
    /// # Errors
    /// When a bound is exceeded or the encoding is broken.
    pub fn parse_last_wins(body: &[u8]) -> Result<Self, ParamsError> {
        if body.len() > FORM_BYTES_MAX {
            return Err(ParamsError::TooLarge);
        }
        Self::of_last(decoded_pairs(body))
    }

    /// Parameters that came otherwise than as a form, under the bounds of a form: none twice but `resource`.
    ///
    /// # Errors
    /// When a bound is exceeded or a parameter other than `resource` comes twice.
    pub fn of(pairs: impl IntoIterator<Item = (String, Secret)>) -> Result<Self, ParamsError> {
        let mut params = Self::collect(pairs.into_iter().map(Ok))?;
        params.repeated.pop_first().map_or(Ok(params), |name| Err(ParamsError::Repeated(name)))
    }

    /// As [`Self::of`], but the last value of each parameter counts.
    ///
    /// # Errors
    /// When a bound is exceeded.
    pub fn of_which_last_wins(pairs: impl IntoIterator<Item = (String, Secret)>) -> Result<Self, ParamsError> {
        Self::of_last(pairs.into_iter().map(Ok))
    }

    fn collect(given: impl Iterator<Item = Result<(String, Secret), ParamsError>>) -> Result<Self, ParamsError> {
        let mut pairs: Vec<(String, Secret)> = Vec::new();
        let mut repeated = BTreeSet::new();
        for (at, pair) in given.enumerate() {
            let (name, value) = within_bounds(at, pair?)?;
            if name != REPEATABLE && pairs.iter().any(|(earlier, _)| *earlier == name) {
                repeated.insert(name);
                continue;
            }
            pairs.push((name, value));
        }
        pairs.retain(|(name, value)| !value.expose().is_empty() && !repeated.contains(name));
        Ok(Self { pairs, repeated })
    }

    fn of_last(given: impl Iterator<Item = Result<(String, Secret), ParamsError>>) -> Result<Self, ParamsError> {
        let mut pairs: Vec<(String, Secret)> = Vec::new();
        for (at, pair) in given.enumerate() {
            let (name, value) = within_bounds(at, pair?)?;
            if name != REPEATABLE {
                pairs.retain(|(earlier, _)| *earlier != name);
            }
            pairs.push((name, value));
        }
        pairs.retain(|(_, value)| !value.expose().is_empty());
        Ok(Self { pairs, repeated: BTreeSet::new() })
    }

    /// The names that came more than once although they may not.
    pub fn repeated(&self) -> impl Iterator<Item = &str> {
        self.repeated.iter().map(String::as_str)
    }

    /// Whether `name` came more than once although it may not.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// The value of `name`; `None` when it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.expose())
    }

    /// Every parameter that has a value, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (String, Secret)> {
        self.pairs.iter().cloned()
    }

    /// Every value of `name`, in order; only `resource` can have several.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.expose())
    }
}

/// The pairs of a form, decoded one by one.
fn decoded_pairs(body: &[u8]) -> impl Iterator<Item = Result<(String, Secret), ParamsError>> {
    body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let split = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = split.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        Ok((decode(name)?, Secret::new(decode(value)?)))
    })
}

/// The pair at place `at`, unless there are too many or it is too long.
fn within_bounds(at: usize, (name, value): (String, Secret)) -> Result<(String, Secret), ParamsError> {
    if at >= PARAMETER_COUNT_MAX {
        return Err(ParamsError::TooMany);
    }
    if name.len() > PARAMETER_NAME_BYTES_MAX {
        return Err(ParamsError::NameTooLong);
    }
    if value.expose().len() > PARAMETER_VALUE_BYTES_MAX {
        return Err(ParamsError::ValueTooLong(name));
    }
    Ok((name, value))
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, and the whole must be UTF-8.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, ParamsError> {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            _ => return Err(ParamsError::Encoding),
        }
    }
    let spaced: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        encoded.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect()
    } else {
        encoded.into()
    };
    let decoded = Cow::<[u8]>::from(percent_decode(&spaced)).into_owned();
    String::from_utf8(decoded).map_err(|_| ParamsError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_3_2_none_twice_and_empty_is_absent() {
        let params = Params::parse(b"grant_type=password&scope=&x=a%20b+c&flag&&resource=a:b&resource=c:d").unwrap();
        assert_eq!(params.get("grant_type"), Some("password"));
        assert_eq!(params.get("scope"), None);
        assert_eq!(params.get("flag"), None);
        assert_eq!(params.get("x"), Some("a b c"));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a:b", "c:d"]);
    }

    #[test]
    fn a_form_that_breaks_a_rule_is_refused_whole() {
        let many = "a=1&".repeat(65);
        let long_name = format!("{}=1", "n".repeat(65));
        let long_value = format!("v={}", "x".repeat(8193));
        let large = vec![b'&'; FORM_BYTES_MAX + 1];
        for (body, expected) in [
            (&b"p=1&p=2"[..], ParamsError::Repeated("p".to_owned())),
            (b"p=&p=2", ParamsError::Repeated("p".to_owned())),
            (b"p=1&%70=2", ParamsError::Repeated("p".to_owned())),
            (b"p=%FF%FE", ParamsError::NotUtf8),
            (b"p=\xff", ParamsError::NotUtf8),
            (b"p=%zz", ParamsError::Encoding),
            (b"p=%4", ParamsError::Encoding),
            (b"p%=1", ParamsError::Encoding),
            (many.replace('a', "resource").as_bytes(), ParamsError::TooMany),
            (long_name.as_bytes(), ParamsError::NameTooLong),
            (long_value.as_bytes(), ParamsError::ValueTooLong("v".to_owned())),
            (&large, ParamsError::TooLarge),
        ] {
            assert_eq!(Params::parse(body).err(), Some(expected));
        }
    }

    #[test]
    fn a_repeated_parameter_can_be_noted_and_then_has_no_value() {
        let query = b"a=1&b=2&%61=3&c=&c=4&resource=a:b&resource=c:d&d=5";
        let params = Params::parse_noting_repeats(query).unwrap();
        assert_eq!(params.repeated().collect::<Vec<_>>(), ["a", "c"]);
        assert!(params.is_repeated("a") && !params.is_repeated("b") && !params.is_repeated("resource"));
        for (name, values) in [("a", &[][..]), ("b", &["2"]), ("c", &[]), ("resource", &["a:b", "c:d"]), ("d", &["5"])]
        {
            assert_eq!(params.all(name).collect::<Vec<_>>(), values, "{name}");
            assert_eq!(params.get(name), values.first().copied(), "{name}");
        }
        let many = "a=1&".repeat(PARAMETER_COUNT_MAX + 1);
        assert_eq!(Params::parse_noting_repeats(many.as_bytes()).err(), Some(ParamsError::TooMany));
        assert!(Params::parse_noting_repeats(&many.as_bytes()[4..]).is_ok());
    }

    #[test]
    fn the_last_of_a_repeated_parameter_can_count() {
        let params = Params::parse_last_wins(b"a=1&b=2&%61=3&c=4&c=&resource=a:b&resource=c:d").unwrap();
        for (name, values) in [("a", &["3"][..]), ("b", &["2"]), ("c", &[]), ("resource", &["a:b", "c:d"])] {
            assert_eq!(params.all(name).collect::<Vec<_>>(), values, "{name}");
        }
        let pairs = || ["1", "2"].map(|value| ("a".to_owned(), Secret::new(value.to_owned())));
        assert_eq!(Params::of(pairs()).err(), Some(ParamsError::Repeated("a".to_owned())));
        assert_eq!(Params::of_which_last_wins(pairs()).unwrap().get("a"), Some("2"));
        let many = "a=1&".repeat(PARAMETER_COUNT_MAX + 1);
        assert_eq!(Params::parse_last_wins(many.as_bytes()).err(), Some(ParamsError::TooMany));
    }

    #[test]
    fn printing_params_shows_names_only() {
        let params = Params::parse(b"password=brent123").unwrap();
        assert_eq!(format!("{params:?}"), "{\"password\"}");
    }
}
