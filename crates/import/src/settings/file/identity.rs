use roxmltree::{Document, Node};

use crate::settings::file::{OptionFile, OptionFileError};
use crate::settings::{ELEMENTS, OptionValue, System};

/// Reads the element `<OAuth>` of identity.xml.
pub(super) fn read(text: &str) -> Result<OptionFile, OptionFileError> {
    let document = parse(text)?;
    let oauth = document.descendants().find(|node| node.has_tag_name("OAuth") || node.tag_name().name() == "OAuth");
    let Some(oauth) = oauth else {
        let told = "there is no element <OAuth>; name identity.xml, or deployment.toml".to_owned();
        return Err(OptionFileError { line: 1, told });
    };
    let mut file = OptionFile::default();
    visit(&document, oauth, "", &mut file)?;
    Ok(file)
}

/// The tree of a file.
pub(super) fn parse(text: &str) -> Result<Document<'_>, OptionFileError> {
    Document::parse(text).map_err(|error| {
        let line = usize::try_from(error.pos().row).unwrap_or(1);
        OptionFileError { line, told: format!("this is not XML: {error}") }
    })
}

/// The line of an element, from 1.
pub(super) fn line_of(document: &Document<'_>, node: Node<'_, '_>) -> usize {
    usize::try_from(document.text_pos_at(node.range().start).row).unwrap_or(1)
}

fn visit(
    document: &Document<'_>,
    above: Node<'_, '_>,
    path: &str,
    file: &mut OptionFile,
) -> Result<(), OptionFileError> {
    for element in above.children().filter(Node::is_element) {
        let name = element.tag_name().name();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        if element.children().any(|child| child.is_element()) {
            visit(document, element, &path, file)?;
            continue;
        }
        let known = ELEMENTS.iter().find(|(element, _)| *element == path);
        let option = known.and_then(|(_, name)| System::Wso2.option(name));
        let value = element.text().unwrap_or_default().trim().to_owned();
        // An element that is there and empty says nothing.
        if option.is_none() || !value.is_empty() {
            file.add(option, &path, OptionValue::Text(value), line_of(document, element))?;
        }
    }
    Ok(())
}
