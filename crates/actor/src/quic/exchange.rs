//! On which curve the two ends of a handshake agree, and by whose arithmetic.
//!
//! Two fresh keys are made in a handshake, and each end reckons with the other's. ring's quickest
//! curve for that is P-256, 55 us an end. The X25519 of s2n-bignum takes 32: assembler proved
//! correct, whose time and memory accesses do not depend on the key, which graviola brings without
//! a C compiler. Nothing else is taken from graviola.
//!
//! It asks for a processor with ADX, BMI2 and AVX2. Elsewhere (and under valgrind, which knows no
//! ADX) ring does all of it. Every end takes X25519 and P-256 alike and follows what the client has
//! sent a key for, so ends of both kinds agree without another round trip.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::kx_group;

/// The curves to agree on, the quickest first: a client sends a key for that one.
pub(super) fn groups() -> Vec<&'static dyn SupportedKxGroup> {
    #[cfg(target_arch = "x86_64")]
    if quick::is_supported() {
        return vec![&quick::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    }
    rings_groups()
}

/// As [`groups`], on any processor.
fn rings_groups() -> Vec<&'static dyn SupportedKxGroup> {
    vec![kx_group::SECP256R1, kx_group::X25519, kx_group::SECP384R1]
}

#[cfg(target_arch = "x86_64")]
mod quick {
    use graviola::key_agreement::x25519::{PrivateKey, PublicKey};
    use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
    use rustls::ffdhe_groups::FfdheGroup;
    use rustls::{Error, NamedGroup, PeerMisbehaved};

    /// Whether this processor has the instructions. graviola asks too, but not for BMI2, which a
    /// virtual machine may hide by itself.
    pub(super) fn is_supported() -> bool {
        graviola::util::is_cpu_supported() && std::arch::is_x86_feature_detected!("bmi2")
    }

    /// RFC 7748's X25519, as TLS 1.3 uses it (RFC 8446, section 7.4.2).
    #[derive(Debug)]
    pub(super) struct X25519;

    struct Started {
        private: PrivateKey,
        public: [u8; 32],
    }

    impl SupportedKxGroup for X25519 {
        fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
            let private = PrivateKey::new_random().map_err(|_| Error::from(GetRandomFailed))?;
            let public = private.public_key().as_bytes();
            Ok(Box::new(Started { private, public }))
        }

        fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
            None
        }

        fn name(&self) -> NamedGroup {
            NamedGroup::X25519
        }
    }

    impl ActiveKeyExchange for Started {
        /// Refuses keys that are not 32 bytes, and those of small order, which give all zeros.
        fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
            let secret = PublicKey::try_from_slice(peer)
                .and_then(|peer| self.private.diffie_hellman(&peer))
                .map_err(|_| Error::from(PeerMisbehaved::InvalidKeyShare))?;
            Ok(SharedSecret::from(&secret.0[..]))
        }

        fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
            None
        }

        fn group(&self) -> NamedGroup {
            NamedGroup::X25519
        }

        fn pub_key(&self) -> &[u8] {
            &self.public
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::client::{Resumption, WebPkiServerVerifier};
    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{
        ClientConfig, ClientConnection, Connection, Error, HandshakeKind, NamedGroup,
        RootCertStore, ServerConfig, ServerConnection,
    };

    use super::*;
    use crate::quic::tls::provider_with;

    type Groups = Vec<&'static dyn SupportedKxGroup>;
    type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::new()).expect("no names to refuse");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().expect("a key");
            Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
        }

        fn roots(&self) -> Arc<RootCertStore> {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).expect("an authority");
            Arc::new(roots)
        }

        fn issue(&self) -> Identity {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, &self.0).expect("a certificate");
            let key = PrivatePkcs8KeyDer::from(key.serialize_der());
            (vec![certificate.der().clone()], key.into())
        }
    }

    fn server(authority: &Authority, provider: Arc<CryptoProvider>) -> ServerConnection {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider.clone());
        let (chain, key) = authority.issue();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(chain, key)
            .expect("an identity");
        ServerConnection::new(Arc::new(config)).expect("a server")
    }

    fn client(authority: &Authority, provider: Arc<CryptoProvider>) -> ClientConnection {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(authority.roots(), provider.clone());
        let (chain, key) = authority.issue();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_webpki_verifier(verifier.build().expect("a verifier"))
            .with_client_auth_cert(chain, key)
            .expect("an identity");
        config.resumption = Resumption::disabled();
        let name = "localhost".try_into().expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a client")
    }

    /// A handshake with mutual TLS in memory: the curve agreed on, and of what kind it was.
    fn shake_hands(here: Groups, there: Groups) -> Result<(NamedGroup, HandshakeKind), Error> {
        let authority = Authority::new();
        let mut ends = [
            Connection::from(client(&authority, provider_with(here))),
            Connection::from(server(&authority, provider_with(there))),
        ];
        while ends.iter().any(|end| end.is_handshaking()) {
            for (from, to) in [(0, 1), (1, 0)] {
                let mut bytes = Vec::new();
                ends[from].write_tls(&mut bytes).expect("memory takes all");
                let mut left = &bytes[..];
                while !left.is_empty() {
                    ends[to].read_tls(&mut left).expect("memory gives all");
                    ends[to].process_new_packets()?;
                }
            }
        }
        let [client, server] = ends;
        let told = |end: &Connection| {
            let group = end.negotiated_key_exchange_group().expect("a curve");
            (group.name(), end.handshake_kind().expect("a kind"))
        };
        assert_eq!(told(&client), told(&server));
        Ok(told(&client))
    }

    #[test]
    fn ends_of_all_processors_agree_without_another_round_trip() {
        for (here, there) in [
            (groups(), groups()),
            (groups(), rings_groups()),
            (rings_groups(), groups()),
            (rings_groups(), rings_groups()),
        ] {
            let clients_first = here[0].name();
            let agreed = shake_hands(here, there).expect("a handshake");
            assert_eq!(agreed, (clients_first, HandshakeKind::Full));
        }
    }

    #[cfg(target_arch = "x86_64")]
    mod on_quick_processors {
        use rustls::crypto::ActiveKeyExchange;

        use super::*;

        /// Whether the tests below have anything to try here.
        fn is_quick() -> bool {
            let quick = quick::is_supported();
            if !quick {
                println!("not tried: this processor leaves all to ring");
            }
            quick
        }

        #[test]
        fn both_agree_on_the_same_secret() {
            if !is_quick() {
                return;
            }
            for _ in 0..100 {
                let ours = quick::X25519.start().expect("a key");
                let rings = kx_group::X25519.start().expect("a key");
                let (our_key, rings_key) = (ours.pub_key().to_vec(), rings.pub_key().to_vec());
                let our_secret = ours.complete(&rings_key).expect("a secret");
                let rings_secret = rings.complete(&our_key).expect("a secret");
                assert_eq!(our_secret.secret_bytes(), rings_secret.secret_bytes());
            }
        }

        #[test]
        fn keys_that_are_none_are_refused() {
            if !is_quick() {
                return;
            }
            let mut one = [0; 32];
            one[0] = 1;
            // Of small order, and of the wrong length.
            for key in [&[0; 32][..], &one, &[9; 31], &[9; 33], &[]] {
                let started = quick::X25519.start().expect("a key");
                assert!(started.complete(key).is_err(), "{key:?}");
            }
        }

        /// The planted twin: an exchange that is wrong in one bit.
        #[derive(Debug)]
        struct Bent;
        struct BentStarted(Box<dyn ActiveKeyExchange>);

        impl SupportedKxGroup for Bent {
            fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
                Ok(Box::new(BentStarted(quick::X25519.start()?)))
            }

            fn name(&self) -> NamedGroup {
                NamedGroup::X25519
            }
        }

        impl ActiveKeyExchange for BentStarted {
            fn complete(
                self: Box<Self>,
                peer: &[u8],
            ) -> Result<rustls::crypto::SharedSecret, Error> {
                let mut secret = self.0.complete(peer)?.secret_bytes().to_vec();
                secret[31] ^= 1;
                Ok(secret.into())
            }

            fn pub_key(&self) -> &[u8] {
                self.0.pub_key()
            }

            fn group(&self) -> NamedGroup {
                NamedGroup::X25519
            }
        }

        #[test]
        fn a_handshake_fails_on_one_wrong_bit() {
            if !is_quick() {
                return;
            }
            shake_hands(vec![&Bent], rings_groups()).expect_err("secrets differ");
            shake_hands(groups(), vec![&Bent]).expect_err("secrets differ");
        }
    }
}
