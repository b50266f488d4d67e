//! The way to the database.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use regrant_databases::Postgres;
use regrant_protocol::Secret;
use regrant_store_postgres::{Address, OpenError};

use crate::node::open_at;

#[tokio::test]
async fn a_server_has_to_prove_that_it_is_the_host_that_was_asked_for() {
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (trusted, stranger) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &trusted).unwrap();
    let postgres = Postgres::start_with_tls(&certificate.pem(), &key.serialize_pem());
    let plain = Postgres::shared();

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (trusted, stranger) = (file("trusted.pem", &trusted.pem()), file("stranger.pem", &stranger.pem()));
    let empty = file("empty.pem", "");
    let port = postgres.port();
    for (why, host, port, parameters, is_refused) in [
        ("it proves itself", "localhost", port, format!("sslrootcert={trusted}"), false),
        ("it is of another name", "127.0.0.1", port, format!("sslrootcert={trusted}"), true),
        ("nobody we trust vouches for it", "localhost", port, format!("sslrootcert={stranger}"), true),
        ("we trust nobody", "localhost", port, format!("sslrootcert={empty}"), true),
        ("the system does not trust it", "localhost", port, "sslmode=verify-full".to_owned(), true),
        ("whoever answers is believed", "127.0.0.1", port, "sslmode=require".to_owned(), false),
        ("it is not asked to", "127.0.0.1", port, "sslmode=disable".to_owned(), false),
        ("it cannot encrypt", "127.0.0.1", plain.port(), "sslmode=require".to_owned(), true),
    ] {
        let url = format!("postgres://postgres@{host}:{port}/postgres?{parameters}");
        let address = Address::parse(&url, Some(&Secret::new(postgres.password().to_owned()))).unwrap();
        let outcome = open_at(address).await.err();
        let is_as_expected = match &outcome {
            Some(OpenError::Tls { .. }) => is_refused,
            Some(_) => false,
            None => !is_refused,
        };
        assert!(is_as_expected, "{why}: {outcome:?}");
    }
}
