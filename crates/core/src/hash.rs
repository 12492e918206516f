//! The state hash: a sum over cells, so that a change costs two mixes (rules, section 8).

use crate::cells::{ADDED, CORRECTION, EDGE, PLAYER, POSITION, SINGLE};
use crate::image::Partition;
use crate::players::Player;
use crate::schema::HUNTS;

/// Mixes a cell's name and its word: both halves of a 128-bit product.
#[inline(always)]
pub fn mix(name: u64, word: u64) -> u64 {
    let product = (name ^ 0x9E37_79B9_7F4A_7C15) as u128 * (word ^ 0xD1B5_4A32_D192_ED03) as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The word of an edge.
#[inline(always)]
pub(crate) fn edge_word(weight: u16, heat: u8, closed: bool) -> u64 {
    weight as u64 | (heat as u64) << 16 | (closed as u64) << 24
}

/// The word of an absent slot.
pub(crate) const ABSENT: u64 = 1 << 24;

/// The cell of an edge.
#[inline(always)]
pub(crate) fn edge_cell(edge: usize, word: u64) -> u64 {
    mix(EDGE | edge as u64, word)
}

/// What a change of an edge's word adds to the sum of cells.
#[inline(always)]
pub(crate) fn edge_change(edge: usize, old: u64, new: u64) -> u64 {
    edge_cell(edge, new).wrapping_sub(edge_cell(edge, old))
}

/// The same when only its heat changes, and its weight does not.
#[inline(always)]
pub(crate) fn heat_change(edge: usize, word: u64, old: u8, new: u8) -> u64 {
    edge_change(edge, word, word ^ ((old ^ new) as u64) << 16)
}

/// The word of an added slot: where it leads.
pub(crate) fn added_word(tail: u32, head: u32) -> u64 {
    tail as u64 | (head as u64) << 32
}

/// The cell of an added slot.
pub(crate) fn added_cell(edge: usize, tail: u32, head: u32) -> u64 {
    mix(ADDED | edge as u64, added_word(tail, head))
}

pub(crate) fn player_cells(slot: usize, player: &Player) -> u64 {
    let name = PLAYER | (slot as u64 * 8);
    sum(player.words().iter().enumerate().map(|(w, &word)| mix(name + w as u64, word)))
}

/// What a plain step changes in the cells of a player: sequence number and node, last position.
#[inline(always)]
pub(crate) fn step_cells(slot: usize, old: (u32, u32, u64), new: (u32, u32, u64)) -> u64 {
    let name = PLAYER | (slot as u64 * 8);
    let place = |seq: u32, node: u32| mix(name + 2, seq as u64 | (node as u64) << 32);
    let moved = place(new.0, new.1).wrapping_sub(place(old.0, old.1));
    moved.wrapping_add(mix(name + 5, new.2)).wrapping_sub(mix(name + 5, old.2))
}

fn sum(cells: impl Iterator<Item = u64>) -> u64 {
    cells.fold(0, u64::wrapping_add)
}

impl Partition<'_> {
    /// The state hash after the last record.
    pub fn state_hash(&self) -> u64 {
        self.header.cells.wrapping_add(self.rest_cells())
    }

    /// The state hash without the cells of position and correction: a correction is checked by it.
    pub fn bare_hash(&self) -> u64 {
        let position = mix(SINGLE | POSITION as u64, self.header.position);
        self.state_hash().wrapping_sub(position).wrapping_sub(self.correction_cell())
    }

    fn correction_cell(&self) -> u64 {
        match self.header.correction {
            0 => 0,
            id => mix(SINGLE | CORRECTION as u64, id),
        }
    }

    /// The state hash, computed anew from every cell: checks [`Self::state_hash`].
    pub fn rehash(&self) -> u64 {
        let used = &self.players[..self.header.players as usize];
        let players = sum(used.iter().enumerate().map(|(slot, player)| player_cells(slot, player)));
        let parcels = self.border.parcel_cells();
        self.edge_cells()
            .wrapping_add(players)
            .wrapping_add(parcels)
            .wrapping_add(self.rest_cells())
    }

    pub(crate) fn edge_cells(&self) -> u64 {
        let cell = |edge| edge_cell(edge, self.edge_cell_word(edge));
        let added = self.topology.added[..self.header.added as usize].iter();
        let first = self.topology.slots;
        let ways = added.enumerate().map(|(at, way)| added_cell(first + at, way.tail, way.head));
        sum((0..self.edge_ids()).map(cell)).wrapping_add(sum(ways))
    }

    /// Puts a player's cells in place of those of its former state; `None`: it had no slot.
    #[inline]
    pub(crate) fn player_changed(&mut self, slot: usize, before: Option<&Player>) {
        let name = PLAYER | (slot as u64 * 8);
        let after = self.players[slot].words();
        let Some(before) = before else {
            self.header.cells =
                self.header.cells.wrapping_add(player_cells(slot, &self.players[slot]));
            return;
        };
        let mut cells = self.header.cells;
        for (w, (&old, &new)) in before.words().iter().zip(&after).enumerate() {
            if old != new {
                let name = name + w as u64;
                cells = cells.wrapping_add(mix(name, new)).wrapping_sub(mix(name, old));
            }
        }
        self.header.cells = cells;
    }

    /// Hunts and single values: few enough to be taken anew each time.
    fn rest_cells(&self) -> u64 {
        let hunts = sum((0..HUNTS).map(|slot| self.hunt_cells(slot)));
        let words = self.single_words();
        let singles = words.iter().enumerate().map(|(w, &word)| mix(SINGLE | w as u64, word));
        hunts
            .wrapping_add(sum(singles))
            .wrapping_add(self.correction_cell())
            .wrapping_add(self.border.peer_cells())
    }

    fn hunt_cells(&self, slot: usize) -> u64 {
        let mut cells = 0u64;
        self.each_hunt_cell(slot, &mut |name, word| cells = cells.wrapping_add(mix(name, word)));
        cells
    }
}
