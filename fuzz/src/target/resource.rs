use regrant_protocol::{Resource, Resources};

/// A resource is an absolute URI without a fragment, kept as it was written; a set of them has each once.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let texts: Vec<&str> = text.split('\n').collect();
    for text in &texts {
        let Ok(resource) = Resource::parse(text) else { continue };
        assert_eq!(resource.as_str(), *text, "it is kept as it was written");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte)), "{text:?}");
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        assert!(scheme.starts_with(|first: char| first.is_ascii_alphabetic()), "{text:?} has a scheme");
    }

    let read = Resources::parse(texts.iter().copied());
    assert_eq!(read.is_ok(), texts.iter().all(|text| Resource::parse(text).is_ok()), "one that is none spoils the set");
    let Ok(resources) = read else { return };
    let kept: Vec<&Resource> = resources.iter().collect();
    assert!(kept.iter().enumerate().all(|(index, resource)| !kept[..index].contains(resource)), "each once");
    assert!(texts.iter().all(|text| kept.iter().any(|resource| resource.as_str() == *text)), "none is lost");
    assert!(resources.is_within(&resources) && Resources::none().is_within(&resources));
}
