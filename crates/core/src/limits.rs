//! Capacities of a partition, what a world gives it, and why an image may be refused.

use crate::added::{Added, Entry};
use crate::border::{Desk, Peer};
use crate::edge_lines::edge_lines;
use crate::guidance::{
    BUCKETS, Field, HEAP, LABELS, Label, PAGE_NODES, Page, Pending, Queued, Round, Work,
    changed_words, untold_words,
};
use crate::half_line::HalfLine;
use crate::history::{self, Marks};
use crate::hunts::Hunt;
use crate::image::Header;
use crate::lister::Needed;
use crate::mask_lister::MaskLister;
use crate::masks::{BLOCK_NODES, MaskBlock, MaskGroup};
use crate::memory::lines;
use crate::offsets::OFFSETS;
use crate::players::Player;
use crate::prices::{Prices, count_prices};
use crate::row_group::{GROUP_NODES, RowGroup};
use crate::schema::{Arrival, HUNTS, NODES, NONE, PARCELS, PEERS, PRICES, ROUNDS};
use crate::warm::Warm;

/// All capacities of a partition. Reaching one is a refusal with a code, never growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of the world, at most 2^24.
    pub nodes: u32,
    /// Slots of all rows of the world.
    pub edges: u32,
    /// Players that can ever enter.
    pub players: u32,
    /// Targets that can have a field at the same time; 0: there is no guidance.
    pub fields: u32,
    /// Edge changes that can be remembered while fields are worked on: half of this power of two,
    /// which is at most 2^16.
    pub pending: u32,
    /// Cells of the table of heads far from their tails, more than there are such heads.
    pub far: u32,
    /// Offsets of heads from tails in all lists together.
    pub offsets: u32,
    /// Slots that can be added to the running world; an edge takes two.
    pub added: u32,
    /// Pages of all fields together: each holds a field's numbers for 64 nodes.
    pub pages: u32,
    /// Nodes that can wait to be settled while a field is worked on.
    pub queued: u32,
    /// Nodes that the partition owns; the others are its halo.
    pub own_nodes: u32,
    /// Players that can be on their way to other partitions at a time.
    pub parcels: u32,
    /// Entries of the journal, 0 or a power of two; with one there is no guidance, which knows no
    /// way back.
    pub journal: u32,
    /// Rows are masks and costs are told by numbers, for worlds whose rows are alike and whose
    /// edges have few different costs, as those of grids: half the memory.
    pub compact: bool,
}

impl Limits {
    /// Limits for a world, with room for `fields` whole fields and the defaults of the rest. In the
    /// compact form where the world fits it, and as many other costs as it has could come into use.
    pub fn of(world: &WorldView, players: u32, fields: u32) -> Self {
        match needed(world, true, PRICES / 2) {
            Some(needed) => Self::with(world, players, fields, (needed, true)),
            None => Self::of_any_prices(world, players, fields),
        }
    }

    /// The same in the form in which any edge may have any cost at any time.
    pub fn of_any_prices(world: &WorldView, players: u32, fields: u32) -> Self {
        Self::with(world, players, fields, (Needed::of(world), false))
    }

    fn with(world: &WorldView, players: u32, fields: u32, rows: (Needed, bool)) -> Self {
        let nodes = world.first.len().saturating_sub(1) as u32;
        let halo = world.halo_owner.len();
        let mut limits = Self {
            nodes,
            edges: world.head.len() as u32,
            players,
            fields,
            pending: 1 << 16,
            far: 0,
            offsets: 0,
            added: 2048,
            pages: 0,
            queued: nodes / 32 + 8192,
            own_nodes: nodes.saturating_sub(halo as u32),
            parcels: if halo > 0 { PARCELS as u32 } else { 0 },
            journal: 0,
            compact: false,
        };
        limits.set_rows(rows.0, rows.1);
        limits.pages = 1 + fields * limits.tiles() as u32 + limits.reserve();
        limits
    }

    /// The same in one of the two forms; `None`: this world does not fit the compact one.
    pub fn in_form(mut self, world: &WorldView, compact: bool) -> Option<Self> {
        if compact != self.compact {
            self.set_rows(needed(world, compact, PRICES)?, compact);
        }
        Some(self)
    }

    fn set_rows(&mut self, needed: Needed, compact: bool) {
        let Needed { offsets, far } = needed;
        (self.offsets, self.far) = (offsets as u32, (far + far / 4 + 1) as u32);
        self.compact = compact;
    }

