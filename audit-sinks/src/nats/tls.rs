//! TLS by rustls on `ring`, which is named: where a process has several providers of cryptography, rustls takes none.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_nats::rustls::crypto::ring::default_provider;
use async_nats::rustls::pki_types::pem::{self, PemObject as _};
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ClientConfig, RootCertStore};

/// Trusts the certificates in these files, or those of the system where there are none.
pub(super) fn config(roots: &[PathBuf], identity: Option<&(PathBuf, PathBuf)>) -> io::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for path in roots {
        let certificates = read(path)?;
        if certificates.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no certificate"));
        }
        for certificate in certificates {
            store.add(certificate).map_err(invalid)?;
        }
    }
    if roots.is_empty() {
        // Of the system's, those that are of use.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(invalid)?.with_root_certificates(store);
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable)?;
            builder.with_client_auth_cert(read(certificate)?, key).map_err(invalid)
        }
    }
}

fn read(path: &PathBuf) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)
}

fn unreadable(error: pem::Error) -> io::Error {
    match error {
        pem::Error::Io(error) => error,
        error => invalid(error),
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
