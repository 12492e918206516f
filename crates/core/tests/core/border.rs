//! Halos that are none, and states saved while players are on their way.

use huntgraph_core::schema::{Arrival, Code, Move, PEERS, kind};
use huntgraph_core::{ImageError, Limits, Line, Partition, WorldView, bytes, bytes_mut};

use crate::support::{World, block, both_forms};

const OWNER: [u16; 2] = [5, 6];
const TWIN: [u32; 2] = [40, 9];

/// Nodes 0 and 1 are partition 2's own; 2 and 3 are its halo.
fn strip() -> World {
    World::new(4, &[(0, 1, 5), (1, 0, 5), (1, 2, 7), (2, 1, 7), (1, 3, 4), (3, 1, 4)])
}

fn shore(world: &World) -> (WorldView<'_>, Limits) {
    let view = WorldView { partition: 2, halo_owner: &OWNER, halo_twin: &TWIN, ..world.view() };
    (view, Limits::of(&view, 8, 1))
}

#[test]
fn halos_that_are_none_are_refused() {
    let world = strip();
    let (good, limits) = shore(&world);
    let refusal = |view: WorldView, limits: Limits| {
        let mut memory = block(limits);
        Partition::create(&mut memory, limits, &view).map(|_| ()).err()
    };
    assert_eq!(refusal(good, limits), None);
    let wrong = [&[5, 2][..], &[PEERS as u16, 6], &[u16::MAX, 6]];
    for owner in wrong {
        let view = WorldView { halo_owner: owner, ..good };
        assert_eq!(refusal(view, limits), Some(ImageError::Halo), "{owner:?}");
    }
    for view in [
        WorldView { halo_owner: &OWNER[1..], ..good },
        WorldView { halo_twin: &TWIN[1..], ..good },
        WorldView { partition: PEERS as u16, ..good },
    ] {
        assert_eq!(refusal(view, limits), Some(ImageError::Size));
    }
    let mut memory = block(limits);
    let none_own = Limits { own_nodes: 0, ..limits };
    let found = Partition::create(&mut memory, none_own, &good).map(|_| ());
    assert_eq!(found, Err(ImageError::Limits));
}

fn apply(partition: &mut Partition, record: Move) {
    let answer = partition.apply(&record.encode(), &mut ());
    assert_eq!((answer.update.code, answer.logged), (Code::Ok as u16, true), "{record:?}");
}

/// Players 1 to 4 enter and walk over both borders in turn; one parcel is acknowledged.
fn walk_out(partition: &mut Partition) {
    for player in 1..=4 {
        let hunt = u16::MAX;
        apply(
            partition,
            Move { kind: kind::ENTER, seq: 1, player, to: 1, hunt, ..Move::default() },
        );
        let to = 2 + (player % 2) as u32;
        apply(partition, Move { kind: kind::GO, seq: 2, player, from: 1, to, ..Move::default() });
    }
    apply(partition, Move { kind: kind::HANDED_ON, arg: 5, a: 1, ..Move::default() });
}

#[test]
fn a_state_saved_with_players_on_their_way_goes_on() {
    let world = strip();
    let (view, limits) = shore(&world);
    for limits in both_forms(limits, &view) {
        save_while_on_their_way(&view, limits);
    }
}

fn save_while_on_their_way(view: &WorldView, limits: Limits) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, view).unwrap();
    walk_out(&mut partition);
    let (hash, waiting) = (partition.state_hash(), partition.border.waiting());
    assert_eq!((partition.rehash(), waiting), (hash, 3));
    let mut copy = vec![Line::default(); limits.total_lines()];
    let state = ..limits.state_lines();
    bytes_mut(&mut copy[state]).copy_from_slice(bytes(&memory[state]));
    let mut other = Partition::resume(&mut copy, limits).unwrap();
    assert_eq!((other.state_hash(), other.rehash()), (hash, hash));
    let mut partition = Partition::attach(&mut memory).unwrap();
    for (to, number) in [(5, 2), (6, 2)] {
        for each in [&mut partition, &mut other] {
            apply(each, Move { kind: kind::HANDED_ON, arg: to, a: number, ..Move::default() });
        }
    }
    assert_eq!(partition.border.waiting(), 0);
    assert_eq!(partition.state_hash(), other.rehash());
}

#[test]
fn the_outbox_frees_and_fills_its_places_over_and_over() {
    let world = strip();
    let (view, limits) = shore(&world);
    let limits = Limits { parcels: 3, ..limits };
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &view).unwrap();
    let (mut seq, mut sent) = (1, [0u64; 2]);
    let hunt = u16::MAX;
    let enter = Move { kind: kind::ENTER, seq, player: 7, to: 1, hunt, ..Move::default() };
    apply(&mut partition, enter);
    for round in 0..200u64 {
        // One player goes out and comes back: as an arrival from where it went.
        let side = (round % 7 % 2) as usize;
        let to = 2 + side as u32;
        seq += 1;
        apply(
            &mut partition,
            Move { kind: kind::GO, seq, player: 7, from: 1, to, ..Move::default() },
        );
        sent[side] += 1;
        let peer = OWNER[side];
        let parcel = *partition.border.parcels(peer).last().unwrap();
        let mut back = Arrival::decode(&parcel);
        (back.from, back.node, back.number) = (peer, 1, sent[side]);
        let answer = partition.apply(&back.encode(), &mut ());
        assert_eq!(answer.update.code, Code::Ok as u16);
        if partition.border.waiting() == 3 {
            for (peer, number) in OWNER.into_iter().zip(sent) {
                let acked = partition.border.peer(peer).unwrap().acked;
                if number > acked {
                    let arg = peer as u32;
                    let done = Move { kind: kind::HANDED_ON, arg, a: number, ..Move::default() };
                    apply(&mut partition, done);
                }
            }
            assert_eq!(partition.border.waiting(), 0);
        }
    }
    assert_eq!(partition.rehash(), partition.state_hash());
}
