//! A certificate for `127.0.0.1` that is made anew for each server.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Both halves: what the server proves itself with, and what a client must trust.
pub struct Identity {
    /// The server's side.
    pub server: Arc<ServerConfig>,
    /// The certificate in PEM, to be trusted.
    pub pem: String,
}

impl Identity {
    /// A fresh self-signed certificate.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .expect("a certificate for an address needs nothing from outside");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .expect("rcgen's own key is a key");
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key belongs to the certificate");
        Identity { server: Arc::new(server), pem: made.cert.pem() }
    }

    /// A client's settings that trust this server and no other.
    pub fn trusted(&self) -> TlsConfig {
        let certificate =
            Certificate::from_pem(self.pem.as_bytes()).expect("rcgen's own PEM is PEM").to_owned();
        let roots = RootCerts::Specific(Arc::new(vec![certificate]));
        TlsConfig::builder().root_certs(roots).build()
    }
}
