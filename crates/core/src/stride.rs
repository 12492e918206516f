//! The move that nearly all moves are, without the detours of the rest.

use crate::apply::{Answer, Sink, Taken};
use crate::edge_lines::EdgeState;
use crate::hash::step_cells;
use crate::hunts::place;
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{Code, Event, Move, Update, event, state};

impl Partition<'_> {
    /// Takes the next step of a player who is here, whose last move was done, along an open edge to
    /// an own node without a clue, in a hunt that has not changed since the last step. `None`: it
    /// is not such a step, and nothing has changed. It does what `player_move` would do, line by
    /// line of rules.md sections 2 to 4.
    #[inline(always)]
    pub(crate) fn stride<S: Sink>(
        &mut self,
        record: &Move,
        guess: u32,
        sink: &mut S,
    ) -> Option<Answer> {
        let slot = match self.players.get(guess as usize) {
            Some(player) if player.id == record.player && guess < self.header.players => {
                guess as usize
            }
            _ => self.player_slot(record.player)?,
        };
        let player = &self.players[slot];
        let (from, to) = (record.from, record.to);
        let next = record.seq == player.seq.wrapping_add(1) && player.seq != u32::MAX;
        let here = player.present == 1 && player.node == from && to < self.header.own_nodes;
        if !next || !here || player.last_code() != Code::Ok as u16 || !self.is_plain(player, to) {
            return None;
        }
        let edge = self.topology.find(from, to)?.edge;
        let EdgeState { weight, closed, .. } = self.topology.edges.state(edge);
        if weight == 0 || closed {
            return None;
        }
        self.journal.step(slot, from, player.last_position, self.header.cells);
        self.header.position += 1;
        let position = self.header.position;
        let player = &mut self.players[slot];
        let before = (player.seq, player.node, player.last_position);
        (player.seq, player.node, player.last_position) = (record.seq, to, position);
        let cells = step_cells(slot, before, (record.seq, to, position));
        self.header.cells = self.header.cells.wrapping_add(cells);
        sink.event(&Event {
            kind: event::WENT,
            player: record.player,
            from,
            to,
            edge: edge as u32,
            ..self.event()
        });
        self.heat_up(edge, sink);
        if !S::ANSWERS {
            return Some(Answer { update: Update::default(), logged: true });
        }
        let mut answer = self.answer(slot, record, Code::Ok as u16, position, Taken::NOTHING);
        answer.logged = true;
        Some(answer)
    }

    /// Whether coming to this node neither finds a clue nor changes the player's target.
    #[inline(always)]
    fn is_plain(&self, player: &Player, node: u32) -> bool {
        let Some(hunt) = self.hunts.get(player.hunt as usize) else {
            return player.revision == 0;
        };
        let (word, bit) = place(node);
        let same = hunt.edition == player.edition && hunt.revision == player.revision;
        same && (hunt.state != state::OPEN || hunt.clue_places[word] & bit == 0)
    }
}
