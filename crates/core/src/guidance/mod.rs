//! Guidance: where a player's target lies and how far, exact for a named epoch.
//!
//! Each target that is hunted has a *field*: for the nodes around it the distance and the next
//! node (`pages`). Fields are worked out in slices between moves ([`Partition::work`])
//! against the weights of one tick, the *epoch* (`epoch`), while live weights go on changing; the
//! values that changed since the epoch are remembered aside (`frozen`). A field grows outwards from
//! its target (`grow`) and is repaired from epoch to epoch (`repair`), with a bucket queue
//! (`queue`). Near targets are also searched for on the live weights (`search`). The way to targets
//! over borders is found in rounds (`rounds`), for as long and as far as somebody asks (`asking`);
//! in them partitions tell each other how far it is from their borders (`bearings`). What players
//! are told of it all: `answer`.
//! None of this is state: see `docs/decisions/0001-guidance-is-derived.md`.

mod answer;
mod asking;
mod bearings;
mod epoch;
mod frozen;
mod grow;
mod pages;
mod queue;
mod repair;
mod round;
mod rounds;
mod search;
mod sow;
mod trim;

use crate::image::Partition;
use crate::players::{NO_STAGE, Player};
use crate::schema::{HUNTS, NONE, STAGES, UNREACHABLE, state};

pub(crate) use bearings::untold_words;
pub(crate) use frozen::{EPOCHS, Frozen, changed_words};
use frozen::{Frost, LOCAL, ROUND};
pub(crate) use pages::Place;
pub use pages::{PAGE_NODES, Page};
pub use queue::{BUCKETS, Queued};
pub use round::{FAILURES, Failure, Round};
pub use search::{HEAP, LABELS, Label};

/// No field holds this target.
const NO_FIELD: u8 = 255;
/// Radius of a field that knows every node from which its target can be reached.
const COMPLETE: u32 = UNREACHABLE - 1;
/// [`Field::grown`]: its table is blank.
const BLANK: u32 = 0;
/// It answers, as far as its radius.
const GROWN: u32 = 1;
/// It answers no more, and its pages are to be freed.
const VOID: u32 = 2;
/// Nodes that a field grows to before anybody asks for more; each hunter beyond doubles it.
const FIRST_NODES: u32 = 16_384;
/// Ticks that a field rests for which there were no pages.
const REST_TICKS: u32 = 100;
/// Ticks of the windows over which it is remembered how far hunters were.
const WINDOW_TICKS: u32 = 64;

/// Nothing is worked on.
const IDLE: u32 = 0;
/// Nodes are taken from the queue and settled: growing, and the last phase of a repair.
const SETTLE: u32 = 1;
/// Labels that a stopped growth left beyond the radius are forgotten.
const DRAIN: u32 = 2;
/// Growing goes on from the known nodes near the radius.
const SCAN: u32 = 3;
/// What a field knows beyond its radius is forgotten, and its pages are freed.
const WIPE: u32 = 4;
const SEED: u32 = 5;
const INVALIDATE: u32 = 6;
const RESEED: u32 = 7;
const RELAX: u32 = 8;
/// What neighbours offered is labelled, in a round.
const SOW: u32 = 9;
/// A repair that has no room to forget more lowers the radius to what it has forgotten.
const CUT: u32 = 10;

/// The one-off values of guidance work.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Fields made whole by growing, and repairs, since boot.
    pub built: u64,
    /// Repairs since boot.
    pub repaired: u64,
    /// Nodes settled since boot.
    pub settled: u64,
    /// Bounded searches since boot.
    pub searches: u64,
    /// Times that all fields were lost because too many edges changed within an epoch.
    pub overflows: u64,
    /// Times that pages, queue or chain were used up.
    pub shortages: u64,
    /// Rounds begun here, taken part in that began elsewhere, and of both those that became whole.
    pub rounds_begun: u64,
    /// See `rounds_begun`.
    pub rounds_joined: u64,
    /// See `rounds_begun`.
    pub rounds_done: u64,
    /// Rounds that did not, by [`Failure`].
    pub rounds_failed: [u64; FAILURES],
    /// Bearings sent.
    pub bearings: u64,
    bucket: u64,
    /// Bit per partition that bearings can be sent to now.
    linked: u64,
    /// Bit per partition that owns nodes of the halo.
    beside: u64,
    /// Tick whose weights fields are worked out for.
    pub epoch: u32,
    phase: u32,
    /// Field under work, its table, and whether it is repaired (1) or grown (0).
    field: u32,
    table: u32,
    repairs: u32,
    cursor: u32,
    turn: u32,
    /// Phase in which growth was stopped.
    resume: u32,
    /// 1 when pages, queue or chain ran out under this work.
    short: u32,
    spare_table: u32,
    /// Field whose labels beyond its radius are in the queue, NONE when the queue may be reused.
    queue_field: u32,
    queued: u32,
    entries: u32,
    free_entry: u32,
    done_first: u32,
    done_last: u32,
    shift: u32,
    /// No edge was heavier than this at the epoch.
    heaviest: u32,
    free: u32,
    reserve: u32,
    touched: u32,
    chain: u32,
    frost: [Frost; EPOCHS],
    /// Which of the epochs the field under work is of.
    side: u32,
    /// Which of them rounds that begin now rest on, and the tick that it is.
    round_side: u32,
    round_epoch: u32,
    budget: u32,
    stamp: u32,
    seeds: u32,
    previous: u32,
    due: u32,
    /// Ticks for which growth that is waited for may hold an epoch up now.
    hold: u32,
    /// Tick at which the last epoch began late.
    late: u32,
    hunters: [u32; HUNTS * STAGES],
    field_of: [u8; HUNTS * STAGES],
    /// How far off hunters here were since the last asking, 0 when none asked over the borders,
    /// NONE when one of them was further than is known.
    wishes: [u32; HUNTS * STAGES],
    /// 1 when the field under work was kept from growing beyond its round's reach.
    cut: u32,
    /// Nodes that growth settled since the epoch began.
    grown: u32,
}

