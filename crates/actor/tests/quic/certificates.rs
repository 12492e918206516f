//! Authorities and certificates for one run, in a directory that is removed with it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use huntgraph_actor::quic::{ClientFiles, ClientTls, IdentityFiles, ServerFiles, ServerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The name all servers are certified for.
pub const SERVER_NAME: &str = "localhost";

/// An authority and the files it has issued.
pub struct Authority {
    pub directory: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("huntgraph-quic-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(&name);
        fs::create_dir(&directory).expect("a fresh directory for certificates");
        let mut params = CertificateParams::new(Vec::new()).expect("no names to refuse");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        fs::write(directory.join("authority.pem"), issuer.pem()).expect("authority.pem");
        Self { directory, issuer }
    }

    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// Issues `name.pem` and `name.key` for [`SERVER_NAME`].
    pub fn issue(&self, name: &str) -> IdentityFiles {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).expect("a valid name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let files = IdentityFiles {
            certificate_chain: self.directory.join(format!("{name}.pem")),
            private_key: self.directory.join(format!("{name}.key")),
        };
        fs::write(&files.certificate_chain, certificate.pem()).expect("certificate file");
        fs::write(&files.private_key, key.serialize_pem()).expect("key file");
        files
    }

    pub fn server(&self) -> ServerTls {
        let files =
            ServerFiles { identity: self.issue("server"), authority: self.authority_file() };
        files.load().expect("server files")
    }

    pub fn client_files(&self) -> ClientFiles {
        ClientFiles { identity: Some(self.issue("client")), authority: self.authority_file() }
    }

    pub fn client(&self) -> ClientTls {
        self.client_files().load().expect("client files")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
