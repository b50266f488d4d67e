use std::collections::BTreeSet;

use regrant_protocol::{
    ClientAuthentication, FORM_BYTES_MAX, IntrospectionRequest, PARAMETER_COUNT_MAX, PARAMETER_NAME_BYTES_MAX,
    PARAMETER_VALUE_BYTES_MAX, Params, ParamsError, RevocationRequest, Secret, TokenRequest,
};

/// A form that is read is within its bounds, has no parameter twice and none that is empty, and says what it says to
/// another reader; where the last of several counts, it is that reader's last.
pub(crate) fn run(data: &[u8]) {
    let last = Params::parse_last_wins(data);
    match Params::parse(data) {
        Ok(params) => {
            once(data, &params);
            let last = last.as_ref().expect("what has no parameter twice is read either way");
            assert!(params.pairs().eq(last.pairs()), "and means the same");
        }
        Err(ParamsError::Repeated(_)) => assert!(last.is_ok(), "nothing else is wrong with it"),
        Err(error) => assert_eq!(last.as_ref().err(), Some(&error), "the bounds are the same"),
    }
    if let Ok(params) = last {
        last_wins(data, &params);
        take_whatever_is_in(&params);
    }
}

fn once(data: &[u8], params: &Params) {
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    let mut seen = BTreeSet::new();
    for (name, _) in &pairs {
        assert!(seen.insert(name.as_ref()) || name == "resource", "{name:?} came twice");
        let expected: Vec<&str> = pairs
            .iter()
            .filter(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| &**value)
            .collect();
        assert_eq!(params.all(name).collect::<Vec<_>>(), expected, "{name:?}");
        assert_eq!(params.get(name), expected.first().copied(), "{name:?}");
    }
}

fn last_wins(data: &[u8], params: &Params) {
    assert!(data.len() <= FORM_BYTES_MAX);
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    assert!(pairs.len() <= PARAMETER_COUNT_MAX);
    for (name, value) in &pairs {
        assert!(name.len() <= PARAMETER_NAME_BYTES_MAX && value.len() <= PARAMETER_VALUE_BYTES_MAX);
        if name != "resource" {
            let last = pairs.iter().rfind(|(other, _)| other == name).map(|(_, value)| &**value);
            assert_eq!(params.get(name), last.filter(|value| !value.is_empty()), "{name:?}");
            assert!(params.all(name).count() <= 1, "{name:?} has one value");
        }
    }
}

/// What reads the parameters must take whatever is in them.
fn take_whatever_is_in(params: &Params) {
    let _ = TokenRequest::parse(params);
    let _ = RevocationRequest::parse(params);
    let _ = IntrospectionRequest::parse(params);
    let _ = ClientAuthentication::find(None, params);
}

/// Pairs that another body brought mean what the form that says the same means, and have its bounds.
pub(crate) fn agrees_with_the_form(pairs: &[(String, Secret)]) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        form.append_pair(name, value.expose());
    }
    let form = form.finish().into_bytes();
    // Written as a form, it can be longer than it came.
    if form.len() > FORM_BYTES_MAX {
        return;
    }
    for (of_pairs, of_form) in [
        (Params::of(pairs.to_vec()), Params::parse(&form)),
        (Params::of_which_last_wins(pairs.to_vec()), Params::parse_last_wins(&form)),
    ] {
        match (of_pairs, of_form) {
            (Ok(of_pairs), Ok(of_form)) => assert!(of_pairs.pairs().eq(of_form.pairs()), "they mean the same"),
            (of_pairs, of_form) => assert_eq!(of_pairs.err(), of_form.err(), "the bounds are the same"),
        }
    }
}
