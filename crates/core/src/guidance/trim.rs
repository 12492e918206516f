//! Trimming fields to what their hunters need, when time or pages are short.

use super::{FIRST_NODES, IDLE, REST_TICKS, VOID, WIPE};
use crate::image::Partition;

/// Tiles wiped by one operation.
const WIPED_AT_ONCE: u32 = 4;

impl Partition<'_> {
    /// Trims the fields that reach far beyond what their hunters need.
    pub(super) fn trim_fields(&mut self) {
        for number in 0..self.guidance.fields.len() {
            self.trim(number);
        }
    }

    /// Lowers a field's radius to half beyond its farthest hunter, or to the own nodes beside the
    /// halo: beyond them rounds answer, if there are any. A target without hunters keeps its field.
    /// True when there was anything to cut off.
    pub(super) fn trim(&mut self, number: usize) -> bool {
        let field = &self.guidance.fields[number];
        let farthest = field.farthest[0].max(field.farthest[1]);
        let in_rounds = self.guidance.is_told_by_rounds(field.owner);
        let wanted = if in_rounds {
            field.border
        } else {
            farthest.saturating_add(farthest / 2 + 16 * self.header.cost_mean)
        };
        let large = in_rounds || farthest > 0 && field.nodes > FIRST_NODES;
        let hunted = self.hunters_of(field) > 0 && large;
        let cuts = field.is_local() && hunted && wanted < field.radius - field.radius / 4;
        if cuts {
            let field = &mut self.guidance.fields[number];
            (field.radius, field.wide) = (wanted, 1);
        }
        cuts
    }

    /// Finds pages for a field that is hunted: another one gives up what nobody needs.
    pub(super) fn make_room(&mut self, field: usize) {
        let mut others = (0..self.guidance.fields.len()).filter(|&other| other != field);
        let cold = |other: usize| {
            let other = &self.guidance.fields[other];
            other.is_local() && self.hunters_of(other) == 0
        };
        let hunted = self.hunters_of(&self.guidance.fields[field]) > 0;
        if hunted && let Some(other) = others.clone().find(|&other| cold(other)) {
            self.guidance.fields[other].grown = VOID;
        } else if !hunted || !others.any(|other| self.trim(other)) {
            self.guidance.fields[field].rests_until = self.header.tick + REST_TICKS;
        }
    }

    pub(super) fn start_wiping(&mut self, number: usize) {
        let work = &mut *self.guidance.work;
        (work.field, work.phase, work.cursor, work.repairs) = (number as u32, WIPE, 0, 0);
        self.guidance.fields[number].nodes = 0;
    }

    pub(super) fn wipe_some(&mut self) {
        let number = self.guidance.work.field as usize;
        let (table, radius) =
            (self.guidance.fields[number].table, self.guidance.fields[number].radius);
        for _ in 0..WIPED_AT_ONCE {
            let tile = self.guidance.work.cursor;
            if tile as usize == self.guidance.tiles() {
                let field = &mut self.guidance.fields[number];
                (field.wide, field.goal, self.guidance.work.phase) = (0, field.nodes, IDLE);
                return;
            }
            self.guidance.fields[number].nodes += self.guidance.wipe_page(table, tile, radius);
            self.guidance.work.cursor += 1;
        }
    }
}
