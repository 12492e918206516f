//! Applies a number of moves and nothing else worth counting: `valgrind --tool=callgrind
//! --toggle-collect='*apply_all*'` counts the instructions of just that, on a noisy machine too.
//!
//! `moves COUNT [SIDE [FORM]]` walks 1,000 players over a grid of 128 x 128 nodes, or 12,500 over
//! one of SIDE x SIDE, traffic rule in force, each answer read from the target's field; prints the
//! best and the median time of a move and of a tick, and the state hash. FORM `any`: in the form in
//! which edges may have any cost, not in the compact one.

use std::time::{Duration, Instant};

use huntgraph_core::schema::{Event, Move, Update, flag, kind};
use huntgraph_core::{Limits, Line, Partition, Sink};

mod scene;
use scene::{Grid, tick_record};

const BATCH: usize = 100;
/// Moves between two ticks, as 80,000 a second are.
const CHUNK: usize = 4_000;
/// From one player to the next in the order of moves: prime to any number of players here.
const STRIDE: usize = 7_919;

/// Ids as far apart as those of real players.
fn id(player: usize) -> u64 {
    (player as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Opens the hunt and lets everyone in; where each player stands.
fn open(partition: &mut Partition, grid: &Grid, players: u32) -> Vec<u32> {
    grid.publish(partition);
    tick(partition);
    let nodes = grid.side * grid.side;
    let at: Vec<u32> = (0..players).map(|player| player.wrapping_mul(40_503) % nodes).collect();
    for (player, &to) in at.iter().enumerate() {
        let enter = Move { kind: kind::ENTER, seq: 1, player: id(player), to, ..Move::default() };
        partition.apply(&enter.encode(), &mut ());
    }
    tick(partition);
    partition.work(u32::MAX);
    at
}

#[inline(never)]
fn tick(partition: &mut Partition) {
    partition.apply(&tick_record(partition.header.tick + 1), &mut ());
}

/// Players on a random walk, in another order than they came in.
struct Walk<'a> {
    grid: &'a Grid,
    at: Vec<u32>,
    made: usize,
    random: u32,
}

impl Walk<'_> {
    /// The next moves, one player after the other.
    fn next(&mut self, moves: &mut [[u8; 64]]) {
        let (players, Grid { first, head, .. }) = (self.at.len(), self.grid);
        for record in moves {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let player = self.made * STRIDE % players;
            let from = self.at[player];
            let row = first[from as usize] as usize..first[from as usize + 1] as usize;
            let to = head[row.start + (self.random >> 16) as usize % row.len()];
            self.at[player] = to;
            let (seq, player) = ((self.made / players) as u32 + 2, id(player));
            *record = Move { kind: kind::GO, seq, player, from, to, ..Move::default() }.encode();
            self.made += 1;
        }
    }
}

/// Drops all events, of a partition without a journal.
struct Nowhere;

impl Sink for Nowhere {
    const DELTAS: bool = false;
    const JOURNAL: bool = false;

    fn event(&mut self, _: &Event) {}
}

/// What is counted; gives how many moves were refused and how many not guided.
#[inline(never)]
fn apply_all(partition: &mut Partition, moves: &[[u8; 64]]) -> (usize, usize) {
    let (mut refused, mut pending) = (0, 0);
    for batch in moves.chunks(BATCH) {
        partition.apply_batch(batch, &mut Nowhere, |_, _, answer, _| {
            let Update { code, flags, .. } = answer.update;
            refused += usize::from(code != 0);
            pending += usize::from(flags & flag::PENDING != 0);
        });
    }
    (refused, pending)
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let side = std::env::args().nth(2).and_then(|n| n.parse().ok());
    let (side, players) = side.map_or((128, 1_000), |side| (side, 12_500));
    let grid = Grid::new(side);
    let world = grid.view();
    let compact = std::env::args().nth(3).is_none_or(|form| form != "any");
    let limits = Limits::of(&world, players, 1).in_form(&world, compact);
    let limits = limits.expect("a grid with few costs has both forms");
    let mut block = vec![Line::default(); limits.total_lines()];
    let mut partition = Partition::create(&mut block, limits, &world).expect("the grid is sound");
    let at = open(&mut partition, &grid, players);
    let mut walk = Walk { grid: &grid, at, made: 0, random: 1 };
    let mut moves = vec![[0; 64]; players as usize];
    // The field grows as players ask for more of it.
    for _ in 0..16 {
        walk.next(&mut moves);
        warm_up(&mut partition, &moves);
    }
    let mut moves = vec![[0; 64]; CHUNK];
    let (mut moving, mut ticking, mut unguided) = (Vec::new(), Vec::new(), 0);
    let ticks = count.div_ceil(CHUNK);
    for _ in 0..ticks {
        walk.next(&mut moves);
        let begun = Instant::now();
        let (refused, pending) = apply_all(&mut partition, &moves);
        moving.push(begun.elapsed() / CHUNK as u32);
        assert_eq!(refused, 0, "every move is sound");
        unguided += pending;
        let begun = Instant::now();
        tick(&mut partition);
        ticking.push(begun.elapsed());
        partition.work(u32::MAX);
    }
    assert!(unguided * 100 < count, "nearly every move is guided: {unguided} were not");
    let (moving, ticking) = (nanoseconds(moving), nanoseconds(ticking));
    println!("a move: {moving}; a tick: {ticking}; state {:016x}", partition.state_hash());
}

/// The best and the median of some times.
fn nanoseconds(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{} ns at best, median {}", times[0].as_nanos(), times[times.len() / 2].as_nanos())
}

/// Lets the field grow to where these moves lead.
fn warm_up(partition: &mut Partition, moves: &[[u8; 64]]) {
    partition.apply_batch(moves, &mut (), |(), _, _, _| {});
    partition.work(u32::MAX);
}
