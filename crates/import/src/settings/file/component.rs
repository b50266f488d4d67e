use crate::settings::file::identity::{line_of, parse};
use crate::settings::file::{OptionFile, OptionFileError};
use crate::settings::{OptionValue, System};

/// Reads the defaults in config.xml of redCORE's component: its fields with a `default`.
pub(super) fn read(text: &str) -> Result<OptionFile, OptionFileError> {
    let document = parse(text)?;
    let mut file = OptionFile::default();
    for field in document.descendants().filter(|node| node.has_tag_name("field")) {
        let (Some(name), Some(default)) = (field.attribute("name"), field.attribute("default")) else { continue };
        let option = System::Redcore.option(name);
        if option.is_none() || !default.is_empty() {
            file.add(option, name, OptionValue::Text(default.to_owned()), line_of(&document, field))?;
        }
    }
    if file.options.is_empty() {
        let told = "no <field> is an option of redCORE's OAuth2 server; name config.xml of com_redcore, or its options as JSON";
        return Err(OptionFileError { line: 1, told: told.to_owned() });
    }
    Ok(file)
}
