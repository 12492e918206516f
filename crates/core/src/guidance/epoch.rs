//! Epochs: which tick's weights the fields are worked out for.

use super::Field;
use super::field::IDLE;
use crate::image::Partition;
use crate::schema::NONE;

/// Age at which the field of a target without hunters is worked out anew: 5 seconds.
const COLD_TICKS: u32 = 100;

impl Partition<'_> {
    /// At a tick edge: when all fields are exact for the old epoch, this tick becomes the epoch.
    /// Without changes since, the fields are exact for it as they stand.
    pub(crate) fn begin_epoch(&mut self) {
        let tick = self.header.tick;
        self.guidance.work.budget = super::search::NODES_PER_TICK;
        let waits = self.guidance.work.phase != IDLE || self.stale_field().is_some();
        let lost = self.guidance.work.overflow == 1 && self.guidance.work.phase == IDLE;
        self.guidance.work.due = (waits && !lost) as u32;
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
    fn stale_field(&self) -> Option<usize> {
        let work = &self.guidance.work;
        self.guidance.fields.iter().position(|field| {
            field.owner != NONE
                && work.hunters[field.owner as usize] > 0
                && !(field.whole == 1 && field.epoch == work.epoch)
        })
    }

    /// A target that nobody hunts yet: its field is kept along as long as a repair does it, and
    /// else worked out anew now and then, so that its first hunter does not wait.
    fn cold_field(&self) -> Option<usize> {
        let work = &self.guidance.work;
        let owned = || self.guidance.fields.iter().enumerate().filter(|(_, f)| f.owner != NONE);
        let kept_along = |field: &Field| field.epoch == work.previous && field.epoch != work.epoch;
        let mut first = owned().filter(|(at, field)| kept_along(field) && self.can_repair(*at));
        let cold =
            |field: &Field| field.whole == 0 || field.epoch.saturating_add(COLD_TICKS) < work.epoch;
        let next = || owned().find(|(_, field)| cold(field));
        first.next().or_else(next).map(|(at, _)| at)
    }

    /// The field to work on next: those that are waited for come first, and the others only when
    /// no epoch is overdue.
    pub(crate) fn next_field(&self) -> Option<usize> {
        let cold = || self.cold_field().filter(|_| self.guidance.work.due == 0);
        self.stale_field().or_else(cold)
    }
}
