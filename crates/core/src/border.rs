//! Borders: players handed to other partitions and taken from them (rules, section 11).
//!
//! A world's nodes from `own_nodes` on are copies of other partitions' nodes, its halo. Whoever
//! walks onto one leaves this partition as a parcel in the outbox; the parcel is the record with
//! which the other partition takes the player in. Both sides count parcels per pair of partitions.
//! Notices (`notices.rs`) are parcels too: number and cause stand in the same places of both.

use crate::apply::{Answer, Sink};
use crate::cells::{PARCEL, PEER, parts};
use crate::hash::mix;
use crate::history::Section;
use crate::image::Partition;
use crate::limits::{ImageError, WorldView};
use crate::players::{NO_STAGE, Player};
use crate::schema::{Arrival, Code, Event, Move, NONE, PEERS, Update, event, flag, kind, state};

/// Parcels of one peer whose cells have names of their own: more than can ever wait.
pub(crate) const NUMBERS: u64 = 1 << 40;

/// Counters of parcels between this partition and another one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Number of the last parcel given to it.
    pub sent: u64,
    /// Parcels up to here are in its log, durably.
    pub acked: u64,
    /// Number of the last parcel taken from it.
    pub taken: u64,
    /// Oldest and newest waiting parcel, as places in the outbox.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// Single values of the border.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Desk {
    /// Number of this partition.
    partition: u32,
    /// First free place of the outbox.
    pub(crate) free: u32,
    /// Parcels that wait.
    waiting: u32,
    spare: u32,
}

/// Where the halo's nodes are at home, and the players on their way there.
pub struct Border<'a> {
    pub(crate) desk: &'a mut Desk,
    /// Of each halo node: partition that owns it, and its number there.
    pub(crate) owner: &'a mut [u16],
    pub(crate) twin: &'a mut [u32],
    /// By number of the partition.
    pub(crate) peers: &'a mut [Peer],
    pub(crate) parcels: &'a mut [[u8; Arrival::BYTES]],
    /// Of each place in the outbox: the next of the same peer, or the next free one.
    pub(crate) next: &'a mut [u32],
}

