//! Random worlds, a shadow of the weights, and a plain Dijkstra to judge guidance by.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use huntgraph_core::schema::{Event, Move, NONE, Rule, UNREACHABLE, Update, event, flag, kind};
use huntgraph_core::schema::{form, rule};
use huntgraph_core::{Limits, Line, Partition, Sink, WorldView};

/// Steele, Lea and Flood's SplitMix64: small, and the same everywhere.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.next() >> 32) * end as u64) >> 32) as u32
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// Tail and head of a slot.
pub type Ends = (u32, u32);

/// A world's rows, owned.
#[derive(Clone)]
pub struct World {
    pub first: Vec<u32>,
    pub head: Vec<u32>,
    pub cost: Vec<u16>,
    pub tail: Vec<u32>,
}

impl World {
    /// From edges (tail, head, cost); a missing way back becomes an absent slot.
    pub fn new(nodes: u32, edges: &[(u32, u32, u16)]) -> Self {
        let mut slots = BTreeMap::new();
        for &(tail, head, cost) in edges {
            slots.entry((head, tail)).or_insert(0);
            slots.insert((tail, head), cost);
        }
        let mut first = vec![0; nodes as usize + 1];
        for &(tail, _) in slots.keys() {
            first[tail as usize + 1] += 1;
        }
        for node in 0..nodes as usize {
            first[node + 1] += first[node];
        }
        Self {
            first,
            head: slots.keys().map(|&(_, head)| head).collect(),
            cost: slots.values().copied().collect(),
            tail: slots.keys().map(|&(tail, _)| tail).collect(),
        }
    }

    /// A ring with random one-way edges across it, so that most nodes can be reached.
    pub fn random(rng: &mut Rng, nodes: u32, edges: u32, most: u32) -> Self {
        let mut list = Vec::new();
        for node in 0..nodes {
            if rng.chance(95) {
                list.push((node, (node + 1) % nodes, 1 + rng.below(most) as u16));
            }
        }
        for _ in 0..edges {
            let (tail, head) = (rng.below(nodes), rng.below(nodes));
            if tail != head {
                list.push((tail, head, 1 + rng.below(most) as u16));
            }
        }
        Self::new(nodes, &list)
    }

    /// As [`Self::random`], but for edges that lead by one of few offsets: rows can be masks.
    pub fn near(rng: &mut Rng, nodes: u32, edges: u32, most: u32) -> Self {
        const OFFSETS: [u32; 7] = [1, 2, 5, 9, 14, 15, 30];
        let ring = (0..nodes).map(|node| (node, (node + 1) % nodes, 1 + rng.below(most) as u16));
        let mut list: Vec<_> = ring.collect();
        for _ in 0..edges {
            let (tail, head) = (rng.below(nodes), OFFSETS[rng.below(7) as usize]);
            let (tail, head) = (tail, tail + head);
            if head < nodes {
                let ends = if rng.chance(50) { (tail, head) } else { (head, tail) };
                list.push((ends.0, ends.1, 1 + rng.below(most) as u16));
            }
        }
        Self::new(nodes, &list)
    }

    pub fn nodes(&self) -> u32 {
        self.first.len() as u32 - 1
    }

    pub fn view(&self) -> WorldView<'_> {
        WorldView {
            first: &self.first,
            head: &self.head,
            cost: &self.cost,
            world_id: 0x1234,
            partition: 0,
            halo_owner: &[],
            halo_twin: &[],
        }
    }

    pub fn limits(&self, players: u32, fields: u32) -> Limits {
        Limits::of(&self.view(), players, fields)
    }

    pub fn row(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }

    /// Distance of every node to `target` by the routing weights given (0 = cannot be walked), of
    /// the world's slots and then of those `added` to it (tail, head).
    pub fn solve(&self, added: &[Ends], weights: &[u16], target: u32) -> Vec<u32> {
        let mut into = vec![Vec::new(); self.nodes() as usize];
        let slots = self.tail.iter().copied().zip(self.head.iter().copied());
        for ((tail, head), &weight) in slots.chain(added.iter().copied()).zip(weights) {
            if weight > 0 {
                into[head as usize].push((tail, weight as u32));
            }
        }
        let mut away = vec![UNREACHABLE; self.nodes() as usize];
        let mut heap = BinaryHeap::from([Reverse((0, target))]);
        while let Some(Reverse((distance, node))) = heap.pop() {
            if away[node as usize] != UNREACHABLE {
                continue;
            }
            away[node as usize] = distance;
            for &(tail, weight) in &into[node as usize] {
                heap.push(Reverse((distance + weight, tail)));
            }
        }
        away
    }

    /// The head of the first slot in a node's row that lies on a shortest way; see [`Self::solve`].
    pub fn next(&self, added: &[Ends], weights: &[u16], away: &[u32], node: u32) -> u32 {
        let own = self.row(node).map(|edge| (edge, self.head[edge]));
        let more = added.iter().enumerate().filter(|(_, ends)| ends.0 == node);
        let more = more.map(|(number, ends)| (self.head.len() + number, ends.1));
        let mut row = own.chain(more).filter(|&(edge, head)| {
            // Slots that were added later have no weight yet.
            let weight = weights.get(edge).map_or(0, |&weight| weight as u32);
            let beyond = away[head as usize];
            weight > 0 && beyond != UNREACHABLE && beyond + weight == away[node as usize]
        });
        row.next().map_or(NONE, |(_, head)| head)
    }
}

/// Follows edges and routing weights by the events, and keeps the weights of every tick.
pub struct Shadow {
    pub added: Vec<Ends>,
    pub live: Vec<u16>,
    pub ticks: Vec<Vec<u16>>,
    pub closed_hunts: usize,
}

