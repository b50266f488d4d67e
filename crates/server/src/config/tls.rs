use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::file::{read_bounded, reason};
use crate::config::key::{Form, Key, Kind};
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;
use crate::serve::tls::Certificate;

pub(super) const SECTION: Section = Section {
    name: "tls",
    shape: Shape::Table,
    doc: "The certificate of the server. Both files are read again when they change.",
    keys: &[CERTIFICATE, KEY],
};

pub(super) const CERTIFICATE: Key = Key::new(
    "certificate",
    Kind::Text(Form::Path),
    Preset::Absent,
    "The PEM file of the certificate, and of those that lead from it to a root.",
)
.flag("tls-certificate")
.also(&["cert", "certificate_file", "cert_file"]);

const KEY: Key = Key::new("key", Kind::Text(Form::Path), Preset::Absent, "The PEM file of its private key.")
    .flag("tls-key")
    .also(&["private_key", "key_file"]);

/// The certificate of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The PEM file of the certificate chain.
    pub certificate: PathBuf,
    /// The PEM file of the private key.
    pub key: PathBuf,
}

impl TlsConfig {
    /// Reads both files.
    ///
    /// # Errors
    /// When one of them cannot be read or is too large.
    pub fn pem(&self) -> io::Result<Pem> {
        let read = |path| read_bounded(path, PEM_BYTES_MAX);
        Ok(Pem { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// `None` where neither file is named.
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Option<Self>, Reported> {
        let certificate = table.path(&CERTIFICATE, certificate_file);
        let key = table.path(&KEY, key_file);
        let missing = |table: &mut TableReader<'_>, missing: &Key, present: &Key| {
            let fault = Fault::Missing(format!("{} needs it", present.name));
            table.refuse(table.origin(present.name), missing.name, fault)
        };
        match (certificate?, key?) {
            (Some((certificate, ())), Some((key, ()))) => {
                let tls = Self { certificate, key };
                match tls.check() {
                    Ok(()) => Ok(Some(tls)),
                    Err(fault) => Err(table.refuse(table.origin(CERTIFICATE.name), CERTIFICATE.name, fault)),
                }
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing(table, &KEY, &CERTIFICATE)),
            (None, Some(_)) => Err(missing(table, &CERTIFICATE, &KEY)),
        }
    }

    /// Whether the files belong together.
    fn check(&self) -> Result<(), Fault> {
        let pem = self.pem().map_err(Fault::value)?;
        Certificate::from_pem(&pem.certificate, &pem.key).map(drop).map_err(Fault::value)
    }
}

/// What is in the two files. The key is wiped when dropped.
pub struct Pem {
    /// The certificate chain.
    pub certificate: Zeroizing<Vec<u8>>,
    /// The private key.
    pub key: Zeroizing<Vec<u8>>,
}

/// The largest certificate or key file.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn certificate_file(path: &Path) -> Result<(), Fault> {
    if has_block(path, &["CERTIFICATE"])? {
        return Ok(());
    }
    let name = path.display().to_string();
    let told = format!("{name:?} has no certificate in PEM: no line is -----BEGIN CERTIFICATE-----");
    Err(Fault::Value(told))
}

fn key_file(path: &Path) -> Result<(), Fault> {
    let name = path.display().to_string();
    if has_block(path, &["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"])? {
        return Ok(());
    }
    Err(Fault::Value(if has_block(path, &["ENCRYPTED PRIVATE KEY"])? {
        format!(
            "{name:?} is encrypted, and nobody is there to type its password; decrypt it with: openssl pkey -in {name}"
        )
    } else {
        format!("{name:?} has no private key in PEM: no line is -----BEGIN PRIVATE KEY-----")
    }))
}

/// Whether a PEM file has a block with one of these labels.
fn has_block(path: &Path, labels: &[&str]) -> Result<bool, Fault> {
    let unreadable = |error| Fault::Unreadable { path: path.display().to_string(), reason: reason(&error) };
    let bytes = read_bounded(path, PEM_BYTES_MAX).map_err(unreadable)?;
    let begins =
        |line: &[u8]| labels.iter().any(|label| line.trim_ascii_end() == format!("-----BEGIN {label}-----").as_bytes());
    Ok(bytes.split(|&byte| byte == b'\n').any(begins))
}