    /// Pages that fit into so many bytes, with the tables that say where they are.
    pub fn pages_in(&self, bytes: usize) -> u32 {
        let tables = (self.fields as usize + 1) * self.tiles() * size_of::<u32>();
        (bytes.saturating_sub(tables) / (size_of::<Page>() + size_of::<u32>())) as u32
    }

    /// Tiles of 64 nodes.
    pub fn tiles(&self) -> usize {
        (self.nodes as usize).div_ceil(PAGE_NODES)
    }

    /// Pages that only repairs may take.
    pub fn reserve(&self) -> u32 {
        self.tiles() as u32 / 16 + 65
    }

    pub(crate) fn halo_nodes(&self) -> usize {
        (self.nodes - self.own_nodes) as usize
    }

    /// Targets with rounds through the borders at the same time; none without a border.
    pub(crate) fn rounds(&self) -> usize {
        if self.halo_nodes() > 0 { ROUNDS } else { 0 }
    }

    pub(crate) fn index_len(&self) -> usize {
        (self.players as usize * 2).next_power_of_two().max(64)
    }

    /// Edge ids: slots of the world and those that can be added.
    pub(crate) fn edge_ids(&self) -> usize {
        self.edges as usize + self.added as usize
    }

    /// Halves of all lines of edges.
    pub(crate) fn half_lines(&self) -> usize {
        edge_lines(self.edge_ids()) << !self.compact as u32
    }

    /// Groups of rows whose edges keep numbers.
    pub(crate) fn row_groups(&self) -> usize {
        if self.compact { 0 } else { (self.nodes as usize).div_ceil(GROUP_NODES) }
    }

    /// Groups of rows that are masks.
    pub(crate) fn mask_groups(&self) -> usize {
        if self.compact { (self.nodes as usize).div_ceil(GROUP_NODES) } else { 0 }
    }

    pub(crate) fn mask_blocks(&self) -> usize {
        if self.compact { (self.nodes as usize).div_ceil(BLOCK_NODES) } else { 0 }
    }

    pub(crate) fn first_added_len(&self) -> usize {
        (self.added as usize * 2).next_power_of_two()
    }

