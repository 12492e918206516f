//! Guidance: where a player's target lies and how far, exact for a named epoch.
//!
//! Each target that is hunted has a *field*: for every node the distance to the target and the
//! slot of the next edge. Fields are worked out in slices between moves ([`Partition::work`])
//! against the weights of one tick, the *epoch* (`epoch`), while live weights go on changing; the
//! values that changed since the epoch are remembered aside (`frozen`). From epoch to epoch a field
//! is repaired (`repair`) or, when too much changed, built anew (`field`); either way it is hidden
//! until it is whole. Near targets are also searched for on the live weights (`search`).
//! None of this is state: see `docs/decisions/0001-guidance-is-derived.md`.

mod epoch;
mod field;
mod frozen;
mod repair;
mod search;

use crate::image::Partition;
use crate::players::{NO_STAGE, Player};
use crate::schema::{HUNTS, NONE, STAGES, UNREACHABLE, Update, flag, state};

pub use field::BUCKETS;
pub use search::{HEAP, LABELS, Label};

/// No field holds this target.
const NO_FIELD: u8 = 255;

/// The one-off values of guidance work.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Fields made whole since boot, by build or repair.
    pub built: u64,
    /// Those by repair.
    pub repaired: u64,
    /// Nodes settled since boot.
    pub settled: u64,
    /// Bounded searches since boot.
    pub searches: u64,
    /// Times that work for an epoch was thrown away because too many edges changed meanwhile.
    pub overflows: u64,
    bucket: u64,
    /// Tick whose weights fields are worked out for.
    pub epoch: u32,
    phase: u32,
    field: u32,
    cursor: u32,
    queued: u32,
    shift: u32,
    spare_row: u32,
    overflow: u32,
    /// Edges changed since the epoch.
    pub listed: u32,
    budget: u32,
    stamp: u32,
    seeds: u32,
    previous: u32,
    chain_first: u32,
    chain_last: u32,
    due: u32,
    hunters: [u32; HUNTS * STAGES],
    field_of: [u8; HUNTS * STAGES],
}

/// One field's description; its numbers stand in row `row` of the dense arrays.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Field {
    /// The target.
    pub node: u32,
    row: u32,
    /// Epoch it is exact for, when `whole`.
    pub epoch: u32,
    /// 1 when it was made whole for its target at least once.
    pub whole: u32,
    /// Hunt slot * STAGES + stage it serves, NONE when free.
    pub owner: u32,
    spare: u32,
}

/// The value that an edge had at the epoch.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending {
    key: u32,
    weight: u16,
    closed: u16,
}

/// The guidance part of a partition.
pub struct Guidance<'a> {
    /// One-off values.
    pub work: &'a mut Work,
    /// The fields.
    pub fields: &'a mut [Field],
    pub(crate) distance: &'a mut [u32],
    pub(crate) slot: &'a mut [u8],
    pub(crate) next: &'a mut [u32],
    pub(crate) back: &'a mut [u32],
    pub(crate) buckets: &'a mut [u32],
    pub(crate) changed: &'a mut [u64],
    pub(crate) pending: &'a mut [Pending],
    pub(crate) listed: &'a mut [u32],
    pub(crate) seeds: &'a mut [Pending],
    pub(crate) labels: &'a mut [Label],
    pub(crate) heap: &'a mut [u64],
}

