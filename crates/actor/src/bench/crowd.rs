//! Players on a random walk: each move goes along a real edge from where the player stands.

use std::path::Path;

use huntgraph_core::schema::{Move, kind};

use crate::failure::Failure;
use crate::log::RawRecord;
use crate::world_file::WorldFile;

/// A fixed seed: every run measures the same walk.
const SEED: u64 = 0x5DEE_CE66_D1CE_4E5B;

#[derive(Clone, Copy)]
struct Walker {
    player: u64,
    node: u32,
    seq: u32,
}

/// Players of hunt slot 0 and where they are.
pub struct Crowd {
    world: WorldFile,
    walkers: Vec<Walker>,
    turn: usize,
    random: u64,
}

impl Crowd {
    /// Players at random nodes; they enter in one order and walk in another.
    pub fn new(world: &Path, players: u32) -> Result<Self, Failure> {
        let world = WorldFile::open(world)?;
        let walker = |number: u32| Walker {
            player: u64::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            node: 0,
            seq: 0,
        };
        let mut crowd =
            Self { walkers: (0..players).map(walker).collect(), world, turn: 0, random: SEED };
        for at in 0..crowd.walkers.len() {
            crowd.walkers[at].node = crowd.below(crowd.world.nodes as u32);
        }
        Ok(crowd)
    }

    /// The world's rows.
    pub fn world(&self) -> &WorldFile {
        &self.world
    }

    /// Everyone's first move.
    pub fn enter(&mut self) -> Vec<RawRecord> {
        let mut moves = Vec::with_capacity(self.walkers.len());
        for walker in &mut self.walkers {
            walker.seq += 1;
            let record = Move {
                kind: kind::ENTER,
                seq: walker.seq,
                player: walker.player,
                to: walker.node,
                ..Move::default()
            };
            moves.push(record.encode());
        }
        for at in (1..self.walkers.len()).rev() {
            let other = self.below(at as u32 + 1) as usize;
            self.walkers.swap(at, other);
        }
        moves
    }

    /// The next moves, one player after the other.
    pub fn walk(&mut self, moves: &mut [RawRecord]) {
        for record in moves {
            *record = self.step().encode();
        }
    }

    fn step(&mut self) -> Move {
        let at = self.turn;
        self.turn = (self.turn + 1) % self.walkers.len();
        let from = self.walkers[at].node;
        let choice = self.below(1 << 16) as usize;
        let view = self.world.view();
        let row = view.first[from as usize] as usize..view.first[from as usize + 1] as usize;
        let degree = row.len();
        let mut edges = (0..degree).map(|step| row.start + (choice + step) % degree);
        // Absent slots cannot be walked; worlds here are connected, so that a way out is there.
        let to = edges.find(|&edge| view.cost[edge] > 0).map_or(from, |edge| view.head[edge]);
        let walker = &mut self.walkers[at];
        (walker.node, walker.seq) = (to, walker.seq + 1);
        Move { kind: kind::GO, seq: walker.seq, player: walker.player, from, to, ..Move::default() }
    }

    /// A number below `bound` (xorshift64*, Vigna 2016).
    fn below(&mut self, bound: u32) -> u32 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((bits * u64::from(bound)) >> 32) as u32
    }
}
