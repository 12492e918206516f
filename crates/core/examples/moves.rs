//! Applies a number of moves and nothing else worth counting: `valgrind --tool=callgrind
//! --toggle-collect='*apply_batch*'` counts the instructions of just that, on a noisy machine too.
//!
//! `moves COUNT` walks 1,000 players over a grid of 128 x 128 nodes, traffic rule in force, each
//! answer read from the target's field; prints the time of a move and the state hash.

use std::time::{Duration, Instant};

use huntgraph_core::schema::{Move, Rule, form, kind, rule};
use huntgraph_core::{Limits, Line, Partition, WorldView};

const SIDE: u32 = 128;
const PLAYERS: u64 = 1_000;
const BATCH: usize = 100;
/// Moves made at a time, so that they are in the cache as those of a frame are.
const CHUNK: usize = 1_000;

/// Rows of a grid with four neighbours.
fn grid() -> (Vec<u32>, Vec<u32>, Vec<u16>) {
    let (mut first, mut head) = (vec![0], Vec::new());
    for node in 0..SIDE * SIDE {
        let (x, y) = (node % SIDE, node / SIDE);
        let ways = [
            (y > 0).then(|| node - SIDE),
            (x > 0).then(|| node - 1),
            (x + 1 < SIDE).then(|| node + 1),
            (y + 1 < SIDE).then(|| node + SIDE),
        ];
        head.extend(ways.into_iter().flatten());
        first.push(head.len() as u32);
    }
    let cost =
        (0..head.len() as u32).map(|edge| 8 + (edge.wrapping_mul(2_654_435_761) >> 27) as u16);
    (first, head, cost.collect())
}

/// Slot 0: a treasure in the middle and a traffic rule.
fn hunt() -> [Rule; 4] {
    let blank = Rule::default();
    [
        Rule { kind: kind::HUNT_BEGIN, hunt_id: 1, ..blank },
        Rule {
            kind: kind::HUNT_STAGE,
            form: form::TREASURE,
            rule: rule::PLAYER,
            from: SIDE * SIDE / 2 + SIDE / 2,
            ..blank
        },
        Rule {
            kind: kind::HUNT_TRAFFIC,
            stock: 4,
            points: 5,
            index: 3,
            delay: 100,
            cost: 2,
            ..blank
        },
        Rule { kind: kind::HUNT_PUBLISH, count: 2, ..blank },
    ]
}

/// Opens the hunt and lets everyone in; where each player stands.
fn open(partition: &mut Partition) -> Vec<u32> {
    for row in hunt() {
        partition.apply(&row.encode(), &mut ());
    }
    let tick = |arg| Move { kind: kind::TICK, arg, ..Move::default() }.encode();
    partition.apply(&tick(1), &mut ());
    let at: Vec<u32> = (0..PLAYERS as u32).map(|player| player * 16 % (SIDE * SIDE)).collect();
    for (player, &to) in at.iter().enumerate() {
        let enter =
            Move { kind: kind::ENTER, seq: 1, player: player as u64 + 1, to, ..Move::default() };
        partition.apply(&enter.encode(), &mut ());
    }
    partition.apply(&tick(2), &mut ());
    partition.work(u32::MAX);
    at
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let (first, head, cost) = grid();
    let world = WorldView {
        first: &first,
        head: &head,
        cost: &cost,
        world_id: 1,
        partition: 0,
        halo_owner: &[],
        halo_twin: &[],
    };
    let limits = Limits::of(&world, PLAYERS as u32, 1);
    let mut block = vec![Line::default(); limits.total_lines()];
    let mut partition = Partition::create(&mut block, limits, &world).expect("the grid is sound");
    let mut at = open(&mut partition);
    let (mut random, mut made, mut refused) = (1u32, 0, 0u32);
    let mut moves = Vec::with_capacity(CHUNK);
    let mut took = Duration::ZERO;
    while made < count {
        moves.clear();
        for number in made..count.min(made + CHUNK) {
            let player = number % PLAYERS as usize;
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let from = at[player];
            let row = &head[first[from as usize] as usize..first[from as usize + 1] as usize];
            let to = row[(random >> 16) as usize % row.len()];
            at[player] = to;
            let (seq, player) = (number as u32 / PLAYERS as u32 + 2, player as u64 + 1);
            moves.push(Move { kind: kind::GO, seq, player, from, to, ..Move::default() }.encode());
        }
        made += moves.len();
        let begun = Instant::now();
        for batch in moves.chunks(BATCH) {
            partition.apply_batch(batch, &mut (), |(), _, answer, _| {
                refused += u32::from(answer.update.code != 0);
            });
        }
        took += begun.elapsed();
    }
    assert_eq!(refused, 0, "every move is sound");
    let each_ns = took.as_nanos() as f64 / count as f64;
    println!("{count} moves, {each_ns:.1} ns each, state {:016x}", partition.state_hash());
}
