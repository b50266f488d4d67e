use super::super::behaviour::{Behaviour, Outcome};
use super::super::observations::{CertificateFault, Document, Key, Keys, Metadata, Refresh, Tls};
use super::Grade::{self, Bad, Good, Note, Warning};
use super::*;

const ISSUER: &str = "https://id.example";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn metadata() -> Metadata {
    Metadata {
        issuer: ISSUER.to_owned(),
        token_endpoint: "https://id.example/token".to_owned(),
        authorization_endpoint: Some("https://id.example/authorize".to_owned()),
        revocation_endpoint: Some("https://id.example/revoke".to_owned()),
        jwks_uri: Some("https://id.example/jwks".to_owned()),
        code_challenge_methods_supported: vec!["S256".to_owned()],
        authorization_response_iss_parameter_supported: true,
        ..Metadata::default()
    }
}

fn key() -> Key {
    Key {
        kid: Some("1".to_owned()),
        kind: "P-256".to_owned(),
        algorithm: Some("ES256".to_owned()),
        bits: None,
        is_private: false,
    }
}

fn document(name: &str, metadata: Option<Metadata>) -> Document {
    Document { url: format!("{ISSUER}/{name}"), status: if metadata.is_some() { 200 } else { 404 }, metadata }
}

/// A server that could not be better.
fn best() -> Observations {
    Observations {
        issuer: ISSUER.to_owned(),
        documents: vec![document("a", Some(metadata())), document("b", Some(metadata()))],
        clock_offset_seconds: Some(0),
        tls: Tls::Some { version: "1.3", certificate_ends_at: Some(NOW.seconds() + 60 * 24 * 3600) },
        keys: Keys::Some { keys: vec![key()] },
        refresh: Refresh::Tried(Behaviour {
            refresh: Some(Outcome::Rotated),
            retry: Some(Outcome::SameSuccessor),
            after_retry: Some(Outcome::Rotated),
            reuse: Some(refused()),
            after_reuse: Some(refused()),
        }),
    }
}

fn refused() -> Outcome {
    Outcome::Refused { error: "invalid_grant".to_owned() }
}

/// What is not good, as grade and topic.
fn told(seen: &Observations) -> Vec<(Grade, &'static str)> {
    let told = findings(seen, NOW);
    for finding in &told {
        assert_eq!(finding.grade == Good, finding.advice.is_none(), "whatever is not good has advice: {finding:?}");
    }
    told.into_iter().filter(|finding| finding.grade != Good).map(|finding| (finding.grade, finding.topic)).collect()
}

#[test]
fn what_could_not_be_better_is_good_in_every_topic() {
    assert_eq!(told(&best()), []);
    let topics: Vec<_> = findings(&best(), NOW).into_iter().map(|finding| finding.topic).collect();
    assert_eq!(topics, ["metadata", "clock", "tls", "keys", "rotation", "retry", "reuse"]);
}

#[test]
fn every_fault_of_the_metadata_is_told() {
    type Change = fn(&mut Metadata);
    let cases: [(Change, Grade); 6] = [
        (|own| own.issuer = "https://id.example/".to_owned(), Bad),
        (|own| own.token_endpoint = "http://id.example/token".to_owned(), Bad),
        (|own| own.code_challenge_methods_supported = vec!["plain".to_owned()], Warning),
        (|own| own.authorization_response_iss_parameter_supported = false, Note),
        (|own| own.revocation_endpoint = None, Warning),
        (|own| own.id_token_signing_alg_values_supported = vec!["ES256".to_owned(), "none".to_owned()], Warning),
    ];
    for (change, grade) in cases {
        let mut changed = metadata();
        change(&mut changed);
        let documents = vec![document("a", Some(changed))];
        assert_eq!(
            told(&Observations { documents: documents.clone(), ..best() }),
            [(grade, "metadata")],
            "{documents:?}"
        );
    }
    let other = Metadata { token_endpoint: "https://id.example/other".to_owned(), ..metadata() };
    for (documents, grade) in [
        (vec![document("a", None), document("b", None)], Bad),
        (vec![document("a", None), document("b", Some(metadata()))], Note),
        (vec![document("a", Some(metadata())), document("b", Some(other))], Bad),
    ] {
        assert_eq!(
            told(&Observations { documents: documents.clone(), ..best() }),
            [(grade, "metadata")],
            "{documents:?}"
        );
    }
}

#[test]
fn clocks_are_judged_by_their_difference() {
    for (offset, grade) in [
        (None, Some(Note)),
        (Some(0), None),
        (Some(-9), None),
        (Some(10), Some(Warning)),
        (Some(-299), Some(Warning)),
        (Some(300), Some(Bad)),
        (Some(-86_400), Some(Bad)),
    ] {
        let expected: Vec<_> = grade.map(|grade| (grade, "clock")).into_iter().collect();
        assert_eq!(told(&Observations { clock_offset_seconds: offset, ..best() }), expected, "{offset:?}");
    }
}

#[test]
fn tls_is_judged_by_its_version_and_the_end_of_the_certificate() {
    let tls = |version, days: i64| Tls::Some { version, certificate_ends_at: Some(NOW.seconds() + days * 24 * 3600) };
    for (tls, grade) in [
        (tls("1.3", 14), None),
        (tls("1.3", 13), Some(Warning)),
        (tls("1.3", -1), Some(Bad)),
        (tls("1.2", 60), Some(Note)),
        (tls("1.2", 13), Some(Warning)),
        (Tls::Some { version: "1.3", certificate_ends_at: None }, Some(Note)),
        (Tls::None, Some(Note)),
        (Tls::Failed { cause: "protocol version".to_owned() }, Some(Bad)),
    ] {
        let expected: Vec<_> = grade.map(|grade| (grade, "tls")).into_iter().collect();
        assert_eq!(told(&Observations { tls: tls.clone(), ..best() }), expected, "{tls:?}");
    }
}