/// One field's description; its numbers stand in the pages of table `table`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Field {
    /// The target.
    pub node: u32,
    table: u32,
    /// Epoch it is exact for, when grown.
    pub epoch: u32,
    /// BLANK, GROWN or VOID.
    grown: u32,
    /// Hunt slot * STAGES + stage it serves, NONE when free.
    pub owner: u32,
    /// It knows exactly the nodes up to this distance.
    pub radius: u32,
    /// Nodes settled within the radius by growing.
    nodes: u32,
    /// It is to grow while it has fewer nodes.
    goal: u32,
    /// Greatest distance it answered in this window of ticks, and in the one before.
    farthest: [u32; 2],
    rests_until: u32,
    /// 1 when its table holds outdated numbers beyond the radius.
    wide: u32,
    /// 1 when it belongs to a round: grown once, never repaired.
    round: u32,
    /// No own node beside the halo is nearer than this, as far as the field knows: a way that comes
    /// in over the border is longer. It only falls until the field is grown anew.
    border: u32,
}

/// The value that an edge had at the epoch.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending {
    edge: u32,
    weight: u16,
    closed: u16,
}

/// The guidance part of a partition.
pub struct Guidance<'a> {
    /// One-off values.
    pub work: &'a mut Work,
    /// The fields.
    pub fields: &'a mut [Field],
    pub(crate) tables: &'a mut [u32],
    pub(crate) pages: &'a mut [Page],
    pub(crate) free: &'a mut [u32],
    pub(crate) touched: &'a mut [u32],
    pub(crate) queue: &'a mut [Queued],
    pub(crate) chain: &'a mut [u32],
    pub(crate) buckets: &'a mut [u32],
    /// By epoch: that of this partition's fields, and those of rounds.
    pub(crate) frozen: [Frozen<'a>; EPOCHS],
    pub(crate) seeds: &'a mut [u32],
    pub(crate) labels: &'a mut [Label],
    pub(crate) heap: &'a mut [u64],
    pub(crate) rounds: &'a mut [Round],
    /// Of each round, of each halo node: the least distance that its owner told, in this round.
    pub(crate) offers: &'a mut [u32],
    /// Of each round, a bit for each halo node: its owner is to be told of own nodes beside it.
    pub(crate) untold: &'a mut [u64],
    /// The halo nodes in order of owner and number there.
    pub(crate) by_owner: &'a mut [u32],
}

impl Field {
    /// It answers on this partition's own edges.
    fn is_local(&self) -> bool {
        self.grown == GROWN && self.round == 0
    }

    /// A hunter is beyond what it knows.
    fn ask_for_more(&mut self) {
        self.goal = self.goal.max(2 * self.nodes).max(FIRST_NODES);
    }

    /// The field of another target, or of none: what it knew is void.
    fn given_to(&self, node: u32, owner: u32) -> Self {
        let grown = if self.grown == BLANK { BLANK } else { VOID };
        Self { node, table: self.table, owner, grown, goal: FIRST_NODES, ..Self::default() }
    }
}