impl Shadow {
    pub fn new(world: &World) -> Self {
        let (added, live, ticks) = (Vec::new(), world.cost.clone(), vec![world.cost.clone()]);
        Self { added, live, ticks, closed_hunts: 0 }
    }
}

impl Sink for Shadow {
    fn event(&mut self, event: &Event) {
        match event.kind {
            event::DELTA => {
                let closed = event.flags & 1 == 1;
                if event.edge as usize == self.live.len() {
                    self.added.extend([(event.from, event.to), (event.to, event.from)]);
                    self.live.extend([0, 0]);
                }
                self.live[event.edge as usize] = if closed { 0 } else { event.value as u16 };
            }
            event::TICKED => {
                assert_eq!(event.tick as usize, self.ticks.len());
                self.ticks.push(self.live.clone());
            }
            event::HUNT if event.value == 5 => self.closed_hunts += 1,
            _ => {}
        }
    }
}

/// What answers were judged.
#[derive(Debug, Default)]
pub struct Seen {
    pub now: usize,
    pub epoch: usize,
    pub late: usize,
    pub lost: usize,
    pub pending: usize,
}

impl Seen {
    /// Judges one answer against the weights it names.
    pub fn judge(&mut self, world: &World, shadow: &Shadow, update: &Update) {
        if update.target == NONE {
            return assert_eq!(update.distance, NONE);
        }
        let weights = if update.flags & flag::EXACT_NOW != 0 {
            self.now += 1;
            &shadow.live
        } else if update.flags & flag::CERTIFIED != 0 {
            self.epoch += 1;
            self.late += (update.epoch < update.tick) as usize;
            &shadow.ticks[update.epoch as usize]
        } else {
            assert_ne!(update.flags & flag::PENDING, 0, "{update:?}");
            self.pending += 1;
            return;
        };
        let away = world.solve(&shadow.added, weights, update.target);
        let distance = away[update.node as usize];
        let lost = distance == UNREACHABLE;
        self.lost += lost as usize;
        assert_eq!(update.distance, distance, "{update:?}");
        assert_eq!(update.flags & flag::NO_PATH != 0, lost, "{update:?}");
        if update.flags & flag::ARRIVED == 0 {
            let next = world.next(&shadow.added, weights, &away, update.node);
            assert_eq!(update.next, next, "{update:?}");
        } else {
            assert_eq!(update.node, update.target, "{update:?}");
        }
    }
}

/// Limits with rows in each form that a world's can have: by numbers, then masks.
pub fn forms(limits: Limits, view: &WorldView) -> Vec<Limits> {
    [false, true].into_iter().filter_map(|masks| limits.in_form(view, masks)).collect()
}

/// Both, of a world whose rows can be masks.
pub fn both_forms(limits: Limits, view: &WorldView) -> [Limits; 2] {
    forms(limits, view).try_into().expect("the rows of this world can be masks")
}

/// A block for a world, not laid out yet.
pub fn block(limits: Limits) -> Vec<Line> {
    vec![Line::default(); limits.total_lines()]
}

/// A player's move in `hunt`.
pub fn player_move(kind: u8, player: u64, seq: u32, hunt: u16, from: u32, to: u32) -> [u8; 64] {
    Move { kind, player, seq, hunt, from, to, ..Move::default() }.encode()
}

/// A record about edge `from -> to`, or about nothing.
pub fn order(kind: u8, hunt: u16, from: u32, to: u32, arg: u32) -> [u8; 64] {
    Move { kind, hunt, from, to, arg, ..Move::default() }.encode()
}

/// Some change of an edge: of any slot in use, or between any two nodes.
pub fn edge_change(rng: &mut Rng, partition: &Partition, most: u32) -> [u8; 64] {
    const ADD: u8 = kind::EDGE_ADD;
    let kinds = [kind::EDGE_CLOSE, kind::EDGE_OPEN, kind::EDGE_PRICE, kind::EDGE_REMOVE, ADD, ADD];
    let chosen = kinds[rng.below(6) as usize];
    let nodes = partition.header.nodes;
    let (from, to) = if chosen == ADD && rng.chance(30) {
        (rng.below(nodes), rng.below(nodes))
    } else {
        let edge = partition.edge(rng.below(partition.edge_ids() as u32) as usize).unwrap();
        (edge.tail, edge.head)
    };
    order(chosen, 0, from, to, 1 + rng.below(most))
}

/// The next tick.
pub fn tick_of(partition: &Partition) -> [u8; 64] {
    order(kind::TICK, 0, 0, 0, partition.header.tick + 1)
}

/// Rows that publish a hunt of treasures at these nodes, each open to every player.
pub fn treasures(hunt: u16, nodes: &[u32]) -> Vec<[u8; 64]> {
    let blank = Rule { hunt, ..Rule::default() };
    let mut rows = vec![Rule { kind: kind::HUNT_BEGIN, hunt_id: 9, ..blank }];
    rows.extend(nodes.iter().enumerate().map(|(index, &from)| Rule {
        kind: kind::HUNT_STAGE,
        index: index as u8,
        form: form::TREASURE,
        rule: rule::PLAYER,
        from,
        ..blank
    }));
    rows.push(Rule { kind: kind::HUNT_PUBLISH, count: nodes.len() as u32, ..blank });
    rows.iter().map(Rule::encode).collect()
}

/// Applies a record that must be done.
pub fn must(partition: &mut Partition, raw: &[u8; 64], shadow: &mut Shadow) -> Update {
    let update = partition.apply(raw, shadow).update;
    assert_eq!(update.code, 0, "{update:?}");
    update
}