    /// Names and lines of the sections of the state, in their order.
    pub fn sections(&self) -> [(&'static str, usize); 19] {
        [
            ("header", lines::<Header>(1)),
            ("rows", lines::<RowGroup>(self.row_groups())),
            ("masks", lines::<MaskGroup>(self.mask_groups())),
            ("blocks", lines::<MaskBlock>(self.mask_blocks())),
            ("offsets", lines::<i16>(self.offsets as usize)),
            ("edges", lines::<HalfLine>(self.half_lines())),
            ("prices", lines::<Prices>(self.compact as usize)),
            ("far", lines::<Entry>(self.far as usize)),
            ("added", lines::<Added>(self.added as usize)),
            ("first_added", lines::<Entry>(self.first_added_len())),
            ("players", lines::<Player>(self.players as usize)),
            ("index", lines::<u32>(self.index_len())),
            ("hunts", lines::<Hunt>(HUNTS)),
            ("desk", lines::<Desk>(1)),
            ("owner", lines::<u16>(self.halo_nodes())),
            ("twin", lines::<u32>(self.halo_nodes())),
            ("peers", lines::<Peer>(PEERS)),
            ("parcels", lines::<[u8; Arrival::BYTES]>(self.parcels as usize)),
            ("next", lines::<u32>(self.parcels as usize)),
        ]
    }

    /// Lines of the rows and all that is known of their edges.
    pub fn row_state_lines(&self) -> usize {
        const ROWS: [&str; 9] = [
            "rows",
            "masks",
            "blocks",
            "offsets",
            "edges",
            "prices",
            "far",
            "added",
            "first_added",
        ];
        let sections = self.sections().into_iter();
        sections.filter(|(name, _)| ROWS.contains(name)).map(|(_, lines)| lines).sum()
    }

    /// Lines of the part that is state: hashed, saved, compared.
    pub fn state_lines(&self) -> usize {
        self.sections().iter().map(|(_, lines)| lines).sum()
    }

    /// Lines of the whole block: state and guidance.
    pub fn total_lines(&self) -> usize {
        let (tiles, fields) = (self.tiles(), self.fields as usize);
        self.state_lines()
            + lines::<Work>(1)
            + lines::<Field>(fields)
            + lines::<u32>((fields + 1) * tiles)
            + lines::<Page>(self.pages as usize)
            + lines::<u32>(self.pages as usize)
            + lines::<u32>(tiles)
            + lines::<Queued>(self.queued as usize)
            + lines::<u32>(self.queued as usize)
            + lines::<u32>(BUCKETS)
            + self.frozen_lines(self.pending as usize)
            + 2 * self.frozen_lines(self.round_pending())
            + lines::<u32>(self.pending as usize / 2)
            + lines::<Label>(LABELS)
            + lines::<u64>(HEAP)
            + lines::<Round>(self.rounds())
            + lines::<u32>(self.rounds() * self.halo_nodes())
            + lines::<u64>(self.rounds() * untold_words(self.halo_nodes()))
            + lines::<u32>(self.halo_nodes())
            + lines::<u64>(Warm::words(self.edge_ids()))
            + lines::<Marks>(1)
            + lines::<history::Entry>(self.journal as usize)
    }

    /// Changed edges that are remembered for each of the two epochs of rounds: as many for both
    /// together as for fields; none without a border.
    pub(crate) fn round_pending(&self) -> usize {
        if self.halo_nodes() > 0 { self.pending as usize / 2 } else { 0 }
    }

    fn frozen_lines(&self, pending: usize) -> usize {
        let words = if pending > 0 { changed_words(self.edge_ids()) } else { 0 };
        lines::<u64>(words) + lines::<u16>(pending) + lines::<Pending>(pending / 2)
    }

    pub(crate) fn check(&self) -> Result<(), ImageError> {
        let sound = self.nodes > 0
            && self.nodes as usize <= NODES
            && self.edges < NONE - (1 << 20)
            && (1..=1 << 22).contains(&self.players)
            && self.fields <= 64
            && self.pending.is_power_of_two()
            && (1024..=1 << 16).contains(&self.pending)
            && self.far > 0
            && (1..OFFSETS as u32).contains(&self.offsets)
            && self.added <= 1 << 20
            && self.pages > self.reserve()
            && self.pages <= 1 << 26
            && (1024..=1 << 26).contains(&self.queued)
            && (1..=self.nodes).contains(&self.own_nodes)
            && self.parcels <= 1 << 20
            && (self.journal == 0 || self.journal.is_power_of_two() && self.fields == 0);
        if sound { Ok(()) } else { Err(ImageError::Limits) }
    }
}

/// The room that a world's rows take in a form; `None`: not all can be told in the compact one, or
/// there are more different costs than so many.
pub(crate) fn needed(world: &WorldView, compact: bool, prices: usize) -> Option<Needed> {
    match compact {
        false => Some(Needed::of(world)),
        true if count_prices(world.cost, prices + 1) > prices => None,
        true => MaskLister::needed(world),
    }
}

/// A world's rows, as its file holds them (`docs/reference/world-format.md`).
#[derive(Clone, Copy, Debug)]
pub struct WorldView<'a> {
    /// Start of each node's row, nodes + 1 entries.
    pub first: &'a [u32],
    /// Head of each slot, sorted within a row.
    pub head: &'a [u32],
    /// Base cost of each slot, 0 = absent.
    pub cost: &'a [u16],
    /// The world's id.
    pub world_id: u64,
    /// Number of this partition.
    pub partition: u16,
    /// Of each halo node, the last nodes of the world: the partition that owns it.
    pub halo_owner: &'a [u16],
    /// Of each halo node: its number in its owner's world.
    pub halo_twin: &'a [u32],
}

/// Why a block cannot be used as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// A capacity is zero or out of range.
    Limits,
    /// The block has not the number of lines that the limits ask for.
    Size,
    /// No image, or one of another version.
    Magic,
    /// The row of this node is out of order, too long, leads out of range, or has a slot without
    /// its reverse.
    Row(u32),
    /// A halo node belongs to this partition, or to one whose number is too high.
    Halo,
    /// The saved state belongs to another world.
    World,
    /// So many players have a slot in the saved state: more than there would be room for.
    Players(u32),
    /// So many slots were added in the saved state: more than there would be room for.
    Added(u32),
    /// The saved state has its edges in the other form.
    Form,
    /// A state carried over is not the one that was saved.
    Carried,
}

impl core::fmt::Display for ImageError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Limits => write!(out, "a limit of the image is out of range"),
            Self::Size => write!(out, "the block has not the size that the limits ask for"),
            Self::Magic => write!(out, "not an image of this version"),
            Self::Row(node) => write!(out, "the world's row of node {node} is malformed"),
            Self::Halo => write!(out, "a halo node's owner is no other partition of the world"),
            Self::World => write!(out, "the saved state belongs to another world"),
            Self::Players(players) => write!(out, "the saved state has {players} players"),
            Self::Added(slots) => write!(out, "the saved state has {} added edges", slots / 2),
            Self::Form => write!(out, "the saved state has its edges in the other form"),
            Self::Carried => write!(out, "a state carried over is not the one that was saved"),
        }
    }
}