impl Border<'_> {
    /// Takes the halo from a world, with an empty outbox.
    pub(crate) fn create(&mut self, world: &WorldView) -> Result<(), ImageError> {
        let own = world.partition as usize;
        let foreign = |&owner: &u16| (owner as usize) < PEERS && owner as usize != own;
        let whole = world.halo_twin.len() == self.owner.len() && own < PEERS;
        if !whole || world.halo_owner.len() != self.owner.len() {
            return Err(ImageError::Size);
        }
        if !world.halo_owner.iter().all(foreign) {
            return Err(ImageError::Halo);
        }
        self.owner.copy_from_slice(world.halo_owner);
        self.twin.copy_from_slice(world.halo_twin);
        let places = self.next.len() as u32;
        for (place, next) in self.next.iter_mut().enumerate() {
            *next = if place as u32 + 1 < places { place as u32 + 1 } else { NONE };
        }
        let free = if places > 0 { 0 } else { NONE };
        *self.desk = Desk { partition: own as u32, free, ..Desk::default() };
        self.peers.fill(Peer { first: NONE, last: NONE, ..Peer::default() });
        Ok(())
    }

    /// Counters of the parcels to and from a partition; `None` when there can be none such.
    pub fn peer(&self, partition: u16) -> Option<&Peer> {
        self.peers.get(partition as usize)
    }

    /// Parcels that wait to be acknowledged, for all partitions together.
    pub fn waiting(&self) -> u32 {
        self.desk.waiting
    }

    /// Parcels that a partition has not acknowledged, oldest first, as records for its log.
    pub fn parcels(&self, partition: u16) -> impl Iterator<Item = &[u8; Arrival::BYTES]> {
        let mut place = self.peers.get(partition as usize).map_or(NONE, |peer| peer.first);
        core::iter::from_fn(move || {
            let parcel = self.parcels.get(place as usize)?;
            place = self.next[place as usize];
            Some(parcel)
        })
    }

    /// Number of this partition.
    pub(crate) fn partition(&self) -> u16 {
        self.desk.partition as u16
    }

    /// Free places of the outbox.
    pub(crate) fn room(&self) -> u32 {
        self.parcels.len() as u32 - self.desk.waiting
    }

    /// Number of the next parcel for a partition.
    pub(crate) fn next_number(&self, partition: u16) -> u64 {
        self.peers[partition as usize].sent + 1
    }

    /// Whether a parcel with this number is the next one from a partition.
    pub(crate) fn check_parcel(&self, from: u16, number: u64) -> Result<(), Code> {
        let peer = self.peer(from).filter(|_| from != self.partition());
        let taken = peer.ok_or(Code::WrongPartition)?.taken;
        if number <= taken {
            Err(Code::Duplicate)
        } else if number != taken + 1 {
            Err(Code::SeqGap)
        } else {
            Ok(())
        }
    }

    /// The next parcel from a partition was taken.
    pub(crate) fn count_taken(&mut self, from: u16) {
        self.peers[from as usize].taken += 1;
    }

    /// Puts a parcel into the outbox, which has room; gives the sum of its cells.
    pub(crate) fn put(&mut self, partition: u16, number: u64, raw: [u8; Arrival::BYTES]) -> u64 {
        let place = self.desk.free;
        self.desk.free = core::mem::replace(&mut self.next[place as usize], NONE);
        self.desk.waiting += 1;
        self.parcels[place as usize] = raw;
        let peer = &mut self.peers[partition as usize];
        peer.sent = number;
        let before = core::mem::replace(&mut peer.last, place);
        match self.next.get_mut(before as usize) {
            Some(next) => *next = place,
            None => peer.first = place,
        }
        cells(partition, &self.parcels[place as usize])
    }

    /// Frees the places of parcels up to a number; gives the sum of their cells.
    fn forget(&mut self, partition: u16, number: u64) -> u64 {
        let mut sum = 0u64;
        let peer = &mut self.peers[partition as usize];
        for _ in peer.acked..number {
            let place = peer.first;
            sum = sum.wrapping_add(cells(partition, &self.parcels[place as usize]));
            peer.first = core::mem::replace(&mut self.next[place as usize], self.desk.free);
            self.desk.free = place;
            self.desk.waiting -= 1;
        }
        if peer.first == NONE {
            peer.last = NONE;
        }
        peer.acked = number;
        sum
    }

    /// The cells of all waiting parcels, computed anew.
    pub(crate) fn parcel_cells(&self) -> u64 {
        let peers = 0..self.peers.len() as u16;
        let each = peers.flat_map(|peer| self.parcels(peer).map(move |raw| cells(peer, raw)));
        each.fold(0, u64::wrapping_add)
    }

    /// The word of a cell of tags 8 and 9; `None` when there is no such cell.
    pub(crate) fn cell(&self, name: u64) -> Option<u64> {
        let (tag, index) = parts(name);
        if tag == PEER {
            let peer = self.peers.get(index / 4).filter(|peer| peer.sent | peer.taken != 0)?;
            return [peer.sent, peer.acked, peer.taken].get(index % 4).copied();
        }
        let number = index as u64 % (1 << 48) / 8;
        let mut parcels = self.parcels((index >> 48) as u16);
        let parcel = parcels.find(|raw| Arrival::decode(raw).number % NUMBERS == number)?;
        let (words, _) = parcel.as_chunks::<8>();
        words.get(index % 8).map(|word| u64::from_le_bytes(*word))
    }

    /// The cells of the peers that ever gave or took a parcel.
    pub(crate) fn peer_cells(&self) -> u64 {
        let used = |peer: &Peer| peer.sent | peer.taken != 0;
        let used = self.peers.iter().enumerate().filter(|(_, peer)| used(peer));
        used.fold(0, |sum, (number, peer)| {
            let name = PEER | (number as u64 * 4);
            sum.wrapping_add(mix(name, peer.sent))
                .wrapping_add(mix(name + 1, peer.acked))
                .wrapping_add(mix(name + 2, peer.taken))
        })
    }
}

/// The cells of one waiting parcel.
fn cells(partition: u16, raw: &[u8; Arrival::BYTES]) -> u64 {
    let number = Arrival::decode(raw).number % NUMBERS;
    let name = PARCEL | (partition as u64) << 48 | (number * 8);
    let (words, _) = raw.as_chunks::<8>();
    let words = words.iter().enumerate();
    words
        .fold(0, |sum, (w, word)| sum.wrapping_add(mix(name + w as u64, u64::from_le_bytes(*word))))
}

