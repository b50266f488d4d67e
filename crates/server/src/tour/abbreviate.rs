/// A word of this many characters or more is a token or a signature, and is shortened.
const TOKEN_CHARACTERS_MIN: usize = 40;
const HEAD_CHARACTERS: usize = 12;
const TAIL_CHARACTERS: usize = 8;

/// Shortens every token in a line to its beginning and its end, so that a person can compare them.
pub(crate) fn abbreviate(line: &str) -> String {
    let is_part_of_token = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let mut shortened = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(|character| !is_part_of_token(character)).unwrap_or(rest.len());
        if word >= TOKEN_CHARACTERS_MIN {
            shortened.push_str(&rest[..HEAD_CHARACTERS]);
            shortened.push('…');
            shortened.push_str(&rest[word - TAIL_CHARACTERS..word]);
        } else {
            shortened.push_str(&rest[..word]);
        }
        rest = &rest[word..];
        let between = rest.find(is_part_of_token).unwrap_or(rest.len());
        shortened.push_str(&rest[..between]);
        rest = &rest[between..];
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shortened_and_everything_else_stays() {
        let token = format!("rgr_AQEB{}12345678", "x".repeat(56));
        assert_eq!(
            abbreviate(&format!(r#"{{"refresh_token":"{token}","expires_in":3600,"é":"ok"}}"#)),
            r#"{"refresh_token":"rgr_AQEBxxxx…12345678","expires_in":3600,"é":"ok"}"#
        );
    }
}
