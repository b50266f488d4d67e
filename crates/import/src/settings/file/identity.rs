use roxmltree::{Document, Error, Node};

use crate::settings::file::{OptionFault, OptionFile};
use crate::settings::{ELEMENTS, OptionValue, System};

/// Reads the element `<OAuth>` of identity.xml.
pub(super) fn read(text: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    let document = parse(text)?;
    let mut found = document.descendants().filter(|node| node.tag_name().name() == "OAuth");
    let Some(oauth) = found.next() else {
        let told = "there is no element <OAuth>; name identity.xml, or deployment.toml".to_owned();
        return Err(OptionFault { line: 1, told });
    };
    if let Some(second) = found.next() {
        let told = format!("there is an element <OAuth> in line {} already; keep one", line_of(&document, oauth));
        file.refuse(line_of(&document, second), told);
    }
    visit(&document, oauth, "", file)
}

/// The tree of a file.
pub(super) fn parse(text: &str) -> Result<Document<'_>, OptionFault> {
    Document::parse(text).map_err(|error| {
        let line = usize::try_from(error.pos().row).unwrap_or(1);
        let column = usize::try_from(error.pos().col).unwrap_or(1);
        let rest = text.lines().nth(line - 1).map(|line| line.chars().skip(column - 1));
        let begins_element =
            || rest.is_some_and(|mut rest| rest.next() == Some('<') && rest.next().is_some_and(char::is_alphabetic));
        let told = if error == Error::NoRootNode {
            "there is no element in this file; name the whole file".to_owned()
        } else if matches!(error, Error::UnknownToken(_)) && begins_element() {
            // Behind the root element the parser knows no other.
            "this element stands behind the root element, and there can be only one; name the whole file".to_owned()
        } else {
            format!("this is not XML: {error}")
        };
        OptionFault { line, told }
    })
}

/// The line of an element, from 1.
pub(super) fn line_of(document: &Document<'_>, node: Node<'_, '_>) -> usize {
    usize::try_from(document.text_pos_at(node.range().start).row).unwrap_or(1)
}

/// How deep below `<OAuth>` elements lie at most; WSO2's lie three deep.
const DEPTH_MAX: usize = 16;

fn visit(document: &Document<'_>, above: Node<'_, '_>, path: &str, file: &mut OptionFile) -> Result<(), OptionFault> {
    if path.split('/').count() >= DEPTH_MAX {
        let told = format!("more than {DEPTH_MAX} elements lie one in another below <OAuth>; name identity.xml");
        return Err(OptionFault { line: line_of(document, above), told });
    }
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
            file.add(option, &path, OptionValue::Text(value), line_of(document, element));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::settings::System;
    use crate::settings::file::OptionFile;

    #[test]
    fn elements_that_lie_too_deep_are_refused() {
        let deep = |count: usize| {
            let (open, close) = ("<a>".repeat(count), "</a>".repeat(count));
            let read = OptionFile::read(System::Wso2, &format!("<Server><OAuth>{open}x{close}</OAuth></Server>"));
            read.unwrap().faults
        };
        assert_eq!(deep(super::DEPTH_MAX), []);
        for count in [super::DEPTH_MAX + 1, 200_000] {
            assert!(deep(count)[0].told.contains("one in another"), "{count}: {:?}", deep(count));
        }
    }
}
