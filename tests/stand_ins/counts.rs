//! That nothing that is known of a system is forgotten, and no row is without what shows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::expected::Expected;
use crate::system::{Mark, SYSTEMS, System};

/// How many successes, errors and other observations there are of each system, counted in its source, its documentation and
/// what was recorded from it: a line of a list of errors is one, and so is each statement of a sentence. redCORE is bshaffer's
/// library with a layer on top, so it has the library's rows but for what that version or layer does not have (`OPTIONS`, PKCE,
/// userinfo, revocation), and the paths and options, which are its own.
const ROWS: [(&str, &[(&str, usize)]); 5] = [
    (
        "bshaffer",
        &[
            ("Endpoints and requests", 29),
            ("Options", 9),
            ("Answers", 12),
            ("Errors", 27),
            ("Errors of an API", 8),
            ("Revocation", 6),
            ("Authorization", 12),
            ("Rotation", 5),
            ("Seen in the running original", 8),
        ],
    ),
    (
        "redcore",
        &[
            ("Endpoints", 15),
            ("Options", 7),
            ("What redCORE adds to the library", 7),
            ("Requests, as in the library", 23),
            ("Answers, as in the library", 11),
            ("Errors, as in the library", 25),
            ("Errors of an API", 8),
            ("Authorization, as in the library", 10),
            ("Rotation, as in the library", 5),
            ("Seen in the running original", 2),
        ],
    ),
    (
        "wso2",
        &[
            ("Endpoints and requests", 16),
            ("Answers", 8),
            ("Errors", 21),
            ("Revocation", 6),
            ("Introspection", 3),
            ("Rotation", 9),
        ],
    ),
    (
        "dotauth",
        &[
            ("Endpoints and requests", 15),
            ("Answers", 9),
            ("Errors", 10),
            ("Revocation", 3),
            ("Introspection", 3),
            ("Rotation", 6),
        ],
    ),
    ("jiko", &[("What the documentation shows", 23)]),
];

#[test]
fn nothing_that_is_known_of_a_system_is_forgotten() {
    assert_eq!(ROWS.map(|(name, _)| name), SYSTEMS);
    for (name, expected) in ROWS {
        let mut counted = BTreeMap::new();
        for row in &System::read(name).rows {
            *counted.entry(row.section.clone()).or_insert(0) += 1;
        }
        let expected = expected.iter().map(|(section, rows)| ((*section).to_owned(), *rows)).collect();
        assert_eq!(counted, expected, "{name}");
    }
}

#[test]
fn every_row_has_its_case() {
    for name in SYSTEMS {
        let system = System::read(name);
        let mut ids = BTreeSet::new();
        for row in &system.rows {
            let called = format!("{name} {}", row.id);
            assert!(ids.insert(&row.id), "{called} is there twice");
            assert!(!row.original.is_empty() && !row.what.is_empty(), "{called} says too little");
            match row.mark {
                Mark::Identical => assert!(row.why.is_none(), "{called} is identical, and says why it is not"),
                Mark::Alike | Mark::Safer | Mark::NotOffered => {
                    assert!(row.why.as_ref().is_some_and(|why| !why.is_empty()), "{called} does not say why");
                }
            }
            assert_eq!(row.cases.is_empty(), row.mark == Mark::NotOffered, "{called} has no case, or one for nothing");
        }
    }
}

#[test]
fn what_is_identical_is_told_to_the_last_byte() {
    for name in SYSTEMS {
        let system = System::read(name);
        for row in system.rows.iter().filter(|row| row.mark == Mark::Identical) {
            for (number, case) in row.cases.iter().enumerate() {
                let is_whole = Expected::parse(&case.answer, &system).is_whole();
                assert!(is_whole, "{name} {} is identical, and its case {} leaves something open", row.id, number + 1);
            }
        }
    }
}

#[test]
fn an_answer_is_whole_where_nothing_of_it_is_left_open() {
    let system = System::read("bshaffer");
    for (answer, is_whole) in [
        ("200 success\n\n{\"access_token\":\"{access_token}\"}", true),
        ("200\n?Cache-Control: {text}\n", true),
        ("200 any", false),
        ("200 page", false),
        ("200 any\n\n{\"active\":false}", false),
        ("303 redirect\nLocation: https://app.example/", false),
        ("200 success\n\n{\"active\":true,{any}}", false),
        ("400 error\n\n{\"error\":\"x\",\"error_description\":\"{text}\"}", false),
        ("200\nContent-Type: application/json{any}\n", false),
    ] {
        assert_eq!(Expected::parse(answer, &system).is_whole(), is_whole, "{answer}");
    }
}

#[test]
fn every_named_request_is_used() {
    for name in SYSTEMS {
        let system = System::read(name);
        let cases = || system.rows.iter().flat_map(|row| &row.cases);
        for request in system.requests.keys() {
            assert!(cases().any(|case| case.before.contains(request)), "{name}: nobody begins with {request:?}");
        }
    }
}
