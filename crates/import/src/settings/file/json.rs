use serde_json::{Map, Value};

use crate::settings::file::{FoundChoice, OptionFault, OptionFile, line_at};
use crate::settings::{OptionValue, System};

/// Reads one JSON object with the options of `system`. What a client of a database wrote may have the name of the column
/// above it.
pub(super) fn read(system: System, text: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    // The end of its line stays, so that lines are counted right.
    let headless = text.starts_with(COLUMN).then(|| &text[COLUMN.len() - 1..]);
    let text = headless.unwrap_or(text);
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        let told = format!("this is not the options as one JSON object: {error}");
        OptionFault { line: error.line().max(1), told }
    })?;
    for (name, value) in object {
        let line = text.find(&format!("\"{name}\"")).map_or(1, |at| line_at(text, at));
        let option = system.option(&name);
        if let (System::Redcore, Some(LIFETIME), Value::String(text)) =
            (system, option.map(|option| option.name), &value)
            && !text.is_empty()
        {
            file.dialect.push(FoundChoice { key: "expires_in", value: "string", line, why: SAVED });
        }
        let value = match value {
            // What is not set.
            Value::Null => continue,
            Value::Bool(is_on) => OptionValue::Switch(is_on),
            Value::String(text) => OptionValue::Text(text),
            Value::Number(number) if number.is_i64() => OptionValue::Number(number.as_i64().unwrap_or_default()),
            Value::Number(_) | Value::Array(_) | Value::Object(_) if option.is_some() => {
                let told = format!("the value of {name} cannot be read; write a text, a whole number, true or false");
                file.refuse(line, told);
                continue;
            }
            Value::Number(_) | Value::Array(_) | Value::Object(_) => OptionValue::Switch(true),
        };
        // Joomla keeps a field that was left empty as an empty text.
        if option.is_none() || value != OptionValue::Text(String::new()) {
            file.add(option, &name, value, line);
        }
    }
    Ok(())
}

/// Where Joomla keeps the options.
const COLUMN: &str = "params\n";
/// The option that redCORE tells as it is kept.
const LIFETIME: &str = "oauth2_access_lifetime";
const SAVED: &str = "these options were saved in Joomla, which keeps numbers as texts, and since then redCORE answers expires_in as a \
     text too: \"3600\" and not 3600";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(system: System, text: &str) -> OptionFile {
        OptionFile::read(system, text).unwrap()
    }

    #[test]
    fn options_that_joomla_saved_make_expires_in_a_text() {
        for (system, lifetime, is_text) in [
            (System::Redcore, "\"7200\"", true),
            (System::Redcore, "7200", false),
            (System::Redcore, "\"\"", false),
            (System::Redcore, "null", false),
            (System::Bshaffer, "\"7200\"", false),
        ] {
            let name = if system == System::Redcore { LIFETIME } else { "access_lifetime" };
            let file = file(system, &format!("{{\n\"{name}\": {lifetime}}}"));
            let found: Vec<_> = file.dialect.iter().map(|choice| (choice.key, choice.value, choice.line)).collect();
            let expected: &[_] = if is_text { &[("expires_in", "string", 2)] } else { &[] };
            assert_eq!(found, expected, "{system:?} {lifetime}");
        }
    }

    #[test]
    fn the_name_of_the_column_may_stand_above() {
        let found = file(System::Redcore, "params\n{\"oauth2_access_lifetime\":\"7200\"}\n");
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        assert_eq!(found.options[0].value, OptionValue::Number(7200));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let found =
            file(System::Bshaffer, "{\"access_lifetime\": [],\n\"id_lifetime\": \"x\",\n\"enforce_pkce\": \"y\"}");
        assert_eq!(found.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
