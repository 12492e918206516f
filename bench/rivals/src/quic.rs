//! quinn on tokio: an echo of 64-byte records, both ends on one thread's runtime.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use huntgraph_actor::bench::{Report, nanoseconds};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, RecvStream, SendStream, ServerConfig};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RECORD: usize = 64;
/// A frame of 1,000 records, and frames that may be unanswered: 256 KiB as in `huntgraph bench
/// quic`.
const FRAME: usize = 1_000 * RECORD;
const IN_FLIGHT: usize = 4;
const SAMPLES: usize = 1 << 20;

/// Samples `pingpong`; number `records_per_s`. The files are the server's certificate and key, and
/// the authority that signed it.
pub fn measure([certificate, key, authority]: [&Path; 3], time: Duration) -> Outcome<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (server, client) = endpoints(certificate, key, authority)?;
        let address = server.local_addr()?;
        tokio::spawn(async move { echo(server).await.map_err(|e| eprintln!("echo: {e}")) });
        let connection = client.connect(address, "localhost")?.await?;
        let (send, recv) = connection.open_bi().await?;
        load(send, recv, time).await
    })
}

fn endpoints(certificate: &Path, key: &Path, authority: &Path) -> Outcome<(Endpoint, Endpoint)> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let mut tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    tls.alpn_protocols = vec![b"echo".to_vec()];
    let server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut roots = RootCertStore::empty();
    for trusted in CertificateDer::pem_file_iter(authority)? {
        roots.add(trusted?)?;
    }
    let mut tls =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"echo".to_vec()];
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut client = Endpoint::client(any)?;
    let crypto = QuicClientConfig::try_from(tls)?;
    client.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
    Ok((Endpoint::server(server, any)?, client))
}

async fn echo(server: Endpoint) -> Outcome<()> {
    let connection = server.accept().await.ok_or("the endpoint is closed")?.await?;
    let (mut send, mut recv) = connection.accept_bi().await?;
    while let Some(chunk) = recv.read_chunk(FRAME, true).await? {
        send.write_chunk(chunk.bytes).await?;
    }
    Ok(())
}

async fn load(mut send: SendStream, mut recv: RecvStream, time: Duration) -> Outcome<Report> {
    let mut record = [7; RECORD];
    let mut pingpong = Vec::with_capacity(SAMPLES);
    let begun = Instant::now();
    while begun.elapsed() < time && pingpong.len() < SAMPLES {
        let started = Instant::now();
        send.write_all(&record).await?;
        recv.read_exact(&mut record).await?;
        pingpong.push(nanoseconds(started.elapsed()));
    }
    let mut frame = vec![7; FRAME];
    let out = frame.clone();
    let (begun, mut frames) = (Instant::now(), 0);
    for _ in 0..IN_FLIGHT {
        send.write_all(&out).await?;
    }
    while begun.elapsed() < time {
        recv.read_exact(&mut frame).await?;
        send.write_all(&out).await?;
        frames += 1;
    }
    let rate = f64::from(frames) * (FRAME / RECORD) as f64 / begun.elapsed().as_secs_f64();
    Ok(Report { numbers: vec![("records_per_s", rate)], samples_ns: vec![("pingpong", pingpong)] })
}
