//! Bearings: the records in which partitions tell each other of the way to a target.
//!
//! Whoever carries them takes out what is due for a partition and puts in what came from one, in
//! order. One that is lost costs a round: it never ends, and a later one takes its place.

use super::rounds::Round;
use crate::image::Partition;
use crate::schema::{Bearing, Code, HUNTS, NONE, PEERS, STAGES, bearing};

/// Nodes in one record of ways.
const ENTRIES: usize = 4;
/// A cursor is a place in the order of the halo, and a slot in that node's row.
const SLOT_BITS: u32 = 8;

impl Partition<'_> {
    /// Whether there is anything to tell a partition.
    pub fn has_bearings(&self, partition: u16) -> bool {
        let (peer, bit) = (partition as usize % PEERS, 1 << (partition as usize % PEERS));
        self.guidance.rounds.iter().any(|round| {
            let due = (round.ask_due | round.done_due) & bit != 0;
            due || round.acks[peer] > 0 || round.cursor[peer] != NONE
        })
    }

    /// The next record for a partition; `None` when it knows all.
    pub fn next_bearing(&mut self, partition: u16) -> Option<[u8; Bearing::BYTES]> {
        let peer = partition as usize % PEERS;
        for at in 0..self.guidance.rounds.len() {
            if self.guidance.rounds[at].target != NONE
                && let Some(bearing) = self.next_of_round(at, peer)
            {
                return Some(bearing.encode());
            }
        }
        None
    }

    fn next_of_round(&mut self, at: usize, peer: usize) -> Option<Bearing> {
        let (round, bit) = (&mut self.guidance.rounds[at], 1 << peer);
        let Round { number, epoch, partial, hops, .. } = *round;
        let (answered, flags) = (round.answered(), partial as u8);
        if round.acks[peer] > 0 {
            let count = core::mem::take(&mut round.acks[peer]).min(u16::MAX as u32) as u16;
            let ack = Bearing {
                kind: bearing::ACK,
                flags,
                round: number,
                count,
                epoch,
                ..Bearing::default()
            };
            return Some(self.signed(at, ack));
        }
        if round.done_due & bit != 0 {
            round.done_due &= !bit;
            let (epoch, flags) = (answered.0, answered.1 as u8);
            let done =
                Bearing { kind: bearing::DONE, flags, round: number, epoch, ..Bearing::default() };
            return Some(self.signed(at, done));
        }
        if round.ask_due & bit != 0 {
            round.ask_due &= !bit;
            let ask = Bearing { kind: bearing::ASK, count: hops as u16, ..Bearing::default() };
            return Some(self.signed(at, ask));
        }
        if round.cursor[peer] == NONE {
            return None;
        }
        // Whoever lies off all ways learns of the round by a record without any.
        let first = round.told & bit == 0;
        let ways = self.next_ways(at, peer);
        if ways.count == 0 && !first {
            self.conclude(at);
            return None;
        }
        let round = &mut self.guidance.rounds[at];
        (round.told, round.deficit) = (round.told | bit, round.deficit + 1);
        Some(self.signed(at, ways))
    }

    /// With sender and target.
    fn signed(&self, at: usize, bearing: Bearing) -> Bearing {
        let target = self.guidance.rounds[at].target as usize;
        let (hunt, stage) = ((target / STAGES) as u8, (target % STAGES) as u8);
        let hunt_id = self.hunts[hunt as usize].hunt_id as u32;
        Bearing { from: self.border.partition(), hunt_id, hunt, stage, ..bearing }
    }

    /// The next distances of own nodes that stand in a partition's halo.
    fn next_ways(&mut self, at: usize, peer: usize) -> Bearing {
        let Round { number, building, mut cursor, .. } = self.guidance.rounds[at];
        let mut ways = Bearing { kind: bearing::WAYS, round: number, ..Bearing::default() };
        let mut count = 0;
        while count < ENTRIES
            && cursor[peer] != NONE
            && let Some(node) = self.next_shared(&mut cursor[peer], peer)
        {
            let table = self.guidance.fields[building as usize].table;
            let distance = self.guidance.distance(table, node);
            if distance != NONE {
                ways.entries[count * 8..][..4].copy_from_slice(&node.to_le_bytes());
                ways.entries[count * 8 + 4..][..4].copy_from_slice(&distance.to_le_bytes());
                count += 1;
            }
        }
        self.guidance.rounds[at].cursor[peer] = cursor[peer];
        Bearing { count: count as u16, ..ways }
    }

    /// The next own node that has a slot to a node of this partition, each once; the cursor moves
    /// on, to NONE behind the last one.
    fn next_shared(&self, cursor: &mut u32, peer: usize) -> Option<u32> {
        let owner = |place: u32| self.border.owner[place as usize] as usize;
        let first = self.guidance.by_owner.partition_point(|&place| owner(place) < peer);
        let (mut at, mut slot) = (*cursor >> SLOT_BITS, *cursor as u8);
        while let Some(&place) = self.guidance.by_owner.get(first + at as usize)
            && owner(place) == peer
        {
            let copy = self.header.own_nodes + place;
            let mut walk = self.topology.walk(copy);
            while let Some(way) = self.topology.step(&mut walk) {
                if way.slot >= slot && self.first_copy_at(way.head, peer) == Some(copy) {
                    *cursor = at << SLOT_BITS | (way.slot as u32 + 1);
                    return Some(way.head);
                }
            }
            (at, slot) = (at + 1, 0);
        }
        *cursor = NONE;
        None
    }

    /// The first node of a partition in an own node's row.
    fn first_copy_at(&self, node: u32, peer: usize) -> Option<u32> {
        let mut walk = self.topology.walk(node);
        let owner = |head: u32| self.border.owner[(head - self.header.own_nodes) as usize] as usize;
        while let Some(way) = self.topology.step(&mut walk) {
            if way.head >= self.header.own_nodes && owner(way.head) == peer {
                return Some(way.head);
            }
        }
        None
    }

    /// Takes what another partition tells. What concerns no hunt that runs here, or an outdated
    /// round, is passed over.
    ///
    /// # Errors
    /// [`Code::WrongPartition`] for a sender that owns no node of the halo, [`Code::BadKind`],
    /// [`Code::BadRule`] for what no partition says.
    pub fn take_bearing(&mut self, raw: &[u8; Bearing::BYTES]) -> Result<(), Code> {
        let told = Bearing::decode(raw);
        let beside =
            (told.from as usize) < PEERS && self.guidance.work.beside >> told.from & 1 == 1;
        if !beside {
            return Err(Code::WrongPartition);
        }
        let sound = (told.hunt as usize) < HUNTS && (told.stage as usize) < STAGES;
        let entries = told.kind != bearing::WAYS || told.count as usize <= ENTRIES;
        if !sound || !entries {
            return Err(Code::BadRule);
        }
        let target = told.hunt as u32 * STAGES as u32 + told.stage as u32;
        let same = self.hunts[told.hunt as usize].hunt_id as u32 == told.hunt_id;
        let known = same && self.home_of(target).is_some();
        match told.kind {
            bearing::ASK if known => self.take_ask(target, &told),
            bearing::WAYS if known => self.take_ways(target, &told),
            bearing::ACK if known => self.take_ack(target, &told),
            bearing::DONE if known => self.take_done(target, &told),
            bearing::ASK..=bearing::DONE => {}
            _ => return Err(Code::BadKind),
        }
        Ok(())
    }

    fn take_ask(&mut self, target: u32, told: &Bearing) {
        let towards = self.guidance.work.linked & !(1 << told.from);
        self.ask(target, told.count as u32, towards);
    }

    fn take_ways(&mut self, target: u32, told: &Bearing) {
        let Some(at) = self.enter_round(target) else { return };
        let home = self.home_of(target) == Some(self.border.partition() as u32);
        let Round { number, building, parent, .. } = self.guidance.rounds[at];
        if told.round > number && !home {
            if !self.engage(at, told.round, told.from as u32) {
                return;
            }
        } else if told.round != number || building == NONE {
            return;
        } else if parent == NONE && !home {
            self.guidance.rounds[at].parent = told.from as u32;
        } else {
            self.guidance.rounds[at].acks[told.from as usize] += 1;
        }
        let pairs = told.entries.as_chunks::<8>().0;
        for pair in &pairs[..told.count as usize] {
            let pair = u64::from_le_bytes(*pair);
            self.take_offer(at, told.from, pair as u32, (pair >> 32) as u32);
        }
        self.conclude(at);
    }

    /// A node of the halo lies so far from the target; nodes that are not in it are passed over.
    fn take_offer(&mut self, at: usize, owner: u16, twin: u32, distance: u32) {
        let border = &self.border;
        let home = |&place: &u32| (border.owner[place as usize], border.twin[place as usize]);
        let found = self.guidance.by_owner.binary_search_by_key(&(owner, twin), home);
        let Ok(found) = found else { return };
        let halo = self.guidance.by_owner.len();
        let offer = at * halo + self.guidance.by_owner[found] as usize;
        if distance < self.guidance.offers[offer] {
            self.guidance.offers[offer] = distance;
            self.offers_came(at);
        }
    }

    fn take_ack(&mut self, target: u32, told: &Bearing) {
        let Some(at) = self.guidance.round_of(target) else { return };
        let round = &mut self.guidance.rounds[at];
        if round.number == told.round && round.building != NONE {
            round.deficit = round.deficit.saturating_sub(told.count as u32);
            round.epoch = round.epoch.min(told.epoch);
            round.partial |= (told.flags & 1) as u32;
            self.conclude(at);
        }
    }

    fn take_done(&mut self, target: u32, told: &Bearing) {
        let Some(at) = self.guidance.round_of(target) else { return };
        let round = &mut self.guidance.rounds[at];
        if round.number == told.round && round.building != NONE {
            round.done_due = self.guidance.work.linked & !(1 << told.from);
            self.end_round(at, told.epoch, (told.flags & 1) as u32);
        }
    }
}
