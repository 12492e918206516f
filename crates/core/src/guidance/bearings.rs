//! Bearings: the records in which partitions tell each other of the way to a target.
//!
//! Whoever carries them takes out what is due for a partition and puts in what came from one, in
//! order. One that is lost costs a round: it never ends, and a later one takes its place.

use super::round::{Basis, Round};
use super::{COMPLETE, Guidance};
use crate::image::Partition;
use crate::schema::{Bearing, Code, HUNTS, NONE, PEERS, STAGES, bearing};

/// Nodes in one record of ways.
const ENTRIES: usize = 4;
/// A cursor is a place in the order of the halo, and a slot in that node's row.
const SLOT_BITS: u32 = 8;
/// Nodes of the halo looked at for one record: what bounds the time it takes.
const LOOKS: u32 = 256;

/// Words of a bit for each halo node.
pub(crate) const fn untold_words(halo: usize) -> usize {
    halo.div_ceil(64)
}

impl Partition<'_> {
    /// Whether there is anything to tell a partition.
    pub fn has_bearings(&self, partition: u16) -> bool {
        let (peer, bit) = (partition as usize % PEERS, 1 << (partition as usize % PEERS));
        self.guidance.rounds.iter().enumerate().any(|(at, round)| {
            let ends = if round.building == NONE { round.open } else { 0 };
            let due = (round.ask_due | round.done_due | ends) & bit != 0 || round.acks[peer] > 0;
            due || round.cursor[peer] != NONE && self.guidance.telling(at).is_some()
        })
    }

    /// The next record for a partition; `None` when it knows all, or when the next one has to be
    /// looked for in another turn.
    pub fn next_bearing(&mut self, partition: u16) -> Option<[u8; Bearing::BYTES]> {
        let peer = partition as usize % PEERS;
        for at in 0..self.guidance.rounds.len() {
            if self.guidance.rounds[at].target != NONE
                && let Some(bearing) = self.next_of_round(at, peer)
            {
                self.guidance.work.bearings += 1;
                return Some(bearing.encode());
            }
        }
        None
    }

    fn next_of_round(&mut self, at: usize, peer: usize) -> Option<Bearing> {
        let (tick, bit) = (self.header.tick, 1 << peer);
        let round = &mut self.guidance.rounds[at];
        let Round { number, basis, answered, answer, .. } = *round;
        let about = |kind, basis: Basis| Bearing {
            kind,
            flags: basis.flags as u8,
            round: number,
            age: tick - basis.epoch,
            reach: basis.reach,
            ..Bearing::default()
        };
        if round.acks[peer] > 0 {
            let count = round.acks[peer].min(u16::MAX as u32);
            round.acks[peer] -= count;
            let ack = Bearing { count: count as u16, ..about(bearing::ACK, basis) };
            return Some(self.signed(at, ack));
        }
        if round.done_due & bit != 0 {
            round.done_due &= !bit;
            let done = Bearing { round: answered, ..about(bearing::DONE, answer) };
            return Some(self.signed(at, done));
        }
        if round.ask_due & bit != 0 {
            round.ask_due &= !bit;
            let (kind, count, reach) = (bearing::ASK, round.hops as u16, round.asked_wish);
            return Some(self.signed(at, Bearing { kind, count, reach, ..Bearing::default() }));
        }
        if round.building == NONE && round.open & bit != 0 {
            // Whoever waits for more is let go.
            round.open &= !bit;
            return Some(self.signed(at, Bearing { flags: 0, ..about(bearing::WAYS, basis) }));
        }
        let field = self.guidance.telling(at)?;
        if self.guidance.rounds[at].cursor[peer] == NONE {
            return None;
        }
        let ways = self.next_ways(at, peer, field, about(bearing::WAYS, basis));
        let round = &mut self.guidance.rounds[at];
        let more = round.cursor[peer] != NONE;
        // Of a round without limit, whoever lies off all ways learns by a record without any.
        let first = round.told & bit == 0 && basis.reach == COMPLETE;
        let ends = round.open & bit != 0 && !more;
        if ways.count == 0 && !first && !ends {
            self.conclude(at);
            return None;
        }
        (round.told, round.deficit) = (round.told | bit, round.deficit + 1);
        round.open = if more { round.open | bit } else { round.open & !bit };
        let flags = if more { Basis::MORE as u8 } else { 0 };
        Some(self.signed(at, Bearing { flags, ..ways }))
    }

    /// With sender and target.
    fn signed(&self, at: usize, bearing: Bearing) -> Bearing {
        let target = self.guidance.rounds[at].target as usize;
        let (hunt, stage) = ((target / STAGES) as u8, (target % STAGES) as u8);
        let hunt_id = self.hunts[hunt as usize].hunt_id as u32;
        Bearing { from: self.border.partition(), hunt_id, hunt, stage, ..bearing }
    }

    /// The next distances of own nodes that stand in a partition's halo.
    fn next_ways(&mut self, at: usize, peer: usize, field: u32, mut ways: Bearing) -> Bearing {
        let table = self.guidance.fields[field as usize].table;
        let (mut count, mut looks) = (0, LOOKS);
        while count < ENTRIES
            && let Some(node) = self.next_untold(at, peer, &mut looks)
        {
            let distance = self.guidance.distance(table, node);
            if distance != NONE {
                ways.entries[count * 8..][..4].copy_from_slice(&node.to_le_bytes());
                ways.entries[count * 8 + 4..][..4].copy_from_slice(&distance.to_le_bytes());
                count += 1;
            }
        }
        Bearing { count: count as u16, ..ways }
    }

    /// The next own node beside a node of this partition that was marked. The cursor moves on, to
    /// NONE behind the last one, and at most so many nodes of the halo.
    fn next_untold(&mut self, at: usize, peer: usize, looks: &mut u32) -> Option<u32> {
        let owner = |place: u32| self.border.owner[place as usize] as usize;
        let first = self.guidance.by_owner.partition_point(|&place| owner(place) < peer);
        let cursor = self.guidance.rounds[at].cursor[peer];
        if cursor == NONE {
            return None;
        }
        let (mut index, mut slot) = (cursor >> SLOT_BITS, cursor as u8);
        while *looks > 0 {
            let place = self.guidance.by_owner.get(first + index as usize).copied();
            let Some(place) =
                place.filter(|&place| self.border.owner[place as usize] as usize == peer)
            else {
                self.guidance.rounds[at].cursor[peer] = NONE;
                return None;
            };
            *looks -= 1;
            if slot > 0 || self.guidance.take_untold(at, place) {
                let copy = self.header.own_nodes + place;
                let mut walk = self.topology.walk(copy);
                while let Some(way) = self.topology.step(&mut walk) {
                    if way.slot >= slot && self.first_copy_at(way.head, peer) == Some(copy) {
                        let next = index << SLOT_BITS | (way.slot as u32 + 1);
                        self.guidance.rounds[at].cursor[peer] = next;
                        return Some(way.head);
                    }
                }
            }
            (index, slot) = (index + 1, 0);
        }
        self.guidance.rounds[at].cursor[peer] = index << SLOT_BITS;
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
        self.ask(target, told.count as u32, told.reach, towards);
        if let Some(at) = self.guidance.round_of(target) {
            self.guidance.rounds[at].askers |= 1 << told.from;
        }
    }

    fn take_ways(&mut self, target: u32, told: &Bearing) {
        let Some(at) = self.enter_round(target) else { return };
        let home = self.is_home(target);
        let Round { number, building, parent, .. } = self.guidance.rounds[at];
        if told.round > number && !home {
            if !self.engage(at, told.round, told.from as u32, told.reach) {
                self.guidance.rounds[at].acks[told.from as usize] += 1;
                return;
            }
        } else if told.round != number {
            return;
        } else if parent == NONE && building != NONE && !home {
            self.guidance.rounds[at].parent = told.from as u32;
        } else {
            // One that takes no part any more says so.
            self.guidance.rounds[at].acks[told.from as usize] += 1;
        }
        if self.guidance.rounds[at].building == NONE {
            return;
        }
        let (round, bit) = (&mut self.guidance.rounds[at], 1 << told.from);
        let more = told.flags as u32 & Basis::MORE != 0;
        round.more = if more { round.more | bit } else { round.more & !bit };
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
        let epoch = self.header.tick.saturating_sub(told.age);
        let round = &mut self.guidance.rounds[at];
        if round.number == told.round && round.building != NONE {
            round.deficit = round.deficit.saturating_sub(told.count as u32);
            round.basis.epoch = round.basis.epoch.min(epoch);
            round.basis.flags |= told.flags as u32 & Basis::ALL;
            self.conclude(at);
        }
    }

    fn take_done(&mut self, target: u32, told: &Bearing) {
        let Some(at) = self.guidance.round_of(target) else { return };
        let epoch = self.header.tick.saturating_sub(told.age);
        let flags = told.flags as u32 & Basis::ALL;
        let answer = Basis { epoch, flags, reach: told.reach };
        let round = &self.guidance.rounds[at];
        if told.round > round.number && !self.is_home(target) {
            self.out_of_reach(at, told.round, answer);
        } else if round.number == told.round && round.building != NONE {
            self.end_round(at, answer);
        }
        self.guidance.rounds[at].done_due &= !(1 << told.from);
    }
}

