//! Epochs: which tick's weights the fields are worked out for, and what is worked on next.

use super::{
    BLANK, COMPLETE, DRAIN, Failure, Field, GROWN, IDLE, LOCAL, SCAN, SETTLE, SOW, VOID,
    WINDOW_TICKS, WIPE,
};
use crate::image::Partition;
use crate::schema::NONE;

/// Ticks after a late epoch during which only what is needed is worked on.
const LATE_TICKS: u32 = 100;
/// Ticks for which growth that is waited for may hold an epoch up at most. It is stopped for each
/// epoch, and scans for where to go on; only where that takes more than growing gets epochs longer.
const HOLD_TICKS: u32 = 64;

/// What to do next about fields.
enum Task {
    Free(usize),
    Wipe(usize),
    Repair(usize),
    Grow(usize),
    /// A field of a round takes in what neighbours offered.
    Sow(usize),
}

impl Partition<'_> {
    /// At a tick edge: when all hunted fields are exact for the old epoch, this tick becomes the
    /// epoch. Without changes since, the fields are exact for it as they stand.
    pub(crate) fn begin_epoch(&mut self) {
        if self.guidance.fields.is_empty() {
            return;
        }
        let tick = self.header.tick;
        self.guidance.work.budget = super::search::NODES_PER_TICK;
        if tick.is_multiple_of(WINDOW_TICKS) {
            self.trim_fields();
            for field in self.guidance.fields.iter_mut() {
                field.farthest = [0, field.farthest[0]];
            }
        }
        self.tend_rounds();
        let lost = self.guidance.work.frost[LOCAL].overflow == 1;
        let asked = self.first(Self::is_asked).is_some();
        if !asked || tick - self.guidance.work.epoch >= self.guidance.work.hold {
            self.stop_growing();
        }
        let waits = self.is_at_local_field() || self.first(Self::is_stale).is_some();
        self.guidance.work.due = (waits && !lost) as u32;
        if waits && !lost {
            self.guidance.work.late = tick;
            return;
        }
        if lost {
            self.give_up_fields();
        }
        let old = self.guidance.work.epoch;
        let seeds = if lost { 0 } else { self.collect_seeds() };
        self.guidance.thaw(LOCAL);
        if seeds == 0 {
            for field in self.guidance.fields.iter_mut().filter(|field| field.epoch == old) {
                field.epoch = tick;
            }
        }
        let heaviest = self.heaviest();
        let starved = asked && self.guidance.work.grown < self.operations_of_a_scan();
        let work = &mut *self.guidance.work;
        work.hold = if starved { 2 * work.hold } else { work.hold / 2 }.clamp(1, HOLD_TICKS);
        work.grown = 0;
        (work.seeds, work.previous, work.epoch, work.heaviest) = (seeds, old, tick, heaviest);
    }

    /// Whether something is worked on that rests on the epoch of this partition's own fields.
    fn is_at_local_field(&self) -> bool {
        let work = &self.guidance.work;
        work.phase != IDLE && self.guidance.fields[work.field as usize].round == 0
    }

    /// The old epoch's weights are forgotten: all that was worked out from them is void.
    fn give_up_fields(&mut self) {
        if self.is_at_local_field() {
            self.abandon();
        }
        self.guidance.work.overflows += 1;
        for field in self.guidance.fields.iter_mut().filter(|field| field.is_local()) {
            field.grown = VOID;
        }
    }

    /// Players that hunt a field's target.
    pub(super) fn hunters_of(&self, field: &Field) -> u32 {
        self.guidance.work.hunters.get(field.owner as usize).copied().unwrap_or(0)
    }

    fn first(&self, wanted: impl Fn(&Self, &Field) -> bool) -> Option<usize> {
        self.guidance.fields.iter().position(|field| wanted(self, field))
    }

    /// A hunted target whose field could be brought to the epoch.
    fn is_stale(&self, field: &Field) -> bool {
        field.is_local() && field.epoch != self.guidance.work.epoch && self.hunters_of(field) > 0
    }

    /// Whether hunters wait for a field to grow.
    fn is_asked(&self, field: &Field) -> bool {
        self.may_grow(field) && self.hunters_of(field) > 0
    }

    fn may_grow(&self, field: &Field) -> bool {
        let small = field.radius != COMPLETE && field.nodes < field.goal;
        field.owner != NONE
            && field.round == 0
            && self.header.tick >= field.rests_until
            && (field.grown == BLANK || field.grown == GROWN && small)
    }

    /// Whether there was time for everything lately.
    fn has_leisure(&self) -> bool {
        let work = &self.guidance.work;
        work.late == 0 || self.header.tick.saturating_sub(work.late) > LATE_TICKS
    }

    /// Repairs that hold an epoch up come first, then rounds, for which other partitions wait, then
    /// the other repairs and growth that are waited for, then the same for targets that nobody
    /// hunts yet, so that their first hunters do not wait.
    fn next_task(&self) -> Option<Task> {
        let sow = || self.field_to_sow().map(Task::Sow);
        if self.guidance.work.frost[LOCAL].overflow == 1 {
            return sow();
        }
        let stale = |field: &Field| field.is_local() && field.epoch != self.guidance.work.epoch;
        let behind = |field: &Field| stale(field) && field.epoch != self.guidance.work.previous;
        let void = self.first(|_, field| field.grown == VOID || behind(field)).map(Task::Free);
        let repair = || self.first(Self::is_stale).map(Task::Repair);
        let asked = || self.first(Self::is_asked).map(Task::Grow);
        let cold = || self.first(|_, field| stale(field)).map(Task::Repair);
        let rest = || self.first(|this, field| this.may_grow(field)).map(Task::Grow);
        let more = || {
            let free = self.guidance.work.due == 0 && self.has_leisure();
            if free { cold().or_else(rest) } else { None }
        };
        let wide =
            || self.first(|_, field| field.wide == 1 && field.grown == GROWN).map(Task::Wipe);
        let late = if self.guidance.work.due == 1 { repair() } else { None };
        void.or(late).or_else(sow).or_else(repair).or_else(wide).or_else(asked).or_else(more)
    }

    /// Works on fields for at most `operations` (about one settled node each); returns how many
    /// were used. Fewer than asked means that there is nothing left to do for this epoch.
    pub fn work(&mut self, operations: u32) -> u32 {
        let mut used = 0;
        while used < operations {
            let work = &self.guidance.work;
            let gone = self.guidance.fields[work.field as usize].grown != GROWN;
            let lost = gone || work.frost[work.side as usize].overflow == 1;
            match work.phase {
                IDLE => match self.next_task() {
                    Some(task) => self.start(task),
                    None => break,
                },
                _ if lost => self.abandon(),
                SETTLE => self.settle_one(),
                SOW => self.sow_some(),
                SCAN => self.scan_some(),
                WIPE => self.wipe_some(),
                DRAIN => self.drain_some(),
                _ => self.repair_some(),
            }
            used += 1;
        }
        used
    }

    /// Whether [`Self::work`] has anything to do.
    pub fn has_work(&self) -> bool {
        self.guidance.work.phase != IDLE || self.next_task().is_some()
    }

    fn start(&mut self, task: Task) {
        let (field, grows) = match task {
            Task::Free(field) => return self.free_field(field),
            Task::Wipe(field) => (field, false),
            Task::Repair(field) => (field, false),
            Task::Grow(field) | Task::Sow(field) => (field, true),
        };
        if self.must_drain(field, grows) {
            self.start_draining();
        } else if matches!(task, Task::Sow(_)) {
            self.start_sowing(field);
        } else if grows {
            self.start_growing(field);
        } else if matches!(task, Task::Wipe(_)) {
            self.start_wiping(field);
        } else {
            self.start_repair(field);
        }
    }

    /// Frees what a void field held.
    fn free_field(&mut self, number: usize) {
        let field = self.guidance.fields[number];
        if self.guidance.work.queue_field == number as u32 {
            self.guidance.empty_queue();
        }
        self.guidance.blank_table(field.table);
        self.guidance.fields[number].grown = BLANK;
    }

    /// The work at hand is for nothing: its target or its weights are gone.
    fn abandon(&mut self) {
        if self.guidance.work.repairs == 1 {
            return self.abandon_repair();
        }
        let work = &mut *self.guidance.work;
        work.phase = IDLE;
        if self.guidance.fields[work.field as usize].round == 1 {
            return self.fail_round_of(self.guidance.work.field, Failure::Changes);
        }
        self.guidance.fields[self.guidance.work.field as usize].grown = VOID;
    }
}
