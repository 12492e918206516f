//! The command line of the program.

use std::net::SocketAddr;
use std::path::PathBuf;

use huntgraph_core::Limits;
use lexopt::prelude::*;

use crate::failure::Failure;
use crate::quic::{IdentityFiles, Idle, ServerFiles};
use crate::snapshot::Keep;
use crate::world_file::WorldFile;

/// What to print for `--help`.
pub const USAGE: &str = "\
hunt-graph serve --dir hunt --world world.hgw --listen 127.0.0.1:4433 \\
    --certificate server.pem --key server.key --authority authority.pem
hunt-graph snapshot --dir hunt --world world.hgw

The process that owns one partition. 'huntgraph serve' starts and watches it.

  --dir DIR            log, snapshots, ring, counters and control socket live here
  --world FILE         the world (docs/reference/world-format.md)
  --partition N        number of the partition                       [0]
  --listen ADDRESS     UDP address for QUIC                          [127.0.0.1:0]
  --certificate FILE, --key FILE   own identity, PEM
  --authority FILE     who must have signed the clients' certificates, PEM
  --players N          players that can ever enter                   [12500]
  --fields N           targets guided to at the same time            [8]
  --guidance-mib N     memory of all fields together                 [room for all, whole]
  --added-edges N      edges that can be added to the running world  [1024]
  --prices WHICH       any: edges may take any cost at any time; auto: where a world has few costs,
                       127 different ones at most, for half the memory [auto]
  --idle POLICY        block, yield or spin                          [block]
  --guidance-percent N most of a core that guidance may take         [50]
  --segment-mib N      size of a log segment                         [64]
  --ring-slots N       slots of the ring, a power of two             [16384]
  --tick-ms N          length of a tick                              [50]
  --neighbour P=DIR    partition P's actor works in DIR on this machine: players who walk over the
                       border are handed to it; once for each neighbour
  --keep-ticks N       snapshot: how many ticks back the log is kept [all]
  --keep-from POSITION snapshot: states from here on are needed too  [none]
";

/// Everything the program can be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory of the partition.
    pub dir: PathBuf,
    /// World file.
    pub world: PathBuf,
    /// Number of the partition.
    pub partition: u16,
    /// Where to listen.
    pub listen: SocketAddr,
    /// TLS files.
    pub tls: ServerFiles,
    /// Capacity for players.
    pub players: u32,
    /// Capacity for fields.
    pub fields: u32,
    /// Mebibytes of all fields together, 0 = room for all of them whole.
    pub guidance_mib: u32,
    /// Capacity for edges added to the running world.
    pub added_edges: u32,
    /// Whether edges may take any cost, also where a world has few of them.
    pub any_prices: bool,
    /// What to do when there is nothing to do.
    pub idle: Idle,
    /// Share of a core for guidance, 1..=100.
    pub guidance_percent: u32,
    /// Bytes of a log segment.
    pub segment_bytes: u64,
    /// Slots of the ring.
    pub ring_slots: usize,
    /// Length of a tick in milliseconds.
    pub tick_ms: u64,
    /// Number and directory of each neighbour.
    pub neighbours: Vec<(u16, PathBuf)>,
    /// What is kept of the past.
    pub keep: Keep,
}

/// What the program is asked to do.
pub enum Verb {
    /// Own a partition until told to stop.
    Serve(Options),
    /// Make a snapshot from the newest one and the log.
    Snapshot(Options),
    /// Print this text.
    Print(String),
}

impl Options {
    fn defaults() -> Self {
        let none = PathBuf::new;
        let identity = IdentityFiles { certificate_chain: none(), private_key: none() };
        Self {
            dir: none(),
            world: none(),
            partition: 0,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: ServerFiles { identity, authority: none() },
            players: 12_500,
            fields: 8,
            guidance_mib: 0,
            added_edges: 1024,
            any_prices: false,
            idle: Idle::Block,
            guidance_percent: 50,
            segment_bytes: 64 << 20,
            ring_slots: 16_384,
            tick_ms: 50,
            neighbours: Vec::new(),
            keep: Keep::ALL,
        }
    }

