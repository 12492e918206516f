//! The move that nearly all moves are, without the detours of the rest.

use crate::apply::{Answer, Sink};
use crate::batch::Found;
use crate::hash::step_cells;
use crate::hunts::{Hunt, place};
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{Code, Event, Move, Update, event, kind, state};

impl Partition<'_> {
    /// Takes the next step of a player who is here, whose last move was done, along an open edge to
    /// a near own node without a clue, in a hunt that has not changed since the last step. `None`:
    /// it is not such a step, and nothing has changed. It does what `player_move` would do, line by
    /// line of rules.md sections 2 to 4.
    #[inline(always)]
    pub(crate) fn stride<S: Sink>(
        &mut self,
        raw: &[u8; 64],
        found: Found,
        sink: &mut S,
    ) -> Option<Answer> {
        if raw[0] != kind::GO || self.header.correction != 0 {
            return None;
        }
        let record = Move::decode(raw);
        let slot = self.confirmed_slot(record.player, found)?;
        let player = &mut self.players[slot];
        let (from, to) = (record.from, record.to);
        let next = player.seq.checked_add(1) == Some(record.seq);
        let here = player.present == 1 && player.node == from && to < self.header.own_nodes;
        let done = player.last_code() == Code::Ok as u16;
        if !next || !here || !done || !is_plain(self.hunts, player, to) {
            return None;
        }
        let edge = found.edge? as usize;
        let old = self.topology.edges.state(edge);
        if old.cost == 0 || old.closed {
            return None;
        }
        if S::JOURNAL {
            self.journal.step(slot, player, (edge, to), old, self.header.cells);
        }
        let position = self.header.position + 1;
        let before = (player.seq, player.node, player.last_position);
        (player.seq, player.node, player.last_position) = (record.seq, to, position);
        let cells = step_cells(slot, before, (record.seq, to, position));
        let player = *player;
        (self.header.position, self.header.cells) =
            (position, self.header.cells.wrapping_add(cells));
        sink.event(&Event {
            kind: event::WENT,
            player: record.player,
            from,
            to,
            edge: edge as u32,
            ..self.event()
        });
        self.heat_up(edge, old, (from, to), sink);
        if !S::ANSWERS {
            return Some(Answer { update: Update::default(), logged: true });
        }
        let Player { seq, node, score, .. } = player;
        let update = Update { position, seq, node, score, ..self.blank(&record) };
        Some(Answer { update: self.guide(&player, found.place).into_update(update), logged: true })
    }

    /// The player's slot: the one found before, if that is right.
    #[inline(always)]
    fn confirmed_slot(&self, id: u64, found: Found) -> Option<usize> {
        let guess = found.slot as usize;
        match self.players.get(guess) {
            Some(player) if player.id == id && found.slot < self.header.players => Some(guess),
            _ => self.player_slot(id),
        }
    }
}

/// Whether coming to this node neither finds a clue nor changes the player's target.
#[inline(always)]
fn is_plain(hunts: &[Hunt], player: &Player, node: u32) -> bool {
    let Some(hunt) = hunts.get(player.hunt as usize) else {
        return player.revision == 0;
    };
    let (word, bit) = place(node);
    let same = hunt.edition == player.edition && hunt.revision == player.revision;
    same && (hunt.state != state::OPEN || hunt.clue_places[word] & bit == 0)
}
