//! Whom to trust.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use thiserror::Error;

/// Most bytes of a CA file. Those of a whole system have some 200 KB.
const MOST_BYTES: u64 = 16 << 20;

/// Why there is no usable TLS set-up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The platform's roots cannot be used.
    #[error("the platform's root certificates cannot be used: {0}")]
    Platform(rustls::Error),
    /// The CA file cannot be read.
    #[error("the CA file {path} cannot be read: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The CA file has more than 16 MiB.
    #[error("the CA file {path} has more than {} MiB", MOST_BYTES >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The CA file holds no certificate.
    #[error("the CA file {path} holds no PEM certificate")]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The CA file holds something that is no certificate.
    #[error("the CA file {path} holds a certificate that cannot be used: {reason}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cryptography cannot do what TLS needs.
    #[error("TLS is not available: {0}")]
    Provider(rustls::Error),
}

/// Trusts the platform's roots.
///
/// # Errors
/// They cannot be used.
pub fn platform() -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(provider.clone()).map_err(TlsError::Platform)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?
        .dangerous() // The platform's own verifier: as strict as the system's browsers.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Trusts the certificate authorities in this PEM file, and no other.
///
/// # Errors
/// The file cannot be read, has more than 16 MiB, or holds no usable certificate.
pub fn with_authorities(path: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let unusable = |reason: String| TlsError::Certificate {
        path: path.into(),
        reason,
    };
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut pem))
        .map_err(|error| TlsError::File {
            path: path.into(),
            error,
        })?;
    if pem.len() as u64 > MOST_BYTES {
        return Err(TlsError::TooLarge { path: path.into() });
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoCertificate { path: path.into() });
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
