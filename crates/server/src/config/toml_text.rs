use std::fmt::Write;

/// `text` as a basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(control)).expect("writing to a String cannot fail");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// `name` as a key of TOML: bare where that is allowed.
pub(super) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_reads_what_is_quoted() {
        for text in ["", "plain", "a\"b\\c", "line\nand\ttab\r", "\u{7f}\u{0}\u{85}", "Jörg ☃"] {
            let line = format!("{} = {}", key(text), quoted(text));
            let table = toml::de::DeTable::parse(&line).unwrap().into_inner();
            let (name, value) = table.iter().next().unwrap();
            assert_eq!((name.get_ref().as_ref(), value.get_ref().as_str()), (text, Some(text)), "{line}");
        }
    }
}
