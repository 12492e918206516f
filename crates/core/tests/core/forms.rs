//! Rows by numbers and rows as masks: one history over both, and nobody can tell them apart.

use huntgraph_core::schema::{Event, Receipt};
use huntgraph_core::{Answer, Limits, Line, Partition, Sink};

use crate::support::{Rng, World, block, both_forms};
use crate::turmoil::Turmoil;

/// All events of a batch and all answers to it.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: Vec<Event>,
    answers: Vec<(Answer, Option<Receipt>)>,
}

impl Sink for Told {
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
}

fn told(partition: &mut Partition, records: &[[u8; 64]]) -> Told {
    let mut told = Told::default();
    partition.apply_batch(records, &mut told, |told, _, answer, receipt| {
        told.answers.push((*answer, receipt.copied()));
    });
    told
}

/// A state in a block of its own, taken up again.
fn resumed(memory: &[Line], limits: Limits) -> Vec<Line> {
    let (mut other, state) = (block(limits), limits.state_lines());
    other[..state].copy_from_slice(&memory[..state]);
    Partition::resume(&mut other, limits).unwrap();
    other
}

/// The hash in the end; `spoil` gets the block whose rows are masks once, in the middle.
fn live_in_both(seed: u64, world: &World, spoil: impl FnOnce(&mut [Line], Limits)) -> u64 {
    let limits = both_forms(world.limits(64, 6), &world.view());
    let mut blocks = limits.map(|limits| {
        let mut memory = block(limits);
        Partition::create(&mut memory, limits, &world.view()).unwrap();
        memory
    });
    let (mut rng, mut turmoil) = (Rng(seed), Turmoil::new(seed, world, 60));
    let mut spoil = Some(spoil);
    for round in 0..250 {
        if round == 125
            && let Some(spoil) = spoil.take()
        {
            spoil(&mut blocks[1], limits[1]);
        }
        let [numbers, masks] = &mut blocks;
        let mut both = [numbers, masks].map(|memory| Partition::attach(memory).unwrap());
        let records: Vec<_> = (0..1 + rng.below(60)).map(|_| turmoil.record(&both[0])).collect();
        let [one, other] = both.each_mut().map(|partition| told(partition, &records));
        assert_eq!(one, other, "seed {seed}, round {round}");
        let operations = rng.below(400);
        let [one, other] = both.each_mut().map(|partition| partition.work(operations));
        assert_eq!(one, other, "seed {seed}, round {round}");
        let [one, other] = both.each_mut().map(|of| (of.state_hash(), of.rehash()));
        assert_eq!((one, one.0), (other, other.1), "seed {seed}, round {round}");
        let edges =
            |of: &Partition| (0..of.edge_ids()).map(|edge| of.edge(edge)).collect::<Vec<_>>();
        assert_eq!(edges(&both[0]), edges(&both[1]), "seed {seed}, round {round}");
        if rng.chance(10) {
            for (memory, limits) in blocks.iter_mut().zip(limits) {
                *memory = resumed(memory, limits);
            }
        }
    }
    Partition::attach(&mut blocks[1]).unwrap().state_hash()
}

/// Worlds whose masks have one plane, two or more, and whose heads are near or far.
fn worlds(seed: u64) -> [World; 4] {
    let rng = &mut Rng(seed);
    let path = |nodes: u32| (1..nodes).map(|node| (node - 1, node, 3));
    let far = (0..40).map(|node| (node * 3, 40_000 - node * 5, 2 + node as u16));
    [
        World::new(
            70,
            &path(70).chain((8..70).map(|node| (node, node - 8, 5))).collect::<Vec<_>>(),
        ),
        World::near(rng, 60, 60, 9),
        World::near(rng, 150, 900, 40),
        World::new(40_001, &path(120).chain(far).collect::<Vec<_>>()),
    ]
}

#[test]
fn both_forms_give_the_same_answers_events_and_hashes() {
    for seed in 81..84 {
        for world in worlds(seed) {
            live_in_both(seed, &world, |_, _| {});
        }
    }
}

/// What is told by masks is what the comparison is of: any bit of them makes a difference.
#[test]
fn a_bit_of_a_mask_that_is_wrong_is_caught() {
    for (bit, world) in worlds(85).iter().enumerate() {
        let caught = std::panic::catch_unwind(|| {
            live_in_both(85, world, |memory, limits| {
                let sections = limits.sections();
                let before = sections.iter().take_while(|(name, _)| *name != "masks");
                let start: usize = before.map(|(_, lines)| lines).sum();
                huntgraph_core::bytes_mut(memory)[start * 64 + 4 + 2 * bit] ^= 1;
            })
        });
        assert!(caught.is_err(), "world {bit}");
    }
}