impl Guidance<'_> {
    /// Everything unknown: the state after boot. `reserve` pages are for repairs only, and no edge
    /// is heavier than `heaviest`.
    pub(crate) fn reset(&mut self, reserve: u32, heaviest: u32) {
        for (table, field) in self.fields.iter_mut().enumerate() {
            *field = Field { table: table as u32, owner: NONE, ..Field::default() };
        }
        self.work.spare_table = self.fields.len() as u32;
        self.work.field_of = [NO_FIELD; HUNTS * STAGES];
        self.work.phase = IDLE;
        self.work.previous = NONE;
        (self.work.reserve, self.work.heaviest) = (reserve, heaviest);
        self.reset_pages();
        self.empty_queue();
    }

    /// A player no longer hunts its target.
    pub(crate) fn hunter_left(&mut self, player: &Player) {
        if player.target != NO_STAGE && player.hunt != NO_STAGE && !self.fields.is_empty() {
            let owner = owner(player);
            self.work.hunters[owner] = self.work.hunters[owner].saturating_sub(1);
        }
    }

    /// A player hunts its target, which lies at `node`.
    pub(crate) fn hunter_came(&mut self, player: &Player, node: u32) {
        if self.fields.is_empty() {
            return;
        }
        let owner = owner(player);
        self.work.hunters[owner] += 1;
        if self.work.field_of[owner] == NO_FIELD && node != NONE {
            self.assign(owner, node);
        }
    }

    /// Gives a target a free field, or one whose target nobody hunts any more, to answer from.
    fn assign(&mut self, owner: usize, node: u32) {
        if let Some(found) = self.take_field(owner, node) {
            self.work.field_of[owner] = found as u8;
        }
    }

    /// The field that a target is given; `None` when all are in use.
    fn take_field(&mut self, owner: usize, node: u32) -> Option<usize> {
        let busy = self.busy();
        let hunters = &self.work.hunters;
        let cold = |field: &Field| field.owner == NONE || hunters[field.owner as usize] == 0;
        let free = |field: &Field| field.round == 0 && cold(field);
        // Free fields first, then those of later stages, which are hunted last.
        let mut fields = self.fields.iter().enumerate().rev();
        let (found, _) = fields.find(|(at, field)| *at as u32 != busy && free(field))?;
        let field = &mut self.fields[found];
        if field.owner != NONE {
            self.work.field_of[field.owner as usize] = NO_FIELD;
        }
        *field = field.given_to(node, owner as u32);
        Some(found)
    }

    /// The field that is being worked on, NONE when none is.
    fn busy(&self) -> u32 {
        if self.work.phase == IDLE { NONE } else { self.work.field }
    }

    /// Gives the targets of a hunt that opens a field each, as long as there are free ones.
    pub(crate) fn prepare(&mut self, hunt: usize, nodes: impl Iterator<Item = u32>) {
        let busy = self.busy();
        for (stage, node) in nodes.enumerate().filter(|&(_, node)| node != NONE) {
            let mut fields = self.fields.iter().enumerate();
            let free = fields.find(|(at, field)| *at as u32 != busy && field.owner == NONE);
            let Some((free, _)) = free else { return };
            let owner = hunt * STAGES + stage;
            self.fields[free] = self.fields[free].given_to(node, owner as u32);
            self.work.field_of[owner] = free as u8;
        }
    }

    /// A hunt's targets are void: it closed, or its slot opens anew.
    pub(crate) fn forget_hunt(&mut self, hunt: usize) {
        let targets = hunt * STAGES..(hunt + 1) * STAGES;
        self.work.hunters[targets.clone()].fill(0);
        self.work.wishes[targets.clone()].fill(0);
        self.work.field_of[targets.clone()].fill(NO_FIELD);
        for field in
            self.fields.iter_mut().filter(|field| targets.contains(&(field.owner as usize)))
        {
            *field = field.given_to(0, NONE);
        }
        self.forget_rounds(hunt);
    }

    /// Players that hunt a target, by hunt slot * STAGES + stage; 0 without guidance.
    pub fn hunters(&self, target: usize) -> u32 {
        self.work.hunters[target]
    }

    /// Nobody hunts any target.
    pub(crate) fn forget_hunters(&mut self) {
        self.work.hunters.fill(0);
    }

    /// The table of a target's field.
    #[inline(always)]
    pub(crate) fn table_of(&self, owner: usize) -> Option<u32> {
        let field = *self.work.field_of.get(owner)? as usize;
        self.fields.get(field).map(|field| field.table)
    }
}

fn owner(player: &Player) -> usize {
    player.hunt as usize * STAGES + player.target as usize
}

impl Partition<'_> {
    /// After a restart: counts the hunters of every target again.
    pub(crate) fn adopt_targets(&mut self) {
        self.count_hunters();
        // The state may have been saved between two ticks: no epoch until the next one.
        for frost in &mut self.guidance.work.frost {
            frost.overflow = 1;
        }
    }

    /// Counts the hunters of every target, none of whom was counted before.
    pub(crate) fn count_hunters(&mut self) {
        for slot in 0..self.header.players as usize {
            let player = self.players[slot];
            let Some(hunt) = self.hunts.get(player.hunt as usize) else {
                continue;
            };
            let running = matches!(hunt.state, state::OPEN | state::PAUSED);
            if running && hunt.edition == player.edition && player.target < hunt.stages {
                let node = hunt.stage[player.target as usize].node;
                self.guidance.hunter_came(&player, node);
            }
        }
    }
}
