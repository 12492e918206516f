//! Rows: each edge leads where the world says, however it is told in the image.

use huntgraph_core::schema::{Code, Receipt, kind};
use huntgraph_core::{Answer, ImageError, Limits, Partition};

use crate::support::{Rng, World, block, forms, player_move};

/// Worlds whose heads are told in each of the ways there are.
fn worlds() -> Vec<(&'static str, World)> {
    let rng = &mut Rng(71);
    let side = 20;
    let across = (0..side * side).flat_map(|node| {
        let right = (node % side + 1 < side).then_some((node, node + 1, 3));
        let down = (node / side + 1 < side).then_some((node, node + side, 4));
        right.into_iter().chain(down)
    });
    // Node 205 has 64 edges, in the middle of a group of rows that are short.
    let hub = across.clone().chain((0..60).map(|at| (205, at * 3, 7)));
    let far = (1..200).map(|node| (node, 40_000 + node, 9)).chain([(0, 1, 2), (1, 2, 3)]);
    vec![
        ("a grid", World::new(side * side, &across.collect::<Vec<_>>())),
        ("a grid with a hub", World::new(side * side, &hub.collect::<Vec<_>>())),
        ("long lists", World::random(rng, 300, 1_200, 50)),
        ("rows of two lines and lists that are full", World::random(rng, 300, 6_500, 50)),
        ("heads far from their tails", World::new(41_000, &far.collect::<Vec<_>>())),
        ("no edge", World::new(17, &[])),
        (
            "masks of many bits",
            patterned(rng, 130, &[1, 2, 3, 4, 5, 7, 11, 13, 17, 18, 19, 23, 29]),
        ),
        (
            "far heads among many",
            patterned(rng, 41_000, &[1, 9, 40, 33_000, 33_001, 33_900, 40_321]),
        ),
        ("three blocks of a grid with holes", patterned(rng, 2_500, &[1, 48, 49, 50])),
    ]
}

/// Each of them in each form that its rows can have.
fn worlds_in_forms() -> Vec<(String, World, Limits)> {
    let mut all = vec![];
    for (name, world) in worlds() {
        for limits in forms(world.limits(1, 1), &world.view()) {
            let form = if limits.compact { "masks" } else { "numbers" };
            all.push((format!("{name}, by {form}"), world.clone(), limits));
        }
    }
    all
}

/// Some of the edges by these offsets, at the beginning and at the end of the nodes.
fn patterned(rng: &mut Rng, nodes: u32, offsets: &[u32]) -> World {
    let mut list = vec![];
    for tail in (0..nodes).filter(|&node| node < 2_500 || node > nodes - 200) {
        let heads = offsets.iter().map(|offset| tail + offset).filter(|&head| head < nodes);
        list.extend(heads.filter(|_| rng.chance(60)).map(|head| (tail, head, 5)));
    }
    World::new(nodes, &list)
}

#[test]
fn rows_are_masks_where_they_can_be() {
    for (name, world) in worlds() {
        let limits = world.limits(1, 1);
        let numbers = ["hub", "long", "lines"].iter().any(|word| name.contains(word));
        assert_eq!(limits.compact, !numbers, "{name}");
        assert_eq!(forms(limits, &world.view()).len(), 2 - numbers as usize, "{name}");
        assert_eq!(limits.in_form(&world.view(), limits.compact), Some(limits), "{name}");
    }
}

/// The first nodes, and at most 200 of the others that have edges.
fn nodes(world: &World) -> Vec<u32> {
    let others: Vec<_> = (400..world.nodes()).filter(|&node| !world.row(node).is_empty()).collect();
    let some = others.iter().step_by(others.len() / 200 + 1).copied();
    (0..world.nodes().min(400)).chain(some).collect()
}

#[test]
fn edges_lead_where_the_world_says() {
    for (name, world, limits) in worlds_in_forms() {
        let mut memory = block(limits);
        let partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        assert_eq!(partition.edge_ids(), world.head.len(), "{name}");
        for at in 0..partition.edge_ids() {
            let edge = partition.edge(at).unwrap();
            assert_eq!((edge.tail, edge.head), (world.tail[at], world.head[at]), "{name}: {at}");
            assert_eq!((edge.weight, edge.closed), (world.cost[at], world.cost[at] == 0));
        }
    }
}

/// Both by what is found ahead of a batch and without it.
#[test]
fn players_go_along_edges_and_nowhere_else() {
    for (name, world, limits) in worlds_in_forms() {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let (all, mut seq) = (nodes(&world), 0);
        for (&from, &to) in all.iter().flat_map(|from| all.iter().map(move |to| (from, to))) {
            let edge = world.row(from).find(|&edge| world.head[edge] == to);
            let wanted = match edge {
                Some(edge) if world.cost[edge] > 0 => Code::Ok,
                _ => Code::NoEdge,
            };
            let mut moves = || {
                seq += 2;
                let enter = player_move(kind::ENTER, 1, seq - 1, u16::MAX, 0, from);
                [enter, player_move(kind::GO, 1, seq, u16::MAX, from, to)]
            };
            let alone = moves().map(|raw| partition.apply(&raw, &mut ()).update.code);
            let mut codes = alone.to_vec();
            let note = |(): &mut (), _: &[u8; 64], answer: &Answer, _: Option<&Receipt>| {
                codes.push(answer.update.code);
            };
            partition.apply_batch(&moves(), &mut (), note);
            let wanted = [Code::Ok as u16, wanted as u16].repeat(2);
            assert_eq!(codes, wanted, "{name}: {from} -> {to}");
        }
    }
}

#[test]
fn without_room_for_its_heads_a_world_is_refused() {
    for (name, world, limits) in worlds_in_forms() {
        let refused = |limits: Limits| {
            let mut memory = block(limits);
            Partition::create(&mut memory, limits, &world.view()).err()
        };
        assert_eq!(refused(limits), None, "{name}");
        let less = Limits { offsets: limits.offsets - 1, ..limits };
        assert_eq!(refused(less), Some(ImageError::Limits), "{name}");
        assert_eq!(refused(Limits { offsets: limits.offsets + 1, ..limits }), None, "{name}");
        let far = !limits.compact && (name.contains("full") || name.contains("far"));
        assert_eq!(limits.far > 1, far, "{name}: no head is too far for masks");
        let far = limits.far - limits.far / 5;
        let refusal = (far > 1).then_some(ImageError::Limits);
        assert_eq!(refused(Limits { far: far - (far > 1) as u32, ..limits }), refusal, "{name}");
    }
}
