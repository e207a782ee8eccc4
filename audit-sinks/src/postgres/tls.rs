//! TLS, by rustls.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::PostgresError;

/// Whether there is TLS, and whom it trusts.
#[derive(Clone)]
pub(super) enum Tls {
    Not,
    System,
    Config(Arc<ClientConfig>),
}

impl Tls {
    /// What a configuration asks: what it leaves open is not encrypted, as nobody has said whom to trust.
    pub(super) fn of(config: &Config) -> Self {
        if config.get_ssl_mode() == SslMode::Require { Self::System } else { Self::Not }
    }

    pub(super) fn roots(pem: &[u8]) -> Result<Self, PostgresError> {
        let malformed = |error: Box<dyn std::error::Error + Send + Sync>| {
            PostgresError::Options("a root certificate is malformed", Some(error))
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| malformed(error.into()))?;
            roots.add(certificate).map_err(|error| malformed(error.into()))?;
        }
        trusting(roots).map(Self::Config)
    }

    pub(super) fn apply(&self, config: &mut Config) {
        config.ssl_mode(if matches!(self, Self::Not) { SslMode::Disable } else { SslMode::Require });
    }

    /// What connects; nothing where nothing is encrypted.
    pub(super) fn connector(&self) -> Result<Option<MakeRustlsConnect>, PostgresError> {
        let config = match self {
            Self::Not => return Ok(None),
            Self::Config(config) => config.clone(),
            Self::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                trusting(roots)?
            }
        };
        Ok(Some(MakeRustlsConnect::new((*config).clone())))
    }
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, PostgresError> {
    if roots.is_empty() {
        return Err(PostgresError::Options("there is no root certificate", None));
    }
    // The process may have another provider, or none.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| PostgresError::Options("TLS cannot be set up", Some(error.into())))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
