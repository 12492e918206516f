//! A seeded stream of records of every kind, made from what the partition holds.

use std::collections::VecDeque;

use huntgraph_core::schema::{HUNTS, NONE, Rule, form, kind, rule, state};
use huntgraph_core::{Edge, Partition};

use crate::support::{Rng, World, edge_change, order, player_move, tick_of};

/// Makes the next record again and again.
pub struct Turmoil<'w> {
    rng: Rng,
    world: &'w World,
    players: u32,
    rows: VecDeque<[u8; 64]>,
}

impl<'w> Turmoil<'w> {
    pub fn new(seed: u64, world: &'w World, players: u32) -> Self {
        Self { rng: Rng(seed), world, players, rows: VecDeque::new() }
    }

    /// One record: most are moves of players, sound or not.
    pub fn record(&mut self, partition: &Partition) -> [u8; 64] {
        if let Some(row) = self.rows.pop_front() {
            return row;
        }
        match self.rng.below(100) {
            0..72 => self.walk(partition),
            72..86 => edge_change(&mut self.rng, partition, 40),
            86..91 => tick_of(partition),
            91..99 => self.steer(partition),
            _ => self.noise(),
        }
    }

    fn walk(&mut self, partition: &Partition) -> [u8; 64] {
        let id = self.rng.below(self.players) as u64 * 0x0101_0101_0101;
        let (hunt, place) =
            (self.rng.below(HUNTS as u32) as u16, self.rng.below(self.world.nodes()));
        let Some(slot) = partition.player_slot(id) else {
            return player_move(kind::ENTER, id, 1, hunt, 0, place);
        };
        let player = partition.players[slot];
        let seq = player.seq.wrapping_add(match self.rng.below(50) {
            0 => 0,
            1 => 2,
            _ => 1,
        });
        if player.present == 0 || self.rng.chance(4) {
            return player_move(kind::ENTER, id, seq, hunt, 0, place);
        }
        match self.rng.below(40) {
            0 => player_move(kind::LEAVE, id, seq, hunt, 0, 0),
            1 => player_move(kind::HINT, id, seq, hunt, 0, 0),
            2..5 => order_claim(id, seq),
            _ => {
                let to = self.neighbour(partition, player.node);
                player_move(kind::GO, id, seq, hunt, player.node, to)
            }
        }
    }

    /// Where some slot of a node leads, the added ones among them; 0 when it has none.
    fn neighbour(&mut self, partition: &Partition, node: u32) -> u32 {
        let added = self.world.head.len()..partition.edge_ids();
        let added = added.filter_map(|edge| partition.edge(edge)).filter(|edge| edge.tail == node);
        let own = self.world.row(node).map(|edge| self.world.head[edge]);
        let heads: Vec<u32> = own.chain(added.map(|edge| edge.head)).collect();
        let chosen = self.rng.below(heads.len().max(1) as u32) as usize;
        heads.get(chosen).copied().unwrap_or(0)
    }

    fn steer(&mut self, partition: &Partition) -> [u8; 64] {
        let slot = self.rng.below(HUNTS as u32);
        if matches!(partition.hunts[slot as usize].state, state::EMPTY | state::CLOSED) {
            self.publish(partition, slot as u16);
        }
        let kinds = [
            kind::HUNT_PAUSE,
            kind::HUNT_RESUME,
            kind::HUNT_RESUME,
            kind::HUNT_EXTEND,
            kind::HUNT_CLOSE,
        ];
        let chosen = kinds[self.rng.below(5) as usize];
        if chosen == kind::HUNT_CLOSE && !self.rng.chance(20) {
            return tick_of(partition);
        }
        order(chosen, slot as u16, 0, 0, 3)
    }

    fn publish(&mut self, partition: &Partition, hunt: u16) {
        let blank = Rule { hunt, ..Rule::default() };
        let mut rows = vec![Rule {
            kind: kind::HUNT_BEGIN,
            opens: self.rng.below(3),
            closes: self.rng.below(60),
            ..blank
        }];
        for index in 0..4 {
            rows.push(Rule {
                kind: kind::HUNT_STAGE,
                index,
                form: [form::CLUE, form::TREASURE][self.rng.below(2) as usize],
                rule: [rule::EXCLUSIVE, rule::TEAM, rule::PLAYER][self.rng.below(3) as usize],
                from: self.rng.below(self.world.nodes()),
                points: 5,
                ..blank
            });
            rows.push(Rule { kind: kind::HUNT_HINT, index, delay: 1, cost: 2, ..blank });
        }
        self.add_gate(partition, &mut rows, blank);
        rows.push(Rule {
            kind: kind::HUNT_TRAFFIC,
            stock: 40,
            points: 3,
            index: 1 + self.rng.below(7) as u8,
            delay: self.rng.below(9),
            cost: self.rng.below(6),
            ..blank
        });
        rows.push(Rule { kind: kind::HUNT_PUBLISH, count: rows.len() as u32 - 1, ..blank });
        self.rows.extend(rows.iter().map(Rule::encode));
    }

    fn add_gate(&mut self, partition: &Partition, rows: &mut Vec<Rule>, blank: Rule) {
        let slots = (0..partition.edge_ids()).filter_map(|edge| partition.edge(edge));
        let real: Vec<Edge> = slots.filter(|edge| edge.weight > 0).collect();
        rows.push(Rule {
            kind: kind::HUNT_GATE,
            flags: self.rng.below(2) as u8,
            mask: 1 + self.rng.below(15) as u64,
            opens: self.rng.below(9),
            closes: self.rng.below(9),
            ..blank
        });
        for _ in 0..6 {
            let Edge { tail, head, .. } = real[self.rng.below(real.len() as u32) as usize];
            rows.push(Rule { kind: kind::HUNT_GATE_EDGE, from: tail, to: head, ..blank });
        }
    }

    /// Any bytes, under a kind that is mostly known.
    fn noise(&mut self) -> [u8; 64] {
        let mut raw = [0; 64];
        for part in raw.chunks_exact_mut(8) {
            part.copy_from_slice(&self.rng.next().to_le_bytes());
        }
        raw[0] = self.rng.below(70) as u8;
        // Small numbers reach further into the rules than great ones.
        for at in (2..64).step_by(4) {
            if self.rng.chance(60) {
                raw[at..at + 2].fill(0);
            }
        }
        raw
    }
}

fn order_claim(player: u64, seq: u32) -> [u8; 64] {
    let mut raw = player_move(kind::CLAIM, player, seq, 0, 0, 0);
    raw[24..28].copy_from_slice(&NONE.to_le_bytes());
    raw
}
