use crate::settings::file::identity::{line_of, parse};
use crate::settings::file::{OptionFault, OptionFile};
use crate::settings::{OptionValue, System};

/// Reads the defaults in config.xml of redCORE's component: its fields with a `default`.
pub(super) fn read(text: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    let document = parse(text)?;
    for field in document.descendants().filter(|node| node.has_tag_name("field")) {
        let (Some(name), Some(default)) = (field.attribute("name"), field.attribute("default")) else { continue };
        let option = System::Redcore.option(name);
        if option.is_none() || !default.is_empty() {
            file.add(option, name, OptionValue::Text(default.to_owned()), line_of(&document, field));
        }
    }
    if file.options.is_empty() && file.faults.is_empty() {
        let told = "no <field> is an option of redCORE's OAuth2 server; name config.xml of com_redcore, or its options as JSON";
        return Err(OptionFault { line: 1, told: told.to_owned() });
    }
    Ok(())
}
