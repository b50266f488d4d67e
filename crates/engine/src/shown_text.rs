/// Whether people can read a text on one line, and as it is: it has no control characters, and none that turn its direction.
pub(crate) fn is_line(text: &str, characters_max: usize) -> bool {
    let is_refused = |character: char| character.is_control() || turns_direction(character);
    !text.trim().is_empty() && text.chars().count() <= characters_max && !text.contains(is_refused)
}

/// Whether a character makes what is around it be shown in another order (Unicode Standard Annex #9 §2), so that a text can look
/// like another one.
#[must_use]
pub const fn turns_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_characters_that_hide_what_it_says() {
        for (text, is_right) in [
            ("Photos", true),
            ("عکس\u{200c}ها", true),
            ("", false),
            (" ", false),
            ("a\nb", false),
            ("\u{1b}[2J", false),
            ("sotohP\u{202e}", false),
            ("\u{2066}Photos\u{2069}", false),
            ("Photos\u{200f}", false),
            ("Photos!!", false),
        ] {
            assert_eq!(is_line(text, 7), is_right, "{text:?}");
        }
    }
}
