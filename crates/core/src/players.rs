//! The player table: dense slots in order of first entry.

use crate::history::Section;
use crate::image::Partition;
use crate::index::Listed;

/// No hunt, no target (rules, section 1).
pub(crate) const NO_STAGE: u8 = 255;

/// One player, one cache line. The order is that of [`Self::words`], which costs nothing then.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Player {
    /// Id, as game servers know the player.
    pub id: u64,
    /// Bit per stage found or won.
    pub progress: u64,
    /// Number of the last taken move.
    pub seq: u32,
    /// Where the player stands.
    pub node: u32,
    /// Points.
    pub score: i32,
    /// Hunt time at which the target became the target.
    pub since: u32,
    /// Team number.
    pub team: u8,
    /// Hunt slot, 255 for none.
    pub hunt: u8,
    /// Stage of the target, 255 for none.
    pub target: u8,
    /// 1 when present.
    pub present: u8,
    /// Hints taken for the target.
    pub hints: u8,
    last_code: [u8; 2],
    /// 0, or 1 + the partition that it was handed to.
    pub away: u8,
    /// Position of the last taken move.
    pub last_position: u64,
    /// Edition of the hunt that the player is in.
    pub edition: u32,
    /// Revision of the hunt for which the target is the right one.
    pub(crate) revision: u32,
    spare_word: u64,
}

impl Player {
    /// A player who has done nothing yet.
    pub(crate) fn new(id: u64) -> Self {
        Self { id, hunt: NO_STAGE, target: NO_STAGE, ..Self::default() }
    }

    /// Code of the last taken move.
    pub fn last_code(&self) -> u16 {
        u16::from_le_bytes(self.last_code)
    }

    pub(crate) fn set_last_code(&mut self, code: u16) {
        self.last_code = code.to_le_bytes();
    }

    /// The words that the state hash takes in (rules, section 8).
    #[inline(always)]
    pub(crate) fn words(&self) -> [u64; 7] {
        let small = self.team as u64
            | (self.hunt as u64) << 8
            | (self.target as u64) << 16
            | (self.present as u64) << 24
            | (self.hints as u64) << 32
            | (self.last_code[0] as u64) << 40
            | (self.last_code[1] as u64) << 48
            | (self.away as u64) << 56;
        [
            self.id,
            self.progress,
            self.seq as u64 | (self.node as u64) << 32,
            self.score as u32 as u64 | (self.since as u64) << 32,
            small,
            self.last_position,
            self.edition as u64,
        ]
    }
}

impl Partition<'_> {
    /// The slot of a player, if it ever entered.
    #[inline]
    pub fn player_slot(&self, id: u64) -> Option<usize> {
        self.entry_of(id).map(|entry| entry.slot)
    }

    #[inline]
    fn entry_of(&self, id: u64) -> Option<Listed> {
        self.index.candidates(id).find(|entry| self.players[entry.slot].id == id)
    }

    /// A new slot for `id`, which must not have one; `None` when the table is full.
    pub(crate) fn new_player(&mut self, id: u64) -> Option<usize> {
        let slot = self.header.players as usize;
        if slot >= self.players.len() {
            return None;
        }
        let at = self.index.free(id);
        self.keep::<u32>(Section::Index, at, 1);
        self.keep::<Player>(Section::Players, slot, 1);
        self.index.set(at, id, slot);
        self.header.players += 1;
        self.players[slot] = Player::new(id);
        Some(slot)
    }

    /// Takes back the last [`Self::new_player`]: no other search has gone past its place.
    pub(crate) fn unlist_player(&mut self, slot: usize) {
        let entry = self.entry_of(self.players[slot].id).expect("the player is listed");
        self.keep::<u32>(Section::Index, entry.at, 1);
        self.keep::<Player>(Section::Players, slot, 1);
        self.index.0[entry.at] = 0;
        self.header.players -= 1;
        self.players[slot] = Player::default();
    }
}
