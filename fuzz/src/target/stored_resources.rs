use regrant_protocol::{Resource, Resources};

use regrant_store::stored::resources as rows;

/// The resources of a grant or consent are written as they were read, each once, or refused.
pub(crate) fn run(data: &[u8]) {
    assert_eq!(rows::from_text(None), Ok(Resources::none()));
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(resources) = rows::from_text(Some(text.to_owned())) else { return };
    assert!(text.split(' ').all(|name| resources.iter().map(Resource::as_str).any(|own| own == name)), "none is lost");
    let written = rows::to_text(&resources).expect("a text names one at least");
    assert!(written.len() <= text.len());
    assert_eq!(rows::from_text(Some(written)).as_ref(), Ok(&resources), "what was written is read back");
}
