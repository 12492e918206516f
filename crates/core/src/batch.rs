//! Many records at once: memory is fetched ahead, so that a move does not wait for it.

use crate::apply::{Answer, Sink};
use crate::image::{Partition, prefetch};
use crate::schema::{Receipt, STAGES, kind};
use crate::topology::LINE_NODES;

/// Records between the first fetch for a record and its turn, and between the later ones.
const FAR: usize = 24;
const MIDDLE: usize = 16;
const NEAR: usize = 8;
const NEXT: usize = 4;

impl Partition<'_> {
    /// Applies records in order, as [`Self::apply`] does one by one; `answered` gets each record,
    /// its answer and the receipt if there is one.
    pub fn apply_batch<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        sink: &mut S,
        mut answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        records.iter().take(FAR).for_each(|ahead| self.fetch_index(ahead));
        records.iter().take(MIDDLE).for_each(|ahead| self.fetch_player(ahead));
        for (at, record) in records.iter().enumerate() {
            if let Some(ahead) = records.get(at + FAR) {
                self.fetch_index(ahead);
            }
            if let Some(ahead) = records.get(at + MIDDLE) {
                self.fetch_player(ahead);
            }
            if let Some(ahead) = records.get(at + NEAR) {
                self.fetch_page(ahead);
            }
            if let Some(ahead) = records.get(at + NEXT) {
                self.fetch_way_on(ahead);
            }
            let answer = self.apply(record, sink);
            let receipt = self.receipt(&answer);
            answered(sink, record, &answer, receipt);
        }
    }

    #[inline(always)]
    fn fetch_index(&self, raw: &[u8; 64]) {
        prefetch(self.index, self.bucket(word(raw, 8)));
        prefetch(self.topology.lines, half(raw, 16) as usize / LINE_NODES);
        prefetch(self.topology.lines, half(raw, 20) as usize / LINE_NODES);
    }

    #[inline(always)]
    fn fetch_player(&self, raw: &[u8; 64]) {
        if (kind::ENTER..=kind::HINT).contains(&raw[0]) {
            let slot = self.index[self.bucket(word(raw, 8))];
            prefetch(self.players, slot as usize);
        }
        let from = half(raw, 16);
        if from < self.header.nodes {
            let edge = self.topology.row_start(from);
            prefetch(self.topology.near, edge);
            prefetch(self.weight, edge);
            prefetch(self.heat, edge);
            prefetch(self.closed, edge / 64);
        }
    }

    /// The page of the field for the node that the player comes to.
    #[inline(always)]
    fn fetch_page(&self, raw: &[u8; 64]) {
        let to = half(raw, 20);
        if to < self.header.nodes
            && let Some(table) = self.table_for(word(raw, 8))
        {
            self.guidance.prefetch(table, to);
        }
    }

    /// The row of the node that the player comes to, which guidance reads.
    #[inline(always)]
    fn fetch_way_on(&self, raw: &[u8; 64]) {
        let to = half(raw, 20);
        if to < self.header.nodes {
            prefetch(self.topology.near, self.topology.row_start(to));
        }
    }

    /// The table of the field that a player's next answer will be read from.
    #[inline(always)]
    fn table_for(&self, id: u64) -> Option<u32> {
        let slot = self.index[self.bucket(id)];
        let player = self.players.get(slot as usize)?;
        self.guidance.table_of(player.hunt as usize * STAGES + player.target as usize)
    }
}

#[inline(always)]
fn half(raw: &[u8; 64], at: usize) -> u32 {
    u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]])
}

#[inline(always)]
fn word(raw: &[u8; 64], at: usize) -> u64 {
    half(raw, at) as u64 | (half(raw, at + 4) as u64) << 32
}