#[test]
fn weak_and_private_keys_are_told() {
    let rsa = |bits| Key { kind: "RSA".to_owned(), bits: Some(bits), ..key() };
    let other = |kid: Option<&str>| Key { kid: kid.map(str::to_owned), ..key() };
    for (keys, grade) in [
        (Keys::Some { keys: vec![rsa(2048)] }, None),
        (Keys::Some { keys: vec![rsa(2047)] }, Some(Bad)),
        (Keys::Some { keys: vec![Key { is_private: true, ..key() }] }, Some(Bad)),
        (Keys::Some { keys: vec![] }, Some(Bad)),
        (Keys::Some { keys: vec![key(), other(Some("2"))] }, None),
        (Keys::Some { keys: vec![key(), other(Some("1"))] }, Some(Warning)),
        (Keys::Some { keys: vec![key(), other(None)] }, Some(Warning)),
        (Keys::Some { keys: vec![other(None)] }, None),
        (Keys::NotNamed, Some(Note)),
        (Keys::Unreadable { cause: "status 404".to_owned() }, Some(Bad)),
    ] {
        let expected: Vec<_> = grade.map(|grade| (grade, "keys")).into_iter().collect();
        assert_eq!(told(&Observations { keys: keys.clone(), ..best() }), expected, "{keys:?}");
    }
}

#[test]
fn what_a_lost_answer_and_a_spent_token_do_is_judged() {
    use Outcome::{Echoed, Omitted, Rotated, SameSuccessor};
    let unclear = || Outcome::Unclear { cause: "status 502".to_owned() };
    let no = refused;
    // What a refresh, its retry, the token after it, an old token, and the token after that came to.
    type Case = ([Option<Outcome>; 5], Vec<(Grade, &'static str)>);
    let cases: Vec<Case> = vec![
        ([Some(Rotated), Some(SameSuccessor), Some(Rotated), Some(no()), Some(no())], vec![]),
        ([Some(Rotated), Some(SameSuccessor), Some(Rotated), Some(no()), Some(Rotated)], vec![(Warning, "reuse")]),
        ([Some(Rotated), Some(SameSuccessor), Some(Rotated), Some(Rotated), Some(Rotated)], vec![(Warning, "reuse")]),
        ([Some(Rotated), Some(Rotated), Some(Rotated), Some(no()), Some(no())], vec![(Note, "retry")]),
        ([Some(Rotated), Some(Rotated), Some(no()), None, None], vec![(Bad, "retry")]),
        ([Some(Rotated), Some(no()), Some(Rotated), Some(no()), Some(no())], vec![(Bad, "retry")]),
        ([Some(Rotated), Some(no()), Some(no()), None, None], vec![(Bad, "retry")]),
        (
            [Some(Rotated), Some(unclear()), Some(Rotated), Some(unclear()), Some(Rotated)],
            vec![(Warning, "retry"), (Warning, "reuse")],
        ),
        ([Some(Echoed), Some(Echoed), Some(Echoed), None, None], vec![(Note, "rotation")]),
        ([Some(Omitted), Some(Omitted), Some(Omitted), None, None], vec![(Note, "rotation")]),
        ([Some(Omitted), Some(no()), Some(no()), None, None], vec![(Note, "rotation"), (Bad, "retry")]),
        ([Some(no()), None, None, None, None], vec![(Bad, "rotation")]),
        ([Some(unclear()), None, None, None, None], vec![(Warning, "rotation")]),
        ([None, None, None, None, None], vec![(Warning, "rotation")]),
    ];
    for ([refresh, retry, after_retry, reuse, after_reuse], expected) in cases {
        let behaviour = Behaviour { refresh, retry, after_retry, reuse, after_reuse };
        let refresh = Refresh::Tried(behaviour.clone());
        assert_eq!(told(&Observations { refresh, ..best() }), expected, "{behaviour:?}");
    }
    for (refresh, grade) in [
        (Refresh::NotTried, Note),
        (Refresh::NoToken, Warning),
        (Refresh::NoLogin { cause: "invalid_client".to_owned() }, Bad),
    ] {
        assert_eq!(told(&Observations { refresh, ..best() }), [(grade, "refresh")]);
    }
}

#[test]
fn of_a_server_whose_certificate_is_refused_nothing_else_is_told() {
    use CertificateFault::{Expired, NotYetValid, Other, OtherName, UnknownIssuer};
    for (fault, expected) in [
        (Expired, "renew"),
        (NotYetValid, "clock"),
        (UnknownIssuer, "intermediate"),
        (OtherName, "host"),
        (Other, "replace"),
    ] {
        let tls = Tls::Untrusted { fault, cause: "it is refused".to_owned() };
        let seen = Observations::of_certificate(ISSUER.to_owned(), tls);
        assert_eq!(told(&seen), [(Bad, "tls")]);
        let advice = findings(&seen, NOW).pop().unwrap().advice.unwrap();
        assert!(advice.contains(expected), "{fault:?}: {advice}");
    }
}