impl Partition<'_> {
    /// Whether a step to this node can be taken: one over the border needs room in the outbox.
    #[inline(always)]
    pub(crate) fn check_border(&self, to: u32) -> Result<(), Code> {
        let full = to >= self.header.own_nodes && self.border.room() == 0;
        if full { Err(Code::BorderFull) } else { Ok(()) }
    }

    /// A player stands on a halo node: it leaves as a parcel for the node's owner.
    pub(crate) fn hand_over<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        let player = &mut self.players[slot];
        let at = (player.node - self.header.own_nodes) as usize;
        let (owner, twin) = (self.border.owner[at], self.border.twin[at]);
        (player.present, player.away) = (0, owner as u8 + 1);
        self.header.present -= 1;
        let player = *player;
        let hunt = self.hunts.get(player.hunt as usize);
        let waited = hunt.map_or(0, |hunt| hunt.elapsed_ticks.saturating_sub(player.since));
        let number = self.border.next_number(owner);
        let parcel = Arrival {
            kind: kind::ARRIVE,
            from: self.border.partition(),
            seq: player.seq,
            player: player.id,
            number,
            cause: self.header.position,
            progress: player.progress,
            node: twin,
            score: player.score,
            hunt_id: hunt.map_or(0, |hunt| hunt.hunt_id as u32),
            waited: if player.target == NO_STAGE { 0 } else { waited },
            hunt: player.hunt,
            team: player.team,
            target: player.target,
            hints: player.hints,
            ..Arrival::default()
        };
        self.keep_outbox(owner);
        let cells = self.border.put(owner, number, parcel.encode());
        self.header.cells = self.header.cells.wrapping_add(cells);
        sink.event(&Event {
            kind: event::HANDED,
            player: player.id,
            to: player.node,
            value: owner as u32,
            a: number,
            ..self.event()
        });
    }

    /// Tells of a player that was handed over where it goes on.
    #[inline(always)]
    pub(crate) fn tell_moved(&self, slot: usize, update: &mut Update) {
        let player = &self.players[slot];
        if player.away != 0 {
            let at = (player.node - self.header.own_nodes) as usize;
            (update.moved_to, update.next) = (player.away, self.border.twin[at]);
        }
    }

    /// Takes in a player that another partition hands over.
    pub(crate) fn take_arrival<S: Sink>(&mut self, record: &Arrival, sink: &mut S) -> Answer {
        let admitted = self.admit_arrival(record);
        let outcome = admitted.map(|(slot, before)| {
            self.header.position += 1;
            self.keep::<Peer>(Section::Peers, record.from as usize, 1);
            self.border.count_taken(record.from);
            self.seat(slot, before, record, sink);
        });
        let player = record.player;
        let about = Move { kind: record.kind, player, ..Move::default() };
        self.answer_parcel(&about, record.from, outcome)
    }

    /// The answer to a parcel: taken, a repeat, or refused; with the number expected next.
    pub(crate) fn answer_parcel(
        &self,
        about: &Move,
        from: u16,
        outcome: Result<(), Code>,
    ) -> Answer {
        let mut answer = self.answer_plain(about, outcome);
        if outcome == Err(Code::Duplicate) {
            answer.update.flags = flag::DUPLICATE;
        }
        answer.update.echo = self.border.peer(from).map_or(0, |peer| peer.taken + 1);
        answer
    }

    /// Checks an arrival and gives the player's slot, with its former state if it had one.
    fn admit_arrival(&mut self, record: &Arrival) -> Result<(usize, Option<Player>), Code> {
        self.border.check_parcel(record.from, record.number)?;
        if record.node >= self.header.own_nodes {
            return Err(Code::UnknownNode);
        }
        match self.player_slot(record.player) {
            Some(slot) => {
                self.keep::<Player>(Section::Players, slot, 1);
                Ok((slot, Some(self.players[slot])))
            }
            None => {
                self.new_player(record.player).map(|slot| (slot, None)).ok_or(Code::PlayersFull)
            }
        }
    }

    /// Puts an arrived player where it goes on.
    fn seat<S: Sink>(
        &mut self,
        slot: usize,
        before: Option<Player>,
        record: &Arrival,
        sink: &mut S,
    ) {
        self.leave_old_edition(slot);
        let old = self.players[slot];
        self.guidance.hunter_left(&old);
        self.header.present += (old.present == 0) as u32;
        let edition = self.same_hunt(record);
        let player = &mut self.players[slot];
        *player = Player::new(record.player);
        (player.seq, player.node, player.present) = (record.seq, record.node, 1);
        (player.score, player.team) = (record.score, record.team);
        player.last_position = self.header.position;
        if let Some(edition) = edition {
            (player.hunt, player.edition) = (record.hunt, edition);
            player.progress = record.progress;
        }
        sink.event(&Event {
            kind: event::ENTERED,
            flags: 1,
            player: record.player,
            to: record.node,
            value: record.from as u32,
            ..self.event()
        });
        self.arrive(slot, sink);
        self.retarget(slot);
        self.resume_target(slot, record);
        self.player_changed(slot, before.as_ref());
    }

    /// The edition of the arriving player's hunt here, if that hunt runs or ran in this slot, or
    /// will: partitions do not open a hunt at the same moment.
    fn same_hunt(&self, record: &Arrival) -> Option<u32> {
        let hunt = self.hunts.get(record.hunt as usize)?;
        let states = state::READY..=state::CLOSED;
        let same = states.contains(&hunt.state) && hunt.hunt_id as u32 == record.hunt_id;
        (same && record.team < hunt.teams.max(1)).then_some(hunt.edition)
    }

    /// Whoever still has the target it came with keeps its hints and the time it waited.
    fn resume_target(&mut self, slot: usize, record: &Arrival) {
        let player = &mut self.players[slot];
        if player.target != NO_STAGE && player.target == record.target {
            player.hints = record.hints;
            player.since = player.since.saturating_sub(record.waited);
        }
    }

    /// Another partition holds the players handed to it: their room is free.
    pub(crate) fn take_receipt_of(&mut self, record: &Move) -> Result<(), Code> {
        let partition = u16::try_from(record.arg).unwrap_or(u16::MAX);
        let peer = self.border.peer(partition).ok_or(Code::WrongPartition)?;
        if record.a <= peer.acked {
            return Err(Code::Duplicate);
        }
        if record.a > peer.sent {
            return Err(Code::SeqGap);
        }
        self.header.position += 1;
        self.keep_freed(partition, record.a);
        let cells = self.border.forget(partition, record.a);
        self.header.cells = self.header.cells.wrapping_sub(cells);
        Ok(())
    }
}
