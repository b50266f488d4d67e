//! What the metadata means (RFC 8414, OpenID Connect Discovery).

use super::super::observations::{Document, Metadata};
use super::Grade::{Bad, Note, Warning};
use super::{Finding, Grade};

const TOPIC: &str = "metadata";

/// What the documents mean, of which the first counts.
pub(super) fn findings(issuer: &str, documents: &[Document]) -> Vec<Finding> {
    let Some((at, metadata)) = documents.iter().find_map(|own| Some((&own.url, own.metadata()?))) else {
        let seen = format!("there is none at any of its {} places", documents.len());
        return vec![Finding::new(
            Bad,
            TOPIC,
            seen,
            "check the issuer's spelling; without metadata every client has to be told the endpoints by hand",
        )];
    };
    let mut findings = vec![places(documents, at, metadata)];
    let mut hold = |is_wrong: bool, grade: Grade, seen: String, advice: &str| {
        if is_wrong {
            findings.push(Finding::new(grade, TOPIC, seen, advice));
        }
    };
    hold(
        metadata.issuer != issuer,
        Bad,
        format!("it is that of issuer {:?}", metadata.issuer),
        "give the issuer exactly as it names itself: clients refuse metadata of another (RFC 8414 section 3.3)",
    );
    let is_secure = |url: &str| url.starts_with("https://") || issuer.starts_with("http://");
    hold(
        !is_secure(&metadata.token_endpoint),
        Bad,
        format!("the token endpoint is {}", metadata.token_endpoint),
        "serve it over https: secrets would travel in the clear",
    );
    hold(
        metadata.authorization_endpoint.is_some()
            && !metadata.code_challenge_methods_supported.iter().any(|method| method == "S256"),
        Warning,
        "it does not say that PKCE with S256 is known".to_owned(),
        "name S256 in code_challenge_methods_supported: clients by the rules of MCP refuse a server that does not",
    );
    hold(
        metadata.authorization_endpoint.is_some() && !metadata.authorization_response_iss_parameter_supported,
        Note,
        "answers to logins do not name the issuer".to_owned(),
        "send iss (RFC 9207): a client of several servers cannot tell whose code it got otherwise",
    );
    hold(
        metadata.revocation_endpoint.is_none(),
        Warning,
        "there is no revocation endpoint".to_owned(),
        "offer one (RFC 7009): a logout leaves the refresh token alive otherwise",
    );
    hold(
        metadata.id_token_signing_alg_values_supported.iter().any(|name| name == "none"),
        Warning,
        "ID tokens may be unsigned (\"none\")".to_owned(),
        "take \"none\" out of id_token_signing_alg_values_supported",
    );
    findings
}

fn places(documents: &[Document], at: &str, metadata: &Metadata) -> Finding {
    let found: Vec<&Metadata> = documents.iter().filter_map(Document::metadata).collect();
    if found.iter().any(|other| other.token_endpoint != metadata.token_endpoint || other.issuer != metadata.issuer) {
        return Finding::new(
            Bad,
            TOPIC,
            "its places name different issuers or token endpoints",
            "serve one document at all of them: which one a client meets is chance",
        );
    }
    if found.len() == documents.len() {
        return Finding::good(TOPIC, format!("at all of its {} places", documents.len()));
    }
    Finding::new(
        Note,
        TOPIC,
        format!("at {} of its {} places, the first of them {at}", found.len(), documents.len()),
        "serve the same document at the others: some clients look in one place only",
    )
}
