//! Sowing: a round's field takes in what neighbours offered, and grows from there.
//!
//! The halo's nodes get the distances that their owners told, the target its 0; then nodes are
//! settled as in growing. Offers that come later only shorten ways, so the same field goes on from
//! the nodes that they shorten. Such a field is grown to the round's reach, in one go, and never
//! repaired.

use super::round::{Basis, Round};
use super::{BLANK, GROWN, SETTLE, SOW};
use crate::image::Partition;
use crate::schema::NONE;

/// Offers looked at by one operation.
const SOWN_AT_ONCE: u32 = 64;

impl Partition<'_> {
    /// Starts to take in the offers of a field's round.
    pub(super) fn start_sowing(&mut self, number: usize) {
        let Some(at) = self.round_with(number as u32) else { return };
        self.offers_taken(at);
        let Round { basis: Basis { reach, .. }, side, .. } = self.guidance.rounds[at];
        self.open_queue(number as u32);
        let blank = self.guidance.fields[number].grown == BLANK;
        let field = &mut self.guidance.fields[number];
        let (node, table) = (field.node, field.table);
        if blank {
            (field.grown, field.radius) = (GROWN, reach);
        }
        let work = &mut *self.guidance.work;
        (work.field, work.table, work.repairs) = (number as u32, table, 0);
        work.side = side;
        (work.turn, work.phase, work.cursor, work.cut) = (u32::MAX, SOW, 0, 0);
        if blank && node != NONE {
            self.label(node, 0);
        }
    }

    pub(super) fn sow_some(&mut self) {
        let work = &*self.guidance.work;
        let (start, table) = (work.cursor, work.table);
        let halo = self.guidance.by_owner.len();
        let end = (start + SOWN_AT_ONCE).min(halo as u32);
        let Some(at) = self.round_with(work.field) else { return };
        for copy in start..end {
            let offer = self.guidance.offers[at * halo + copy as usize];
            let node = self.header.own_nodes + copy;
            if offer < self.guidance.distance(table, node) {
                self.label(node, offer);
            }
        }
        self.guidance.work.cursor = end;
        if end == halo as u32 {
            self.guidance.work.phase = SETTLE;
        }
    }
}
