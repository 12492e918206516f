//! A state carried over into an image of another size (`docs/decisions/0016-carried-over.md`).
//!
//! Tables of players and of added edges are the only ones that a partition can have larger or
//! smaller than before; all others are as the world has them. What is carried over is, byte for
//! byte, what an image of the new size would hold after the same records. It goes section by
//! section: here is where a state of an older version of the image would be read.

use crate::border::Border;
use crate::image::{Header, Partition, State};
use crate::index::Index;
use crate::limits::{ImageError, Limits};
use crate::memory::{Line, first_of};
use crate::players::Player;
use crate::topology::Topology;

impl<'a> Partition<'a> {
    /// Whether the state that begins with these lines, its header at least, can be carried over
    /// into an image with `limits`; gives the limits that it was saved with.
    ///
    /// # Errors
    /// [`ImageError::Magic`] for another version, [`ImageError::Size`] for another world's state,
    /// [`ImageError::Form`], [`ImageError::Players`] or [`ImageError::Added`] with the least that
    /// would do, [`ImageError::Limits`].
    pub fn check_carry(saved: &[Line], limits: &Limits) -> Result<Limits, ImageError> {
        limits.check()?;
        let own = Self::limits_of(saved)?;
        let Limits { players, added, fields, pending, pages, queued, journal, .. } = *limits;
        let sized = Limits { players, added, fields, pending, pages, queued, journal, ..own };
        let [players_used, added_used] = Self::in_use(saved)?;
        if (own.nodes, own.edges) == (limits.nodes, limits.edges) && own.compact != limits.compact {
            return Err(ImageError::Form);
        }
        if *limits != sized || players_used > own.players || added_used > own.added {
            Err(ImageError::Size)
        } else if players_used > players {
            Err(ImageError::Players(players_used))
        } else if added_used > added {
            Err(ImageError::Added(added_used))
        } else {
            Ok(own)
        }
    }

    /// Player slots and slots of added edges in use in a state that begins with these lines.
    ///
    /// # Errors
    /// [`ImageError::Size`] when the header is cut short.
    pub fn in_use(saved: &[Line]) -> Result<[u32; 2], ImageError> {
        let header = first_of::<Header>(saved).ok_or(ImageError::Size)?;
        Ok([header.players, header.added])
    }

    /// Lays out an image with `limits` in `block` that holds the state `saved`: the state part of
    /// an image of any size. Guidance starts anew.
    ///
    /// # Errors
    /// Those of [`Self::check_carry`], and [`ImageError::Size`] when a block has not the right
    /// length: the block is then as it was. [`ImageError::Carried`] when what was carried over is
    /// not the state that was saved: the block is then in no defined state.
    pub fn carry_over(
        block: &'a mut [Line],
        limits: Limits,
        saved: &mut [Line],
    ) -> Result<Self, ImageError> {
        let own = Self::check_carry(saved, &limits)?;
        let mut rest = saved.get_mut(..own.state_lines()).ok_or(ImageError::Size)?;
        if block.len() != limits.total_lines() {
            return Err(ImageError::Size);
        }
        block.fill(Line::default());
        let mut partition = Self::carve(block, &limits)?;
        partition.adopt(State::carve(&mut rest, &own));
        partition.header.set_limits(&limits);
        partition.derive(&limits);
        let whole = partition.rehash() == partition.state_hash() && partition.all_listed();
        if whole { Ok(partition) } else { Err(ImageError::Carried) }
    }

    /// Takes a state over, section by section: none can be forgotten, as each has a name here.
    fn adopt(&mut self, saved: State) {
        let State { header, topology, players, index: _, hunts, border } = saved;
        let (used, added) = (header.players as usize, header.added as usize);
        *self.header = *header;
        self.topology.adopt(topology, added);
        self.players[..used].copy_from_slice(&players[..used]);
        self.index.list(&players[..used]);
        self.hunts.copy_from_slice(hunts);
        self.border.adopt(border);
    }

    /// Whether each player and each added edge is found where it stands.
    fn all_listed(&self) -> bool {
        let (used, added) = (self.header.players as usize, self.header.added as usize);
        let mut players = self.players[..used].iter().enumerate();
        let mut ways = self.topology.added[..added].iter().enumerate();
        players.all(|(slot, player)| self.player_slot(player.id) == Some(slot))
            && ways.all(|(number, way)| {
                let found = self.topology.find(way.tail, way.head);
                found.is_some_and(|found| found.edge == self.topology.slots + number)
            })
    }
}

impl Topology<'_> {
    /// Takes over the rows of another image of the same world, with `used` slots added to them.
    fn adopt(&mut self, saved: Topology, used: usize) {
        let Topology { rows, offsets, edges, slots: _, far, added, first_added: _ } = saved;
        self.rows.adopt(&rows);
        self.offsets.0.copy_from_slice(offsets.0);
        // Lines of slots that are not in use are blank in both.
        let halves = self.edges.halves.len().min(edges.halves.len());
        self.edges.halves[..halves].copy_from_slice(&edges.halves[..halves]);
        if let (Some(own), Some(saved)) = (&mut self.edges.prices, edges.prices) {
            **own = *saved;
        }
        self.far.copy_from_slice(far);
        self.adopt_added(&added[..used]);
    }
}

impl Index<'_> {
    /// Lists players in the order of their slots, as they were listed when they entered.
    fn list(&mut self, players: &[Player]) {
        for (slot, player) in players.iter().enumerate() {
            self.set(self.free(player.id), player.id, slot);
        }
    }
}

impl Border<'_> {
    /// Takes over the border of another image of the same world. Its outbox has the same places:
    /// when it is full, steps over the border are refused, and that stands in the log.
    fn adopt(&mut self, saved: Border) {
        let Border { desk, owner, twin, peers, parcels, next } = saved;
        *self.desk = *desk;
        self.owner.copy_from_slice(owner);
        self.twin.copy_from_slice(twin);
        self.peers.copy_from_slice(peers);
        self.parcels.copy_from_slice(parcels);
        self.next.copy_from_slice(next);
    }
}
