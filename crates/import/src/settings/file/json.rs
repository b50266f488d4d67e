use serde_json::{Map, Value};

use crate::settings::file::{OptionFile, OptionFileError, line_at};
use crate::settings::{OptionValue, System};

/// Reads one JSON object with the options of `system`.
pub(super) fn read(system: System, text: &str) -> Result<OptionFile, OptionFileError> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        let told = format!("this is not the options as one JSON object: {error}");
        OptionFileError { line: error.line().max(1), told }
    })?;
    let mut file = OptionFile::default();
    for (name, value) in object {
        let line = text.find(&format!("\"{name}\"")).map_or(1, |at| line_at(text, at));
        let option = system.option(&name);
        let value = match value {
            // What is not set.
            Value::Null => continue,
            Value::Bool(is_on) => OptionValue::Switch(is_on),
            Value::String(text) => OptionValue::Text(text),
            Value::Number(number) if number.is_i64() => OptionValue::Number(number.as_i64().unwrap_or_default()),
            Value::Number(_) | Value::Array(_) | Value::Object(_) if option.is_some() => {
                let told = format!("the value of {name} cannot be read; write a text, a whole number, true or false");
                return Err(OptionFileError { line, told });
            }
            Value::Number(_) | Value::Array(_) | Value::Object(_) => OptionValue::Switch(true),
        };
        // Joomla keeps a field that was left empty as an empty text.
        if option.is_none() || value != OptionValue::Text(String::new()) {
            file.add(option, &name, value, line)?;
        }
    }
    file.options.sort_by_key(|option| option.line);
    file.others.sort_by_key(|other| other.line);
    Ok(file)
}