impl Guidance<'_> {
    /// Whether the own nodes beside a node of the halo are to be told; they are not any more.
    fn take_untold(&mut self, at: usize, place: u32) -> bool {
        let words = untold_words(self.by_owner.len());
        let (word, bit) = (at * words + place as usize / 64, 1 << (place % 64));
        let is_untold = self.untold[word] & bit != 0;
        self.untold[word] &= !bit;
        is_untold
    }

    fn set_untold(&mut self, at: usize, place: u32) {
        let words = untold_words(self.by_owner.len());
        self.untold[at * words + place as usize / 64] |= 1 << (place % 64);
    }
}

impl Partition<'_> {
    /// A round starts with nothing to tell.
    pub(super) fn forget_untold(&mut self, at: usize) {
        let words = untold_words(self.guidance.by_owner.len());
        self.guidance.untold[at * words..(at + 1) * words].fill(0);
    }

    /// An own node beside the halo came nearer in the round of the field at work: each partition
    /// beside it is to be told.
    pub(super) fn mark_untold(&mut self, node: u32) {
        let Some(at) = self.round_with(self.guidance.work.field) else { return };
        let (mut walk, mut seen) = (self.topology.walk(node), 0_u64);
        while let Some(way) = self.topology.step(&mut walk) {
            if let Some(place) = way.head.checked_sub(self.header.own_nodes) {
                let bit = 1 << self.border.owner[place as usize];
                if seen & bit == 0 {
                    self.guidance.set_untold(at, place);
                }
                seen |= bit;
            }
        }
    }

    /// All that is marked in a round is to be told, from the first on.
    pub(super) fn tell_again(&mut self, at: usize) {
        for peer in 0..PEERS {
            let cursor = self.guidance.rounds[at].cursor[peer];
            let owner = |place: u32| self.border.owner[place as usize] as usize;
            if cursor != NONE && cursor as u8 != 0 {
                // Of this node some are told already: all are again.
                let first = self.guidance.by_owner.partition_point(|&place| owner(place) < peer);
                let place = self.guidance.by_owner[first + (cursor >> SLOT_BITS) as usize];
                self.guidance.set_untold(at, place);
            }
            let linked = self.guidance.work.linked >> peer & 1 == 1;
            self.guidance.rounds[at].cursor[peer] = if linked { 0 } else { NONE };
        }
    }
}
