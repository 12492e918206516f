//! The image: one flat block of memory that holds a whole partition.
//!
//! Here it is laid out; `memory` turns its lines into typed slices, on which all else works.

use crate::border::{Border, Desk};
use crate::edge_lines::EdgeLines;
use crate::guidance::{Frozen, Guidance, Work, changed_words, untold_words};
use crate::history::{Journal, Marks};
use crate::hunts::Hunt;
use crate::index::Index;
use crate::limits::{ImageError, Limits, WorldView};
use crate::memory::{Line, first_of, take};
use crate::offsets::Offsets;
use crate::players::Player;
use crate::rows::Rows;
use crate::schema::{COST_MAX, DEGREE, HUNTS, PEERS, Receipt};
use crate::topology::Topology;
use crate::warm::Warm;

/// `HGIMAGE1` in little-endian bytes.
const MAGIC: u64 = u64::from_le_bytes(*b"HGIMAGE1");
/// Version of the image's layout.
const VERSION: u32 = 7;

/// First line of the image: identity, limits and all single values of the state.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    magic: u64,
    version: u32,
    /// Nodes of the world.
    pub nodes: u32,
    /// Slots of the world's rows.
    pub edges: u32,
    players_max: u32,
    fields_max: u32,
    pending_max: u32,
    far_max: u32,
    added_max: u32,
    pages_max: u32,
    queued_max: u32,
    /// The world's id.
    pub world_id: u64,
    /// Position of the last logged record.
    pub position: u64,
    /// Receipts given.
    pub serial: u64,
    /// Hash of the last receipt.
    pub chain: [u64; 4],
    /// Sum of the cells of edges and players (rules, section 8).
    pub cells: u64,
    /// Id of the correction under way, 0 for none.
    pub correction: u64,
    /// 1 when this correction has set the traffic rule: not every edge need fit it yet.
    pub(crate) traffic_set: u64,
    /// Player slots in use and slots added when this correction began.
    pub(crate) players_before: u32,
    pub(crate) added_before: u32,
    /// Current tick.
    pub tick: u32,
    /// Player slots in use.
    pub players: u32,
    /// Players present.
    pub present: u32,
    /// Mean base cost at boot.
    pub cost_mean: u32,
    /// Least base cost ever set.
    pub cost_min: u32,
    /// Greatest base cost ever set.
    pub cost_max: u32,
    /// Heat a move adds.
    pub rise: u32,
    /// Heat is cut to buckets by this shift.
    pub shift: u32,
    /// Share of the heat that one decay takes, as a shift.
    pub decay_shift: u32,
    /// Ticks of one decay round over all edges, 0 = never.
    pub period_ticks: u32,
    /// Weight that a bucket of heat adds.
    pub cost: u32,
    /// Slots added to the running world.
    pub added: u32,
    /// Nodes that this partition owns: those below.
    pub own_nodes: u32,
    parcels_max: u32,
    pub(crate) journal_max: u32,
    offsets_max: u32,
    /// 1 when rows and edges are told in the compact form.
    compact: u32,
    spare: u32,
}

impl Header {
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        (self.nodes, self.edges) = (limits.nodes, limits.edges);
        (self.players_max, self.fields_max) = (limits.players, limits.fields);
        (self.pending_max, self.far_max) = (limits.pending, limits.far);
        (self.added_max, self.pages_max) = (limits.added, limits.pages);
        (self.queued_max, self.parcels_max) = (limits.queued, limits.parcels);
        (self.own_nodes, self.journal_max) = (limits.own_nodes, limits.journal);
        (self.offsets_max, self.compact) = (limits.offsets, limits.compact as u32);
    }
}

/// A partition at work: typed views into its block.
pub struct Partition<'a> {
    /// Single values.
    pub header: &'a mut Header,
    pub(crate) topology: Topology<'a>,
    /// The player table.
    pub players: &'a mut [Player],
    pub(crate) index: Index<'a>,
    /// The hunt slots.
    pub hunts: &'a mut [Hunt],
    /// Players on their way to other partitions.
    pub border: Border<'a>,
    /// Fields and searches: derived, never hashed or saved.
    pub guidance: Guidance<'a>,
    pub(crate) warm: Warm<'a>,
    /// What records overwrite, if there is room to keep it.
    pub journal: Journal<'a>,
    /// Of the last claim that won: kept only until it has been handed out.
    pub(crate) last_receipt: Receipt,
}

