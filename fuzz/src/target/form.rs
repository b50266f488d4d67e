use std::collections::BTreeSet;

use regrant_protocol::{
    ClientAuthentication, FORM_BYTES_MAX, IntrospectionRequest, PARAMETER_COUNT_MAX, PARAMETER_NAME_BYTES_MAX,
    PARAMETER_VALUE_BYTES_MAX, Params, RevocationRequest, TokenRequest,
};

/// A form that is read is within its bounds, has no parameter twice and none that is empty, and says what it says to
/// another reader.
pub(crate) fn run(data: &[u8]) {
    let Ok(params) = Params::parse(data) else { return };
    assert!(data.len() <= FORM_BYTES_MAX);

    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    assert!(pairs.len() <= PARAMETER_COUNT_MAX);
    let mut seen = BTreeSet::new();
    for (name, value) in &pairs {
        assert!(name.len() <= PARAMETER_NAME_BYTES_MAX && value.len() <= PARAMETER_VALUE_BYTES_MAX);
        assert!(seen.insert(name.as_ref()) || name == "resource", "{name:?} came twice");
        let expected: Vec<&str> = pairs
            .iter()
            .filter(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| &**value)
            .collect();
        assert_eq!(params.all(name).collect::<Vec<_>>(), expected, "{name:?}");
        assert_eq!(params.get(name), expected.first().copied(), "{name:?}");
    }

    // What reads the parameters must take whatever is in them.
    let _ = TokenRequest::parse(&params);
    let _ = RevocationRequest::parse(&params);
    let _ = IntrospectionRequest::parse(&params);
    let _ = ClientAuthentication::find(None, &params);
}
