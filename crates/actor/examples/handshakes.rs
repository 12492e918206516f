//! Full and resumed handshakes with mutual TLS, for callgrind and perf: the measurement
//! `handshake` without Python around it. `docs/performance.md` says how to count with it.
//!
//! Run it with `cargo run --profile profiling -p huntgraph-actor --example handshakes -- COUNT`.

use huntgraph_actor::bench::{Identity, handshake};
use huntgraph_actor::quic::IdentityFiles;

#[path = "../tests/quic/certificates.rs"]
#[expect(dead_code, reason = "the tests of QUIC use the rest")]
mod certificates;
use certificates::Authority;

fn main() {
    let count = std::env::args().nth(1).map_or(300, |word| word.parse().expect("a number"));
    let authority = Authority::new();
    let [server, client] = ["server", "client"].map(|name| {
        let IdentityFiles { certificate_chain, private_key } = authority.issue(name);
        let authority = authority.authority_file();
        Identity { certificate: certificate_chain, key: private_key, authority }
    });
    let found = handshake(&server, &client, count, &mut |_| Ok(())).expect("handshakes");
    for (name, mut samples) in found.samples_ns {
        samples.sort_unstable();
        let us = |share: f64| samples[((count - 1) as f64 * share) as usize] as f64 / 1000.0;
        println!("{name:<12} p10 {:>7.1}  p50 {:>7.1}  p99 {:>7.1} us", us(0.1), us(0.5), us(0.99));
    }
}