    /// Sets one option; `false` when there is none of this name.
    fn set(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<bool, lexopt::Error> {
        match name {
            "dir" => self.dir = parser.value()?.into(),
            "world" => self.world = parser.value()?.into(),
            "partition" => self.partition = parser.value()?.parse()?,
            "listen" => self.listen = parser.value()?.parse()?,
            "certificate" => self.tls.identity.certificate_chain = parser.value()?.into(),
            "key" => self.tls.identity.private_key = parser.value()?.into(),
            "authority" => self.tls.authority = parser.value()?.into(),
            "players" => self.players = parser.value()?.parse()?,
            "fields" => self.fields = parser.value()?.parse()?,
            "guidance-mib" => self.guidance_mib = parser.value()?.parse()?,
            "added-edges" => self.added_edges = parser.value()?.parse()?,
            "prices" => self.any_prices = parser.value()?.parse_with(any_prices)?,
            "idle" => self.idle = parser.value()?.parse()?,
            "guidance-percent" => self.guidance_percent = parser.value()?.parse()?,
            "segment-mib" => self.segment_bytes = parser.value()?.parse::<u64>()? << 20,
            "ring-slots" => self.ring_slots = parser.value()?.parse()?,
            "tick-ms" => self.tick_ms = parser.value()?.parse()?,
            "keep-ticks" => self.keep.ticks = parser.value()?.parse()?,
            "keep-from" => self.keep.from = parser.value()?.parse()?,
            "neighbour" => self.neighbours.push(parser.value()?.parse_with(neighbour)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The capacities of the image for this world.
    pub fn limits(&self, world: &WorldFile) -> Limits {
        let of = if self.any_prices { Limits::of_any_prices } else { Limits::of };
        let mut limits = of(&world.view(), self.players, self.fields);
        limits.added = self.added_edges.saturating_mul(2);
        if self.guidance_mib > 0 {
            limits.pages = limits.pages_in((self.guidance_mib as usize) << 20);
        }
        limits
    }

    fn neighbours_differ(&self) -> bool {
        let mut seen = 0u64;
        let numbers = self.neighbours.iter().map(|&(number, _)| number);
        numbers.chain([self.partition]).all(|number| {
            let bit = 1u64.checked_shl(number as u32).unwrap_or(0);
            let fresh = bit & !seen != 0;
            seen |= bit;
            fresh
        })
    }

    fn check(&self, serving: bool) -> Result<(), Failure> {
        let missing = |path: &PathBuf| path.as_os_str().is_empty();
        let tls = [
            &self.tls.identity.certificate_chain,
            &self.tls.identity.private_key,
            &self.tls.authority,
        ];
        let wrong = if missing(&self.dir) || missing(&self.world) {
            "--dir and --world must be given"
        } else if serving && tls.into_iter().any(missing) {
            "--certificate, --key and --authority must be given"
        } else if !self.neighbours_differ() {
            "--neighbour and --partition must be different numbers below 64"
        } else if !(1..=100).contains(&self.guidance_percent)
            || !(1..=10_000).contains(&self.tick_ms)
        {
            "--guidance-percent must be 1 to 100, --tick-ms 1 to 10000"
        } else if !(16..=4096).contains(&(self.segment_bytes >> 20)) {
            "--segment-mib must be 16 to 4096: a whole frame must fit whatever the state of the log"
        } else {
            return Ok(());
        };
        Err(usage(wrong))
    }
}

/// `P=DIR`.
fn neighbour(text: &str) -> Result<(u16, PathBuf), String> {
    let parts = text.split_once('=').filter(|(_, dir)| !dir.is_empty());
    let (number, dir) = parts.ok_or("write a neighbour as P=DIR")?;
    let number = number.parse().map_err(|e| format!("neighbour {number}: {e}"))?;
    Ok((number, dir.into()))
}

/// `auto` or `any`.
fn any_prices(text: &str) -> Result<bool, String> {
    match text {
        "auto" => Ok(false),
        "any" => Ok(true),
        _ => Err("write auto or any".to_owned()),
    }
}

fn usage(what: impl std::fmt::Display) -> Failure {
    Failure::new("HG3000", what, "the command line", "see 'hunt-graph --help'")
}

/// Reads the command line.
///
/// # Errors
/// HG3000 with what is wrong.
pub fn parse(mut parser: lexopt::Parser) -> Result<Verb, Failure> {
    let mut options = Options::defaults();
    let mut verb = None;
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Verb::Print(USAGE.to_owned())),
            Long("version") => {
                return Ok(Verb::Print(format!("hunt-graph {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Long(name) => {
                let name = name.to_owned();
                if !options.set(&name, &mut parser).map_err(usage)? {
                    return Err(usage(format!("there is no option --{name}")));
                }
            }
            Value(word) if verb.is_none() => verb = Some(word),
            other => return Err(usage(other.unexpected())),
        }
    }
    let verb = verb.unwrap_or_default();
    options.check(verb == "serve")?;
    match verb.to_str() {
        Some("serve") => Ok(Verb::Serve(options)),
        Some("snapshot") => Ok(Verb::Snapshot(options)),
        _ => Err(usage("the first word must be serve or snapshot")),
    }
}
