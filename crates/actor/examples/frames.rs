//! Frames of 100 moves through an actor and back, both ends on one thread, for callgrind and perf:
//! the measurement `frame` without its clock. `docs/performance.md` says how to count with it.
//!
//! `cargo run --profile profiling -p huntgraph-actor --example frames -- WORLD COUNT`, with a world
//! as `huntgraph world make` makes it.

use std::time::Duration;

use huntgraph_actor::bench::{Identity, Scene, frames_in_turn};
use huntgraph_actor::quic::IdentityFiles;
use huntgraph_actor::world_file::WorldFile;
use huntgraph_core::schema::{Rule, form, kind, rule};

#[path = "../tests/quic/certificates.rs"]
#[expect(dead_code, reason = "the tests of QUIC use the rest")]
mod certificates;
use certificates::Authority;

const RECORDS: usize = 100;
const PLAYERS: u32 = 1000;

/// A hunt for a treasure at this node.
fn hunt(from: u32) -> Vec<[u8; 64]> {
    let row = |kind| Rule { kind, ..Rule::default() };
    let (form, rule) = (form::TREASURE, rule::PLAYER);
    let treasure = Rule { form, rule, from, ..row(kind::HUNT_STAGE) };
    let publish = Rule { count: 1, ..row(kind::HUNT_PUBLISH) };
    [row(kind::HUNT_BEGIN), treasure, publish].map(|row| row.encode()).to_vec()
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(world), Some(count)) = (words.next(), words.next()) else {
        panic!("usage: frames WORLD COUNT");
    };
    let count: usize = count.parse().expect("a number");
    let authority = Authority::new();
    let [server, client] = ["server", "client"].map(|name| {
        let IdentityFiles { certificate_chain, private_key } = authority.issue(name);
        let authority = authority.authority_file();
        Identity { certificate: certificate_chain, key: private_key, authority }
    });
    let nodes = WorldFile::open(world.as_ref()).expect("a world").nodes as u32;
    let directory = std::env::temp_dir().join(format!("frames-{}", std::process::id()));
    let scene = Scene {
        world: world.into(),
        directory: directory.clone(),
        hunt: hunt(nodes / 2),
        traffic: Vec::new(),
        players: PLAYERS,
        time: Duration::ZERO,
    };
    let found = frames_in_turn(&scene, &server, &client, (RECORDS, count));
    std::fs::remove_dir_all(&directory).expect("a directory of its own");
    for (name, mut samples) in found.expect("frames").samples_ns {
        samples.sort_unstable();
        let us = |share: f64| samples[((count - 1) as f64 * share) as usize] as f64 / 1000.0;
        println!("{name:<12} p10 {:>7.1}  p50 {:>7.1}  p99 {:>7.1} us", us(0.1), us(0.5), us(0.99));
    }
}