impl<'a> Partition<'a> {
    /// Lays out a new image of `world` in `block`.
    ///
    /// # Errors
    /// [`ImageError`]; the block is then in no defined state.
    pub fn create(
        block: &'a mut [Line],
        limits: Limits,
        world: &WorldView,
    ) -> Result<Self, ImageError> {
        limits.check()?;
        let rows = world.first.len() == limits.nodes as usize + 1;
        if !rows
            || world.head.len() != limits.edges as usize
            || world.cost.len() != world.head.len()
        {
            return Err(ImageError::Size);
        }
        check_rows(world)?;
        block.fill(Line::default());
        let mut partition = Self::carve(block, &limits)?;
        let (magic, version, world_id) = (MAGIC, VERSION, world.world_id);
        *partition.header = Header { magic, version, world_id, ..Header::default() };
        partition.header.set_limits(&limits);
        partition.load(world)?;
        partition.border.create(world)?;
        partition.begin_guidance(&limits);
        partition.header.cells = partition.edge_cells();
        Ok(partition)
    }

    /// Takes up a block whose state part was saved or copied; guidance starts anew, with the room
    /// that `limits` give it.
    ///
    /// # Errors
    /// [`ImageError::Magic`], [`ImageError::Limits`], or [`ImageError::Size`] when the state was
    /// saved with other limits of its own.
    pub fn resume(block: &'a mut [Line], limits: Limits) -> Result<Self, ImageError> {
        limits.check()?;
        let saved = Self::limits_of(block)?;
        let Limits { fields, pending, pages, queued, journal, .. } = limits;
        if limits != (Limits { fields, pending, pages, queued, journal, ..saved }) {
            return Err(ImageError::Size);
        }
        let state = limits.state_lines();
        if block.len() != limits.total_lines() {
            return Err(ImageError::Size);
        }
        block[state..].fill(Line::default());
        let mut partition = Self::carve(block, &limits)?;
        partition.header.set_limits(&limits);
        partition.derive(&limits);
        Ok(partition)
    }

    fn begin_guidance(&mut self, limits: &Limits) {
        let heaviest = self.heaviest();
        self.guidance.reset(limits.reserve(), heaviest);
        self.reset_rounds();
    }

    /// What follows from the state, and is saved nowhere, follows from it anew.
    pub(crate) fn derive(&mut self, limits: &Limits) {
        self.begin_guidance(limits);
        self.adopt_targets();
        self.note_warm();
    }

    /// Takes up a block that has been at work in this process, guidance and all.
    ///
    /// # Errors
    /// [`ImageError::Magic`] or [`ImageError::Size`].
    pub fn attach(block: &'a mut [Line]) -> Result<Self, ImageError> {
        let limits = Self::limits_of(block)?;
        Self::carve(block, &limits)
    }

    /// The limits that a block was laid out with.
    ///
    /// # Errors
    /// [`ImageError::Magic`] when it holds no image of this version.
    pub fn limits_of(block: &[Line]) -> Result<Limits, ImageError> {
        let header = first_of::<Header>(block).ok_or(ImageError::Size)?;
        if header.magic != MAGIC || header.version != VERSION {
            return Err(ImageError::Magic);
        }
        let limits = Limits {
            nodes: header.nodes,
            edges: header.edges,
            players: header.players_max,
            fields: header.fields_max,
            pending: header.pending_max,
            far: header.far_max,
            offsets: header.offsets_max,
            added: header.added_max,
            pages: header.pages_max,
            queued: header.queued_max,
            own_nodes: header.own_nodes,
            parcels: header.parcels_max,
            journal: header.journal_max,
            compact: header.compact != 0,
        };
        limits.check().map(|()| limits)
    }

    pub(crate) fn carve(block: &'a mut [Line], limits: &Limits) -> Result<Self, ImageError> {
        if block.len() != limits.total_lines() {
            return Err(ImageError::Size);
        }
        let mut block = block;
        let rest = &mut block;
        let State { header, topology, players, index, hunts, border } = State::carve(rest, limits);
        Ok(Self {
            header,
            topology,
            players,
            index,
            hunts,
            border,
            guidance: carve_guidance(rest, limits),
            warm: Warm { bits: take(rest, Warm::words(limits.edge_ids())) },
            journal: Journal::new(
                &mut take::<Marks>(rest, 1)[0],
                take(rest, limits.journal as usize),
            ),
            last_receipt: Receipt::default(),
        })
    }

    /// Copies the world's rows in.
    fn load(&mut self, world: &WorldView) -> Result<(), ImageError> {
        self.topology.load(world)?;
        let real = || world.cost.iter().filter(|&&cost| cost > 0).map(|&cost| cost as u64);
        self.header.cost_min = real().min().unwrap_or(0) as u32;
        self.header.cost_max = real().max().unwrap_or(0) as u32;
        let mean = real().sum::<u64>().checked_div(real().count() as u64);
        self.header.cost_mean = mean.unwrap_or(1) as u32;
        Ok(())
    }
}

