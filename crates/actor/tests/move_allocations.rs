//! A move needs no memory between its bytes and its answer's bytes, neither of the heap nor of the
//! arena: checked by counting, and the counting checked by planted allocations.

use huntgraph_actor::allocations::{Counting, blocks_in_use, blocks_peak, count, seal};
use huntgraph_actor::frame::{Inbox, begin_frame, end_frame, put_frame};
use huntgraph_actor::ring::RingWriter;
use huntgraph_core::schema::{Event, Move, Rule, form, frame, kind, rule};
use huntgraph_core::{Limits, Line, Partition, Sink, WorldView};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NODES: u32 = 4096;
const PLAYERS: u64 = 100;

struct Ring(RingWriter);

impl Sink for Ring {
    fn event(&mut self, event: &Event) {
        let bytes = event.encode();
        let mut payload = [0; 7];
        for (word, bytes) in payload.iter_mut().zip(&bytes.as_chunks::<8>().0[1..]) {
            *word = u64::from_le_bytes(*bytes);
        }
        self.0.publish(&payload);
    }
}

/// A ring of nodes, walkable both ways.
fn world() -> (Vec<u32>, Vec<u32>, Vec<u16>) {
    let first = (0..=NODES).map(|node| node * 2).collect();
    let around = |node: u32| {
        let mut ends = [(node + 1) % NODES, (node + NODES - 1) % NODES];
        ends.sort_unstable();
        ends
    };
    let head = (0..NODES).flat_map(around).collect();
    (first, head, vec![10; 2 * NODES as usize])
}

fn hunt() -> Vec<[u8; 64]> {
    let row = |kind| Rule { kind, ..Rule::default() };
    let traffic =
        Rule { stock: 9, points: 3, index: 2, delay: 40, cost: 3, ..row(kind::HUNT_TRAFFIC) };
    let (form, rule) = (form::TREASURE, rule::PLAYER);
    let treasure = Rule { form, rule, from: NODES / 2, ..row(kind::HUNT_STAGE) };
    let publish = Rule { count: 2, ..row(kind::HUNT_PUBLISH) };
    [row(kind::HUNT_BEGIN), traffic, treasure, publish].map(|row| row.encode()).to_vec()
}

fn tick(arg: u32) -> [u8; 64] {
    Move { kind: kind::TICK, arg, ..Move::default() }.encode()
}

/// One frame of everybody's next move.
fn moves(seq: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let body: Vec<u8> = (0..PLAYERS)
        .flat_map(|player| {
            let (kind, from) = if seq == 1 { (kind::ENTER, 0) } else { (kind::GO, seq - 2) };
            let hunt = if seq == 1 { 0 } else { u16::MAX };
            let to = if seq == 1 { 0 } else { seq - 1 };
            Move { kind, hunt, seq, player, from, to, ..Move::default() }.encode()
        })
        .collect();
    put_frame(&mut bytes, frame::MOVES, PLAYERS as u16, 1, &body);
    bytes
}

#[test]
fn a_frame_of_moves_allocates_nothing_and_planted_allocations_are_seen() {
    let (first, head, cost) = world();
    let view = WorldView {
        first: &first,
        head: &head,
        cost: &cost,
        world_id: 1,
        partition: 0,
        halo_owner: &[],
        halo_twin: &[],
    };
    let limits = Limits::of(&view, 128, 2);
    let mut block = vec![Line::default(); limits.total_lines()];
    let mut partition = Partition::create(&mut block, limits, &view).expect("image");
    let path = std::env::temp_dir().join(format!("move-allocations-{}", std::process::id()));
    let mut ring = Ring(RingWriter::open(&path, 1024).expect("ring"));
    std::fs::remove_file(&path).expect("the ring stays mapped");
    for row in hunt().iter().chain([&tick(1)]) {
        assert_eq!(partition.apply(row, &mut ring).update.code, 0);
    }
    let frames: Vec<_> = (1..=200).map(moves).collect();
    let (mut inbox, mut out) = (Inbox::new(), Vec::with_capacity(1 << 20));
    seal();
    for (at, bytes) in frames.iter().enumerate() {
        out.clear();
        inbox.room()[..bytes.len()].copy_from_slice(bytes);
        inbox.filled(bytes.len());
        let (_, body) = inbox.next_frame().expect("sound").expect("whole");
        let place = begin_frame(&mut out, frame::UPDATES, 1);
        partition.apply_batch(body.as_chunks().0, &mut ring, |_, _, answer, _| {
            assert_eq!(answer.update.code, 0);
            out.extend_from_slice(&answer.update.encode());
        });
        end_frame(&mut out, place);
        partition.work(500);
        partition.apply(&tick(2 + at as u32), &mut ring);
    }
    let counted = (count(), blocks_peak());
    assert_eq!(partition.header.position, 4 + 1 + 200 * (PLAYERS + 1));
    assert_eq!(counted, (0, 0), "allocations and blocks on the way of 20,000 moves");
    let (small, large) = std::hint::black_box((vec![0u8; 100], vec![0u8; 1 << 20]));
    assert_eq!((count(), blocks_in_use()), (1, 1), "the large one and the small one");
    drop((small, large));
    assert_eq!((blocks_in_use(), blocks_peak()), (0, 1));
}
