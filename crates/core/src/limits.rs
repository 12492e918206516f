//! Capacities of a partition, what a world gives it, and why an image may be refused.

use crate::border::{Desk, Peer};
use crate::guidance::{BUCKETS, Field, HEAP, LABELS, Label, Pending, Work};
use crate::hunts::Hunt;
use crate::image::{Header, lines};
use crate::players::Player;
use crate::schema::{Arrival, HUNTS, NODES, NONE, PARCELS, PEERS};

/// All capacities of a partition. Reaching one is a refusal with a code, never growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of the world, at most 2^24.
    pub nodes: u32,
    /// Slots of all rows of the world.
    pub edges: u32,
    /// Players that can ever enter.
    pub players: u32,
    /// Targets that can have a field at the same time.
    pub fields: u32,
    /// Edge changes that can be remembered while fields are worked on.
    pub pending: u32,
    /// Nodes that the partition owns; the others are its halo.
    pub own_nodes: u32,
    /// Players that can be on their way to other partitions at a time.
    pub parcels: u32,
}

impl Limits {
    /// Limits for a world, with the default room for edge changes.
    pub fn new(nodes: usize, edges: usize, players: u32, fields: u32) -> Self {
        let (nodes, edges) = (nodes as u32, edges as u32);
        Self { nodes, edges, players, fields, pending: 1 << 17, own_nodes: nodes, parcels: 0 }
    }

    /// The same for a partition of a greater world: the last `halo` nodes belong to others.
    pub fn with_halo(self, halo: usize) -> Self {
        let own_nodes = self.nodes.saturating_sub(halo as u32);
        Self { own_nodes, parcels: if halo > 0 { PARCELS as u32 } else { 0 }, ..self }
    }

    pub(crate) fn halo_nodes(&self) -> usize {
        (self.nodes - self.own_nodes) as usize
    }

    pub(crate) fn index_len(&self) -> usize {
        (self.players as usize * 2).next_power_of_two().max(64)
    }

    /// Lines of the part that is state: hashed, saved, compared.
    pub fn state_lines(&self) -> usize {
        let (nodes, edges) = (self.nodes as usize, self.edges as usize);
        lines::<Header>(1)
            + lines::<u32>(nodes + 1)
            + lines::<u32>(edges)
            + lines::<u16>(edges)
            + lines::<u8>(edges)
            + lines::<Player>(self.players as usize)
            + lines::<u32>(self.index_len())
            + lines::<Hunt>(HUNTS)
            + lines::<Desk>(1)
            + lines::<u16>(self.halo_nodes())
            + lines::<u32>(self.halo_nodes())
            + lines::<Peer>(PEERS)
            + lines::<[u8; Arrival::BYTES]>(self.parcels as usize)
            + lines::<u32>(self.parcels as usize)
    }

    /// Lines of the whole block: state and guidance.
    pub fn total_lines(&self) -> usize {
        let (nodes, fields) = (self.nodes as usize, self.fields as usize);
        self.state_lines()
            + lines::<Work>(1)
            + lines::<Field>(fields)
            + lines::<u32>((fields + 1) * nodes)
            + lines::<u8>((fields + 1) * nodes)
            + 2 * lines::<u32>(nodes)
            + lines::<u32>(BUCKETS)
            + lines::<u64>(self.edges as usize / 64 + 1)
            + lines::<Pending>(self.pending as usize)
            + lines::<u32>(self.pending as usize / 2)
            + lines::<Pending>(self.pending as usize / 2)
            + lines::<Label>(LABELS)
            + lines::<u64>(HEAP)
    }

    pub(crate) fn check(&self) -> Result<(), ImageError> {
        let sound = self.nodes > 0
            && self.nodes as usize <= NODES
            && self.edges < NONE
            && (1..=1 << 22).contains(&self.players)
            && (1..=64).contains(&self.fields)
            && self.pending.is_power_of_two()
            && self.pending >= 1024
            && (1..=self.nodes).contains(&self.own_nodes)
            && self.parcels <= 1 << 20;
        if sound { Ok(()) } else { Err(ImageError::Limits) }
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
        }
    }
}