/// The part of the image that is state: hashed, saved, compared. Its sections stand in the order of
/// [`Limits::sections`].
pub(crate) struct State<'a> {
    pub header: &'a mut Header,
    pub topology: Topology<'a>,
    pub players: &'a mut [Player],
    pub index: Index<'a>,
    pub hunts: &'a mut [Hunt],
    pub border: Border<'a>,
}

impl<'a> State<'a> {
    /// Cuts the state off the front of `rest`, which must be long enough.
    pub(crate) fn carve(rest: &mut &'a mut [Line], limits: &Limits) -> Self {
        Self {
            header: &mut take::<Header>(rest, 1)[0],
            topology: Topology {
                rows: Rows::carve(rest, limits),
                offsets: Offsets(take(rest, limits.offsets as usize)),
                edges: EdgeLines::new(
                    take(rest, limits.half_lines()),
                    take(rest, limits.compact as usize).first_mut(),
                ),
                slots: limits.edges as usize,
                far: take(rest, limits.far as usize),
                added: take(rest, limits.added as usize),
                first_added: take(rest, limits.first_added_len()),
            },
            players: take(rest, limits.players as usize),
            index: Index(take(rest, limits.index_len())),
            hunts: take(rest, HUNTS),
            border: Border {
                desk: &mut take::<Desk>(rest, 1)[0],
                owner: take(rest, limits.halo_nodes()),
                twin: take(rest, limits.halo_nodes()),
                peers: take(rest, PEERS),
                parcels: take(rest, limits.parcels as usize),
                next: take(rest, limits.parcels as usize),
            },
        }
    }
}

/// The derived part of the image, behind the state.
fn carve_guidance<'a>(rest: &mut &'a mut [Line], limits: &Limits) -> Guidance<'a> {
    let (edges, tiles) = (limits.edge_ids(), limits.tiles());
    let (fields, pending) = (limits.fields as usize, limits.pending as usize);
    let (pages, queued) = (limits.pages as usize, limits.queued as usize);
    Guidance {
        work: &mut take::<Work>(rest, 1)[0],
        fields: take(rest, fields),
        tables: take(rest, (fields + 1) * tiles),
        pages: take(rest, pages),
        free: take(rest, pages),
        touched: take(rest, tiles),
        queue: take(rest, queued),
        chain: take(rest, queued),
        buckets: take(rest, crate::guidance::BUCKETS),
        frozen: [pending, limits.round_pending(), limits.round_pending()].map(|pending| Frozen {
            changed: take(rest, if pending > 0 { changed_words(edges) } else { 0 }),
            places: take(rest, pending),
            listed: take(rest, pending / 2),
        }),
        seeds: take(rest, pending / 2),
        labels: take(rest, crate::guidance::LABELS),
        heap: take(rest, crate::guidance::HEAP),
        rounds: take(rest, limits.rounds()),
        offers: take(rest, limits.rounds() * limits.halo_nodes()),
        untold: take(rest, limits.rounds() * untold_words(limits.halo_nodes())),
        by_owner: take(rest, limits.halo_nodes()),
    }
}

/// Rows in order, of allowed length and cost, and each slot with one that leads back.
fn check_rows(world: &WorldView) -> Result<(), ImageError> {
    let nodes = world.first.len() as u32 - 1;
    for node in 0..nodes {
        let bad = Err(ImageError::Row(node));
        let (start, end) =
            (world.first[node as usize] as usize, world.first[node as usize + 1] as usize);
        if start > end || end > world.head.len() || end - start > DEGREE {
            return bad;
        }
        for edge in start..end {
            let head = world.head[edge];
            let sorted = edge == start || world.head[edge - 1] < head;
            let sound = head < nodes && head != node && world.cost[edge] as u32 <= COST_MAX;
            if !sorted || !sound || reverse_slot(world, head, node).is_none() {
                return bad;
            }
        }
    }
    let whole = world.first[0] == 0 && world.first[nodes as usize] as usize == world.head.len();
    if whole { Ok(()) } else { Err(ImageError::Size) }
}

/// The number of the slot in `tail`'s row that leads to `head`.
fn reverse_slot(world: &WorldView, tail: u32, head: u32) -> Option<u32> {
    let start = *world.first.get(tail as usize)? as usize;
    let end = *world.first.get(tail as usize + 1)? as usize;
    let row = world.head.get(start..end)?;
    row.iter().position(|&other| other == head).map(|slot| slot as u32)
}
