//! What the examples measure on: a grid, a hunt with a treasure and a traffic rule, ticks.

use huntgraph_core::schema::{Move, Rule, form, kind, rule};
use huntgraph_core::{Partition, WorldView};

/// Rows of a grid with four neighbours.
pub struct Grid {
    pub side: u32,
    pub first: Vec<u32>,
    pub head: Vec<u32>,
    pub cost: Vec<u16>,
}

impl Grid {
    /// So many nodes a side.
    pub fn new(side: u32) -> Self {
        let (mut first, mut head) = (vec![0], Vec::new());
        for node in 0..side * side {
            let (x, y) = (node % side, node / side);
            let ways = [
                (y > 0).then(|| node - side),
                (x > 0).then(|| node - 1),
                (x + 1 < side).then(|| node + 1),
                (y + 1 < side).then(|| node + side),
            ];
            head.extend(ways.into_iter().flatten());
            first.push(head.len() as u32);
        }
        let cost = (0..head.len() as u32)
            .map(|edge| 8 + (edge.wrapping_mul(2_654_435_761) >> 27) as u16)
            .collect();
        Self { side, first, head, cost }
    }

    pub fn view(&self) -> WorldView<'_> {
        WorldView {
            first: &self.first,
            head: &self.head,
            cost: &self.cost,
            world_id: 1,
            partition: 0,
            halo_owner: &[],
            halo_twin: &[],
        }
    }

    /// The node in the middle.
    pub fn middle(&self) -> u32 {
        self.side * self.side / 2 + self.side / 2
    }

    /// Slot 0: a treasure in the middle and a traffic rule. Opened by the next tick.
    pub fn publish(&self, partition: &mut Partition) {
        for row in hunt(self.middle()) {
            partition.apply(&row.encode(), &mut ());
        }
    }
}

fn hunt(middle: u32) -> [Rule; 4] {
    let blank = Rule::default();
    [
        Rule { kind: kind::HUNT_BEGIN, hunt_id: 1, ..blank },
        Rule {
            kind: kind::HUNT_STAGE,
            form: form::TREASURE,
            rule: rule::PLAYER,
            from: middle,
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

/// The record of tick `arg`.
pub fn tick_record(arg: u32) -> [u8; 64] {
    Move { kind: kind::TICK, arg, ..Move::default() }.encode()
}
