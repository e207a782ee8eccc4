//! Servers that ask for TLS.

use std::path::{Path, PathBuf};

use audited::NatsError;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

/// An authority, and what it has issued.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The files of a certificate and of its key.
    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (at, key_at) =
            (self.directory.path().join(format!("{name}.pem")), self.directory.path().join(format!("{name}.key")));
        std::fs::write(&at, certificate.pem()).unwrap();
        std::fs::write(&key_at, key.serialize_pem()).unwrap();
        (at, key_at)
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn tls(server: &Server) -> NatsOptions {
    NatsOptions::new(format!("tls://{}", server.address()), STREAM).create_stream()
}

#[test]
fn a_server_is_believed_that_a_trusted_authority_vouches_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue("server");
    let server = nats::start_with(&["--tls", "--tlscert", shown(&certificate), "--tlskey", shown(&key)]);
    let trusting = tls(&server).root_certificates(authority.path());
    block_on(trusting.connect().unwrap().write(&[record(0)])).unwrap();
    for distrusting in [tls(&server), tls(&server).root_certificates(other.path())] {
        let error = distrusting.connect().unwrap_err();
        assert!(matches!(error, NatsError::Connect { .. } | NatsError::Deadline), "{error}");
    }
}

#[test]
fn a_client_shows_its_certificate() {
    let authority = Authority::new();
    let ((certificate, key), identity) = (authority.issue("server"), authority.issue("client"));
    let ca = authority.path();
    let arguments =
        ["--tlsverify", "--tlscert", shown(&certificate), "--tlskey", shown(&key), "--tlscacert", shown(&ca)];
    let server = nats::start_with(&arguments);
    let nobody = tls(&server).root_certificates(&ca);
    assert!(nobody.clone().connect().is_err());
    let sink = nobody.client_certificate(identity.0, identity.1).connect().unwrap();
    block_on(sink.write(&[record(0)])).unwrap();
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_asked_for() {
    let server = nats::start();
    let within = Duration::from_millis(500);
    assert!(tls(&server).connect_within(within).connect().is_err());
    assert!(options(&server).require_tls().connect_within(within).connect().is_err());
    let missing = tls(&server).root_certificates("/nowhere/s3cret.pem").connect().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "a certificate or its key could not be read: No such file or directory (os error 2)"
    );
}
