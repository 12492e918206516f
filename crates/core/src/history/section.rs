//! The parts of the state that the journal keeps by the word.

use super::journal::{COPY_MAX, Entry};
use crate::image::Partition;
use crate::memory::{bytes_of, bytes_of_mut};

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
    Prices,
}

impl Section {
    /// All, in the order of their numbers.
    pub(super) const ALL: [Self; 12] = [
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
        Self::Prices,
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
            Section::Index => bytes_of(self.index.0),
            Section::Hunts => bytes_of(self.hunts),
            Section::Desk => bytes_of(core::slice::from_ref(self.border.desk)),
            Section::Peers => bytes_of(self.border.peers),
            Section::Parcels => bytes_of(self.border.parcels),
            Section::Next => bytes_of(self.border.next),
            Section::Added => bytes_of(self.topology.added),
            Section::FirstAdded => bytes_of(self.topology.first_added),
            Section::Rows => self.topology.rows.bytes(),
            Section::Prices => match &self.topology.edges.prices {
                Some(prices) => bytes_of(core::slice::from_ref(&**prices)),
                None => &[],
            },
        }
    }

    pub(super) fn section_mut(&mut self, section: Section) -> &mut [u8] {
        match section {
            Section::Header => bytes_of_mut(core::slice::from_mut(self.header)),
            Section::Players => bytes_of_mut(self.players),
            Section::Index => bytes_of_mut(self.index.0),
            Section::Hunts => bytes_of_mut(self.hunts),
            Section::Desk => bytes_of_mut(core::slice::from_mut(self.border.desk)),
            Section::Peers => bytes_of_mut(self.border.peers),
            Section::Parcels => bytes_of_mut(self.border.parcels),
            Section::Next => bytes_of_mut(self.border.next),
            Section::Added => bytes_of_mut(self.topology.added),
            Section::FirstAdded => bytes_of_mut(self.topology.first_added),
            Section::Rows => self.topology.rows.bytes_mut(),
            Section::Prices => match &mut self.topology.edges.prices {
                Some(prices) => bytes_of_mut(core::slice::from_mut(&mut **prices)),
                None => &mut [],
            },
        }
    }

    /// Bytes `start..end` of a section are about to change.
    #[inline(never)]
    pub(super) fn keep_bytes(&mut self, section: Section, start: usize, end: usize) {
        let end = end.div_ceil(8);
        for word in (start / 8..end).step_by(COPY_MAX) {
            let count = COPY_MAX.min(end - word);
            let mut words = [0; COPY_MAX];
            let bytes = self.section(section);
            for (at, kept) in words[..count].iter_mut().enumerate() {
                *kept = u64::from_le_bytes(word_at(bytes, word + at));
            }
            self.journal.copy(section, word, count, words);
        }
    }

    /// Puts the words of a COPY back.
    pub(super) fn put_words(&mut self, entry: &Entry) {
        let Some(section) = entry.section() else { return };
        let bytes = self.section_mut(section);
        for (at, word) in entry.words().iter().enumerate() {
            let (bytes, word) = (&mut bytes[(entry.number() + at) * 8..], word.to_le_bytes());
            match bytes.first_chunk_mut() {
                Some(whole) => *whole = word,
                None => bytes.copy_from_slice(&word[..bytes.len()]),
            }
        }
    }
}

/// A word of a section by its number; the last one may be cut short.
fn word_at(bytes: &[u8], number: usize) -> [u8; 8] {
    let bytes = &bytes[number * 8..];
    bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        word
    })
}
