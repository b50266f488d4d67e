/// The longest text that is told as it is, in characters.
const TOLD_CHARACTERS_MAX: usize = 400;
/// How many characters of a longer one are told at its beginning, and at its end.
const ENDS_CHARACTERS: usize = 180;

/// What is told of `text`: all of it, or its beginning and its end. What a database holds may be a million characters long.
#[must_use]
pub fn shortened(text: &str) -> String {
    let cut = |at: Option<(usize, char)>| at.map_or(0, |(at, _)| at);
    if text.char_indices().nth(TOLD_CHARACTERS_MAX).is_none() {
        return text.to_owned();
    }
    let beginning = &text[..cut(text.char_indices().nth(ENDS_CHARACTERS))];
    let end = &text[cut(text.char_indices().rev().nth(ENDS_CHARACTERS - 1))..];
    format!("{beginning} … {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_told_by_its_ends() {
        let fits = "ü".repeat(TOLD_CHARACTERS_MAX);
        assert_eq!(shortened(&fits), fits);
        let told = shortened(&format!("\"{}\" is no date", "ü".repeat(1_000_000)));
        assert!(told.starts_with("\"üü") && told.ends_with("ü\" is no date") && told.contains(" … "), "{told}");
        assert_eq!(told.chars().count(), 2 * ENDS_CHARACTERS + 3);
    }
}
