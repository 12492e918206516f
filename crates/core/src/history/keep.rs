//! What goes into the journal, called wherever something is about to change.

use core::mem::offset_of;

use super::section::Section;
use crate::added::{Added, Entry};
use crate::border::{Desk, Peer};
use crate::hunts::{Gate, Hunt, Stage};
use crate::image::{Header, Partition};
use crate::masks::MaskGroup;
use crate::row_group::{GROUP_NODES, RowGroup};
use crate::schema::{Arrival, GATE_EDGES, GATES, NONE, STAGES};

impl Partition<'_> {
    /// Items `first..first + count` of a section of `T`s are about to change.
    #[inline(always)]
    pub(crate) fn keep<T>(&mut self, section: Section, first: usize, count: usize) {
        if self.journal.is_on() {
            let size = size_of::<T>();
            self.keep_bytes(section, first * size, (first + count) * size);
        }
    }

    /// A record begins that is no plain step.
    #[inline(always)]
    pub(crate) fn keep_record(&mut self) {
        if self.journal.is_kept() {
            self.journal.start(self.header.position, self.header.cells);
            // What stands before never changes, what stands behind are limits.
            let changes = offset_of!(Header, serial)..offset_of!(Header, own_nodes);
            self.keep_bytes(Section::Header, changes.start, changes.end);
        }
    }

    /// Single values of a hunt are about to change; its stages, gates and gate edges are not.
    #[inline(always)]
    pub(crate) fn keep_hunt(&mut self, slot: usize) {
        if self.journal.is_on() {
            self.keep_part(slot, 0, offset_of!(Hunt, stage));
        }
    }

    /// A stage of a hunt is about to change, if there is one of that number.
    #[inline(always)]
    pub(crate) fn keep_stage(&mut self, slot: usize, stage: usize) {
        if self.journal.is_on() && stage < STAGES {
            let size = size_of::<Stage>();
            self.keep_part(slot, offset_of!(Hunt, stage) + stage * size, size);
        }
    }

    /// A gate of a hunt is about to be loaded, or to get another edge.
    pub(crate) fn keep_gate(&mut self, slot: usize, gate: usize) {
        if self.journal.is_on() && gate < GATES {
            let size = size_of::<Gate>();
            self.keep_part(slot, offset_of!(Hunt, gate) + gate * size, size);
            self.keep_gate_edge(slot, self.hunts[slot].edges as usize);
        }
    }

    /// An edge of a gate is about to be loaded, or to become another one.
    pub(crate) fn keep_gate_edge(&mut self, slot: usize, edge: usize) {
        if self.journal.is_on() && edge < GATE_EDGES {
            self.keep_part(slot, offset_of!(Hunt, gate_edge) + edge * 4, 4);
        }
    }

    fn keep_part(&mut self, slot: usize, start: usize, count: usize) {
        let start = slot * size_of::<Hunt>() + start;
        self.keep_bytes(Section::Hunts, start, start + count);
    }

    /// A parcel for a partition is about to go into the outbox.
    pub(crate) fn keep_outbox(&mut self, partition: u16) {
        let (free, last) = (self.border.desk.free, self.border.peers[partition as usize].last);
        self.keep::<Desk>(Section::Desk, 0, 1);
        self.keep::<Peer>(Section::Peers, partition as usize, 1);
        self.keep::<[u8; Arrival::BYTES]>(Section::Parcels, free as usize, 1);
        self.keep::<u32>(Section::Next, free as usize, 1);
        if last != NONE {
            self.keep::<u32>(Section::Next, last as usize, 1);
        }
    }

    /// Parcels up to a number are about to leave the outbox.
    pub(crate) fn keep_freed(&mut self, partition: u16, number: u64) {
        let peer = self.border.peers[partition as usize];
        self.keep::<Desk>(Section::Desk, 0, 1);
        self.keep::<Peer>(Section::Peers, partition as usize, 1);
        let mut place = peer.first;
        for _ in peer.acked..number {
            self.keep::<u32>(Section::Next, place as usize, 1);
            place = self.border.next[place as usize];
        }
    }

    /// Slot `number` is about to be added to the row of `tail`, or to leave it.
    pub(crate) fn keep_added(&mut self, number: usize, tail: u32) {
        self.keep::<Added>(Section::Added, number, 1);
        let mut other = self.topology.first_added(tail);
        while let Some(at) = other {
            self.keep::<Added>(Section::Added, at, 1);
            other = self.topology.next_added(at);
        }
        self.keep::<Entry>(Section::FirstAdded, self.topology.place_of_first_added(tail), 1);
        let group = tail as usize / GROUP_NODES;
        if self.topology.rows.are_masks() {
            self.keep::<MaskGroup>(Section::Rows, group, 1);
        } else {
            self.keep::<RowGroup>(Section::Rows, group, 1);
        }
    }
}
