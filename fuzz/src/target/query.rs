use std::collections::BTreeSet;

use regrant_protocol::{Params, ParamsError};

/// The tolerant reading of a form takes what the strict one takes, and beyond it only what comes twice, which has no value.
pub(crate) fn run(data: &[u8]) {
    let strict = Params::parse(data);
    let params = match Params::parse_noting_repeats(data) {
        Ok(params) => params,
        Err(error) => return assert_eq!(strict.err(), Some(error), "a fault is one to both"),
    };
    let repeated: BTreeSet<&str> = params.repeated().collect();
    match &strict {
        Ok(_) => assert!(repeated.is_empty(), "what comes twice is refused"),
        Err(ParamsError::Repeated(name)) => assert!(repeated.contains(name.as_str()), "{name:?} comes once"),
        Err(error) => panic!("only the strict reading finds {error:?}"),
    }

    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    for (name, _) in &pairs {
        let values: Vec<&str> = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| &**value).collect();
        let is_repeated = values.len() > 1 && name != "resource";
        assert_eq!(params.is_repeated(name), is_repeated, "{name:?}");
        assert_eq!(repeated.contains(&**name), is_repeated, "{name:?}");
        let expected = values.into_iter().filter(|value| !is_repeated && !value.is_empty());
        assert_eq!(params.all(name).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name:?}");
        if let Ok(strict) = &strict {
            assert_eq!(strict.get(name), params.get(name), "{name:?} is the same to both");
        }
    }
}