impl Guidance<'_> {
    /// Everything unknown: the state after boot.
    pub(crate) fn reset(&mut self) {
        for (row, field) in self.fields.iter_mut().enumerate() {
            *field = Field { row: row as u32, owner: NONE, ..Field::default() };
        }
        self.work.spare_row = self.fields.len() as u32;
        self.work.field_of = [NO_FIELD; HUNTS * STAGES];
        self.work.phase = field::IDLE;
        self.work.previous = NONE;
        self.back.fill(field::NOT_QUEUED);
        self.buckets.fill(NONE);
    }

    /// A player no longer hunts its target.
    pub(crate) fn hunter_left(&mut self, player: &Player) {
        if player.target != NO_STAGE && player.hunt != NO_STAGE {
            let owner = owner(player);
            self.work.hunters[owner] = self.work.hunters[owner].saturating_sub(1);
        }
    }

    /// A player hunts its target, which lies at `node`.
    pub(crate) fn hunter_came(&mut self, player: &Player, node: u32) {
        let owner = owner(player);
        self.work.hunters[owner] += 1;
        if self.work.field_of[owner] == NO_FIELD && node != NONE {
            self.assign(owner, node);
        }
    }

    /// Gives a target a free field, or one whose target nobody hunts any more.
    fn assign(&mut self, owner: usize, node: u32) {
        let busy = self.busy();
        let hunters = &self.work.hunters;
        let free = |field: &Field| field.owner == NONE || hunters[field.owner as usize] == 0;
        // Free fields first, then those of later stages, which are hunted last.
        let mut fields = self.fields.iter().enumerate().rev();
        let Some((found, _)) = fields.find(|(at, field)| *at as u32 != busy && free(field)) else {
            return;
        };
        let field = &mut self.fields[found];
        if field.owner != NONE {
            self.work.field_of[field.owner as usize] = NO_FIELD;
        }
        *field = Field { node, row: field.row, owner: owner as u32, ..Field::default() };
        self.work.field_of[owner] = found as u8;
    }

    /// The field that is being worked on, NONE when none is.
    fn busy(&self) -> u32 {
        if self.work.phase == field::IDLE { NONE } else { self.work.field }
    }

    /// Gives the targets of a hunt that opens a field each, as long as there are free ones.
    pub(crate) fn prepare(&mut self, hunt: usize, nodes: impl Iterator<Item = u32>) {
        let busy = self.busy();
        for (stage, node) in nodes.enumerate().filter(|&(_, node)| node != NONE) {
            let mut fields = self.fields.iter().enumerate();
            let free = fields.find(|(at, field)| *at as u32 != busy && field.owner == NONE);
            let Some((free, _)) = free else { return };
            let (owner, row) = (hunt * STAGES + stage, self.fields[free].row);
            self.fields[free] = Field { node, row, owner: owner as u32, ..Field::default() };
            self.work.field_of[owner] = free as u8;
        }
    }

    /// A hunt's targets are void: it closed, or its slot opens anew.
    pub(crate) fn forget_hunt(&mut self, hunt: usize) {
        let targets = hunt * STAGES..(hunt + 1) * STAGES;
        self.work.hunters[targets.clone()].fill(0);
        self.work.field_of[targets.clone()].fill(NO_FIELD);
        for field in
            self.fields.iter_mut().filter(|field| targets.contains(&(field.owner as usize)))
        {
            *field = Field { row: field.row, owner: NONE, ..Field::default() };
        }
    }

    /// Where a whole field keeps its numbers for a node.
    #[inline(always)]
    pub(crate) fn cell_of(&self, owner: usize, node: u32, nodes: u32) -> Option<usize> {
        let field = *self.work.field_of.get(owner)? as usize;
        self.fields.get(field).map(|field| field.row as usize * nodes as usize + node as usize)
    }

    /// The field of a hunted target.
    fn field_of(&self, owner: usize) -> Option<&Field> {
        self.fields.get(self.work.field_of[owner] as usize)
    }
}

fn owner(player: &Player) -> usize {
    player.hunt as usize * STAGES + player.target as usize
}

impl Partition<'_> {
    /// After a restart: counts the hunters of every target again.
    pub(crate) fn adopt_targets(&mut self) {
        for slot in 0..self.header.players as usize {
            let player = self.players[slot];
            let Some(hunt) = self.hunts.get(player.hunt as usize) else {
                continue;
            };
            let running = matches!(hunt.state, state::OPEN | state::PAUSED);
            if running && hunt.edition == player.edition && player.target != NO_STAGE {
                let node = hunt.stage[player.target as usize].node;
                self.guidance.hunter_came(&player, node);
            }
        }
        // The state may have been saved between two ticks: no epoch until the next one.
        self.guidance.work.overflow = 1;
    }

    /// Oldest epoch that a hunted target's answers are exact for now; this tick without any.
    pub fn oldest_epoch(&self) -> u32 {
        let work = &self.guidance.work;
        let hunted = self.guidance.fields.iter().filter(|field| {
            field.whole == 1 && field.owner != NONE && work.hunters[field.owner as usize] > 0
        });
        hunted.map(|field| field.epoch).min().unwrap_or(self.header.tick)
    }

    /// Writes target, next step and distance of a player into its update.
    #[inline]
    pub(crate) fn guide(&mut self, slot: usize, update: &mut Update) {
        let player = self.players[slot];
        let Some(hunt) = self.hunts.get(player.hunt as usize) else {
            return;
        };
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        if player.target == NO_STAGE || !running || hunt.edition != player.edition {
            return;
        }
        let target = hunt.stage[player.target as usize].node;
        (update.stage, update.target, update.epoch) = (player.target, target, self.header.tick);
        if target == NONE {
            // In another partition, and not beside the border: nobody here knows the way.
            return;
        }
        if player.node == target {
            update.distance = 0;
            update.flags |= flag::ARRIVED | flag::EXACT_NOW;
            return;
        }
        let owner = owner(&player);
        if self.guidance.work.field_of[owner] == NO_FIELD {
            self.guidance.assign(owner, target);
        }
        let far = self.read_field(owner, player.node, update);
        let near = 8 * self.header.cost_mean;
        if (!far || update.distance <= near) && self.search(player.node, target, update) {
            return;
        }
        if !far {
            update.flags |= flag::PENDING;
        }
    }

    /// Answers from the target's field; false when it was never made whole.
    #[inline]
    fn read_field(&self, owner: usize, node: u32, update: &mut Update) -> bool {
        let Some(field) = self.guidance.field_of(owner).filter(|field| field.whole == 1) else {
            return false;
        };
        let at = field.row as usize * self.header.nodes as usize + node as usize;
        let distance = self.guidance.distance[at];
        update.epoch = field.epoch;
        if distance == UNREACHABLE {
            update.flags |= flag::NO_PATH | flag::CERTIFIED;
            return true;
        }
        let edge = self.first[node as usize] as usize + self.guidance.slot[at] as usize;
        (update.next, update.distance) = (self.head_of(edge), distance);
        update.flags |= flag::GUIDED | flag::CERTIFIED;
        true
    }
}
