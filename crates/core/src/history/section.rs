//! The parts of the state that the journal keeps by the line.

use core::mem::offset_of;

use crate::hunts::{Gate, Hunt, Stage};
use crate::image::{Header, Partition, bytes_of, bytes_of_mut};
use crate::schema::{GATE_EDGES, GATES, STAGES};

/// A part of the state.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Header,
    Players,
    Index,
    Hunts,
    Desk,
    Peers,
    Parcels,
    Next,
    Added,
    FirstAdded,
    Rows,
}

impl Section {
    /// All, in the order of their numbers.
    pub(super) const ALL: [Self; 11] = [
        Self::Header,
        Self::Players,
        Self::Index,
        Self::Hunts,
        Self::Desk,
        Self::Peers,
        Self::Parcels,
        Self::Next,
        Self::Added,
        Self::FirstAdded,
        Self::Rows,
    ];

    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }
}

impl Partition<'_> {
    pub(super) fn section(&self, section: Section) -> &[u8] {
        match section {
            Section::Header => bytes_of(core::slice::from_ref(self.header)),
            Section::Players => bytes_of(self.players),
            Section::Index => bytes_of(self.index),
            Section::Hunts => bytes_of(self.hunts),
            Section::Desk => bytes_of(core::slice::from_ref(self.border.desk)),
            Section::Peers => bytes_of(self.border.peers),
            Section::Parcels => bytes_of(self.border.parcels),
            Section::Next => bytes_of(self.border.next),
            Section::Added => bytes_of(self.topology.added),
            Section::FirstAdded => bytes_of(self.topology.first_added),
            Section::Rows => bytes_of(self.topology.rows),
        }
    }

    pub(super) fn section_mut(&mut self, section: Section) -> &mut [u8] {
        match section {
            Section::Header => bytes_of_mut(core::slice::from_mut(self.header)),
            Section::Players => bytes_of_mut(self.players),
            Section::Index => bytes_of_mut(self.index),
            Section::Hunts => bytes_of_mut(self.hunts),
            Section::Desk => bytes_of_mut(core::slice::from_mut(self.border.desk)),
            Section::Peers => bytes_of_mut(self.border.peers),
            Section::Parcels => bytes_of_mut(self.border.parcels),
            Section::Next => bytes_of_mut(self.border.next),
            Section::Added => bytes_of_mut(self.topology.added),
            Section::FirstAdded => bytes_of_mut(self.topology.first_added),
            Section::Rows => bytes_of_mut(self.topology.rows),
        }
    }

    /// Bytes `start..end` of a section are about to change.
    #[inline(never)]
    fn keep_lines(&mut self, section: Section, start: usize, end: usize) {
        for line in start / 64..end.div_ceil(64) {
            let bytes = self.section(section);
            let mut content = [0; 8];
            for (word, bytes) in content.iter_mut().zip(bytes[line * 64..].chunks(8)) {
                let mut whole = [0; 8];
                whole[..bytes.len()].copy_from_slice(bytes);
                *word = u64::from_le_bytes(whole);
            }
            self.journal.copy(section, line as u32, content);
        }
    }

    /// Puts a line of a section back.
    pub(super) fn put_line(&mut self, section: Section, line: usize, content: [u64; 8]) {
        // A branch has a journal of its own size.
        let journal = self.header.journal_max;
        let bytes = self.section_mut(section);
        for (bytes, word) in bytes[line * 64..].chunks_mut(8).zip(content) {
            bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
        }
        self.header.journal_max = journal;
    }

    /// Items `first..first + count` of a section of `T`s are about to change.
    #[inline(always)]
    pub(crate) fn keep<T>(&mut self, section: Section, first: usize, count: usize) {
        if self.journal.is_on() {
            let size = size_of::<T>();
            self.keep_lines(section, first * size, (first + count) * size);
        }
    }

    /// A record begins that is no plain step.
    #[inline(always)]
    pub(crate) fn keep_record(&mut self) {
        if self.journal.is_on() {
            self.journal.start(self.header.position);
            self.keep_lines(Section::Header, 0, size_of::<Header>());
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
        self.keep_lines(Section::Hunts, start, start + count);
    }
}
