//! Epochs: which tick's weights the fields are worked out for.

use super::field::IDLE;
use crate::image::Partition;
use crate::schema::NONE;

impl Partition<'_> {
    /// At a tick edge: when all fields are exact for the old epoch, this tick becomes the epoch.
    /// Without changes since, the fields are exact for it as they stand.
    pub(crate) fn begin_epoch(&mut self) {
        let tick = self.header.tick;
        self.guidance.work.budget = super::search::NODES_PER_TICK;
        let waits = self.guidance.work.phase != IDLE || self.stale_field().is_some();
        let lost = self.guidance.work.overflow == 1 && self.guidance.work.phase == IDLE;
        if waits && !lost {
            return;
        }
        let old = self.guidance.work.epoch;
        let seeds = if lost { 0 } else { self.collect_seeds() };
        self.guidance.thaw();
        if seeds == 0 && !lost {
            for field in self.guidance.fields.iter_mut() {
                if field.whole == 1 && field.epoch == old {
                    field.epoch = tick;
                }
            }
        }
        let work = &mut *self.guidance.work;
        (work.seeds, work.previous) = (seeds, if lost { NONE } else { old });
        self.guidance.work.epoch = tick;
        // Bucket width: the greatest power of two that no edge is lighter than.
        self.guidance.work.shift = self.header.cost_min.max(1).ilog2();
    }

    /// A hunted target whose field is not exact for the epoch.
    pub(crate) fn stale_field(&self) -> Option<usize> {
        let work = &self.guidance.work;
        self.guidance.fields.iter().position(|field| {
            field.owner != NONE
                && work.hunters[field.owner as usize] > 0
                && !(field.whole == 1 && field.epoch == work.epoch)
        })
    }
}
