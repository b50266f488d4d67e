use crate::config::problem::Fault;

/// `text`, if people can read it on one line: 1 to `characters_max` characters, and not only spaces.
pub(super) fn one_line(text: &str, characters_max: usize) -> Result<String, Fault> {
    if text.trim().is_empty() || text.chars().count() > characters_max || text.contains(char::is_control) {
        return Err(Fault::Value(format!("{text:?} is not a text of 1 to {characters_max} characters on one line")));
    }
    Ok(text.to_owned())
}
