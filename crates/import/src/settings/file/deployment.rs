use toml::de::{DeTable, DeValue};

use crate::settings::file::{OptionFault, OptionFile, line_at};
use crate::settings::{DEPLOYMENT_KEYS, OptionValue, System};

/// Reads the keys below `oauth` of deployment.toml.
pub(super) fn read(text: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        OptionFault { line, told: format!("this is not TOML: {}", error.message()) }
    })?;
    for (key, value) in root.get_ref() {
        let name = key.get_ref().as_ref();
        if let (DeValue::Table(table), "oauth") = (value.get_ref(), name) {
            visit(text, table, name, file);
        } else {
            file.add(None, name, OptionValue::Switch(true), line_at(text, key.span().start));
        }
    }
    Ok(())
}

fn visit(text: &str, table: &DeTable<'_>, path: &str, file: &mut OptionFile) {
    for (key, value) in table {
        let line = line_at(text, key.span().start);
        let path = format!("{path}.{}", key.get_ref());
        let known = DEPLOYMENT_KEYS.iter().find(|(known, _)| *known == path);
        let option = known.and_then(|(_, name)| System::Wso2.option(name));
        let value = match value.get_ref() {
            DeValue::Table(below) => {
                visit(text, below, &path, file);
                continue;
            }
            DeValue::Boolean(is_on) => OptionValue::Switch(*is_on),
            DeValue::String(text) => OptionValue::Text(text.to_string()),
            DeValue::Integer(number) => match number.to_string().parse() {
                Ok(number) => OptionValue::Number(number),
                Err(_) => {
                    file.refuse(line, format!("the number of {path} is too large"));
                    continue;
                }
            },
            // No option is one of these.
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) if option.is_some() => {
                file.refuse(line, format!("the value of {path} cannot be read; write a text, a number, true or false"));
                continue;
            }
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => OptionValue::Switch(true),
        };
        file.add(option, &path, value, line);
    }
}
