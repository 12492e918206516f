//! Certificates from PEM files to TLS configurations.
//!
//! TLS 1.3 only, by ring (but for the [exchange](super::exchange) of fresh keys), with AES-128-GCM
//! first (fastest on 64-byte records). The server demands a client certificate signed by its
//! authority (mutual TLS). Sessions are resumed by encrypted tickets, so that the server keeps no
//! memory of them; 0-RTT is off, because what it carries can be replayed.
//!
//! To rotate certificates, call `load` again and hand the result to
//! [`Endpoint::set_server_tls`](super::Endpoint::set_server_tls): live connections go on, new ones
//! get the new certificate. Each load has fresh ticket keys, so a reload also ends the resumption
//! of sessions made under the old authority. A resumed session is not checked against the
//! authority again; tickets live at most 12 hours.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring::cipher_suite::{
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::exchange;
use super::verifier::{CountingClientVerifier, CountingServerVerifier};

/// The application protocol (ALPN) both sides must speak.
pub const PROTOCOL: &[u8] = b"huntgraph/1";

/// The PEM files by which one side proves who it is.
#[derive(Debug, Clone)]
pub struct IdentityFiles {
    /// Certificate chain, the own certificate first.
    pub certificate_chain: PathBuf,
    /// Private key of the first certificate (PKCS#8, SEC1 or PKCS#1).
    pub private_key: PathBuf,
}

/// The PEM files of a server.
#[derive(Debug, Clone)]
pub struct ServerFiles {
    /// What the server shows to clients.
    pub identity: IdentityFiles,
    /// Authority certificates that must have signed the clients' certificates.
    pub authority: PathBuf,
}

/// The PEM files of a client.
#[derive(Debug, Clone)]
pub struct ClientFiles {
    /// What the client shows; an actor refuses clients without it.
    pub identity: Option<IdentityFiles>,
    /// Authority certificates that must have signed the server's certificate.
    pub authority: PathBuf,
}

/// A server's TLS side, ready for use by an endpoint.
#[derive(Clone)]
pub struct ServerTls(pub(super) Arc<QuicServerConfig>);

/// A client's TLS side with its own store of session tickets.
///
/// Tickets are kept by server name, and each actor has its own ticket keys: use one `ClientTls` an
/// actor (or its clones), or resumption will often miss.
#[derive(Clone)]
pub struct ClientTls(pub(super) Arc<QuicClientConfig>);

/// Why certificates could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// Machine-readable code, `tls_...`.
    pub code: &'static str,
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong with it and what to do.
    pub reason: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.code, self.path.display(), self.reason)
    }
}

impl std::error::Error for TlsError {}

fn error(code: &'static str, path: &Path, reason: impl Into<String>) -> TlsError {
    TlsError { code, path: path.to_owned(), reason: reason.into() }
}

impl ServerFiles {
    /// Reads the files and builds a server side that speaks [`PROTOCOL`].
    ///
    /// # Errors
    /// [`TlsError`] naming the file that is missing, is not PEM, or does not fit.
    pub fn load(&self) -> Result<ServerTls, TlsError> {
        let provider = provider();
        let roots = Arc::new(read_authority(&self.authority)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|e| error("tls_authority", &self.authority, e.to_string()))?;
        let (chain, key) = self.identity.read()?;
        let ticketer = rustls::crypto::ring::Ticketer::new().map_err(|e| {
            error("tls_random", &self.identity.private_key, format!("no ticket keys: {e}"))
        })?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| error("tls_identity", &self.identity.certificate_chain, e.to_string()))?
            .with_client_cert_verifier(Arc::new(CountingClientVerifier { inner: verifier }))
            .with_single_cert(chain, key)
            .map_err(|e| self.identity.mismatch(&e))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.ticketer = ticketer;
        config.send_tls13_tickets = 1;
        config.max_early_data_size = 0;
        let quic = QuicServerConfig::try_from(config)
            .map_err(|e| error("tls_identity", &self.identity.certificate_chain, e.to_string()))?;
        Ok(ServerTls(Arc::new(quic)))
    }
}

impl ClientFiles {
    /// Reads the files and builds a client side that speaks [`PROTOCOL`].
    ///
    /// # Errors
    /// [`TlsError`] naming the file that is missing, is not PEM, or does not fit.
    pub fn load(&self) -> Result<ClientTls, TlsError> {
        self.load_for(PROTOCOL)
    }

    /// As [`load`](Self::load), for a client that offers `protocol` in place of [`PROTOCOL`].
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_for(&self, protocol: &[u8]) -> Result<ClientTls, TlsError> {
        let provider = provider();
        let roots = Arc::new(read_authority(&self.authority)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|e| error("tls_authority", &self.authority, e.to_string()))?;
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| error("tls_authority", &self.authority, e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(CountingServerVerifier { inner: verifier }));
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(files) => {
                let (chain, key) = files.read()?;
                builder.with_client_auth_cert(chain, key).map_err(|e| files.mismatch(&e))?
            }
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        config.enable_early_data = false;
        let quic = QuicClientConfig::try_from(config)
            .map_err(|e| error("tls_authority", &self.authority, e.to_string()))?;
        Ok(ClientTls(Arc::new(quic)))
    }
}

impl IdentityFiles {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = read_certificates(&self.certificate_chain)?;
        let key = PrivateKeyDer::from_pem_file(&self.private_key)
            .map_err(|e| error("tls_file", &self.private_key, format!("no private key: {e}")))?;
        Ok((chain, key))
    }

    /// The two files were each readable, but do not go together or are of an unknown kind.
    fn mismatch(&self, cause: &rustls::Error) -> TlsError {
        let chain = self.certificate_chain.display();
        let reason = format!("does not fit the certificate in {chain}: {cause}");
        error("tls_identity", &self.private_key, reason)
    }
}

/// The cryptography of both sides.
fn provider() -> Arc<CryptoProvider> {
    provider_with(exchange::groups())
}

/// As [`provider`], with these curves to agree on.
pub(super) fn provider_with(kx_groups: Vec<&'static dyn SupportedKxGroup>) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            TLS13_AES_128_GCM_SHA256,
            TLS13_AES_256_GCM_SHA384,
            TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups,
        ..rustls::crypto::ring::default_provider()
    })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| error("tls_file", path, format!("cannot read certificates: {e}")))?;
    if certificates.is_empty() {
        return Err(error("tls_file", path, "holds no PEM block 'CERTIFICATE'"));
    }
    Ok(certificates)
}

fn read_authority(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        roots
            .add(certificate)
            .map_err(|e| error("tls_authority", path, format!("not an authority: {e}")))?;
    }
    Ok(roots)
}
