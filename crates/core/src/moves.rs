//! What players do: enter, go, leave, claim, ask for a hint (rules, section 3).

use crate::apply::{Sink, Taken};
use crate::image::Partition;
use crate::players::{NO_STAGE, Player};
use crate::schema::{Code, Event, HUNTS, Move, NONE, Receipt, event, flag, form, kind, state};
use crate::sha256::sha256;

/// `hunt` of a move that names no hunt.
const NO_HUNT: u16 = u16::MAX;

impl Partition<'_> {
    /// Checks the first move of an unknown player and gives it a slot.
    pub(crate) fn admit(&mut self, record: &Move) -> Result<usize, Code> {
        match record.kind {
            kind::ENTER if record.seq != 1 => return Err(Code::SeqGap),
            kind::ENTER => self.check_enter(None, record)?,
            kind::STRIKE if record.seq == 1 => {}
            _ => return Err(Code::UnknownPlayer),
        }
        self.new_player(record.player).ok_or(Code::PlayersFull)
    }

    /// A player whose hunt's slot was opened anew is in no hunt.
    #[inline]
    pub(crate) fn leave_old_edition(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        if player.hunt == NO_STAGE || self.hunts[player.hunt as usize].edition == player.edition {
            return;
        }
        (player.hunt, player.edition, player.progress) = (NO_STAGE, 0, 0);
        (player.target, player.hints, player.since) = (NO_STAGE, 0, 0);
    }

    #[inline]
    pub(crate) fn act<S: Sink>(
        &mut self,
        slot: usize,
        record: &Move,
        sink: &mut S,
    ) -> Result<Taken, Code> {
        match record.kind {
            kind::ENTER => return self.enter(slot, record, sink),
            kind::STRIKE => return Err(Code::Struck),
            _ => {}
        }
        if self.players[slot].present == 0 {
            return Err(Code::NotPresent);
        }
        match record.kind {
            kind::GO => self.go(slot, record, sink),
            kind::LEAVE => Ok(self.leave(slot, sink)),
            kind::CLAIM => self.claim(slot, record, sink),
            _ => self.hint(slot, sink),
        }
    }

    fn check_enter(&self, slot: Option<usize>, record: &Move) -> Result<(), Code> {
        let mut teams = 1;
        if record.hunt != NO_HUNT {
            let hunt = self.hunts.get(record.hunt as usize).ok_or(Code::UnknownHunt)?;
            match hunt.state {
                state::EMPTY | state::LOADING => return Err(Code::UnknownHunt),
                state::READY | state::CLOSED => return Err(Code::HuntNotOpen),
                _ => teams = hunt.teams.max(1) as u32,
            }
        }
        if record.to >= self.header.own_nodes {
            return Err(Code::UnknownNode);
        }
        let stays =
            slot.filter(|&slot| self.is_in(slot, record.hunt)).map(|slot| &self.players[slot]);
        let other_team = stays.is_some_and(|player| player.team as u32 != record.arg);
        if record.arg >= teams || (other_team && record.hunt != NO_HUNT) {
            return Err(Code::BadTeam);
        }
        Ok(())
    }

    /// Whether the player is in this hunt's current edition (or, for no hunt, in none).
    pub(crate) fn is_in(&self, slot: usize, hunt: u16) -> bool {
        let player = &self.players[slot];
        match self.hunts.get(hunt as usize) {
            None => player.hunt == NO_STAGE && player.edition == 0,
            Some(found) => player.hunt as u16 == hunt && player.edition == found.edition,
        }
    }

    fn enter<S: Sink>(&mut self, slot: usize, record: &Move, sink: &mut S) -> Result<Taken, Code> {
        self.check_enter(Some(slot), record)?;
        if !self.is_in(slot, record.hunt) {
            self.join(slot, record.hunt, record.arg as u8);
        }
        let player = &mut self.players[slot];
        player.node = record.to;
        self.header.present += (player.present == 0) as u32;
        player.present = 1;
        let hunt = record.hunt;
        sink.event(&Event {
            kind: event::ENTERED,
            player: record.player,
            to: record.to,
            hunt,
            ..self.event()
        });
        let found = self.arrive(slot, sink);
        Ok(Taken { found, ..Taken::NOTHING })
    }

    /// The player is in this hunt from now on (or in none), at its beginning.
    pub(crate) fn join(&mut self, slot: usize, hunt: u16, team: u8) {
        let edition = self.hunts.get(hunt as usize).map_or(0, |hunt| hunt.edition);
        let player = &mut self.players[slot];
        self.guidance.hunter_left(player);
        player.hunt = if (hunt as usize) < HUNTS { hunt as u8 } else { NO_STAGE };
        (player.edition, player.team) = (edition, team);
        (player.progress, player.score, player.since) = (0, 0, 0);
        (player.target, player.hints) = (NO_STAGE, 0);
    }

    #[inline]
    fn go<S: Sink>(&mut self, slot: usize, record: &Move, sink: &mut S) -> Result<Taken, Code> {
        let (from, to) = (record.from, record.to);
        if from >= self.header.nodes || to >= self.header.nodes {
            return Err(Code::UnknownNode);
        }
        if self.players[slot].node != from {
            return Err(Code::WrongNode);
        }
        let edge = self.find_edge(from, to)?;
        if self.is_closed(edge) {
            return Err(Code::EdgeClosed);
        }
        self.check_border(to)?;
        self.players[slot].node = to;
        let player = record.player;
        sink.event(&Event {
            kind: event::WENT,
            player,
            from,
            to,
            edge: edge as u32,
            ..self.event()
        });
        let old = self.topology.edges.state(edge);
        self.journal.edge(edge, old);
        self.heat_up(edge, old, (from, to), sink);
        if to >= self.header.own_nodes {
            self.hand_over(slot, sink);
            return Ok(Taken::NOTHING);
        }
        let found = self.arrive(slot, sink);
        Ok(Taken { found, ..Taken::NOTHING })
    }

    fn leave<S: Sink>(&mut self, slot: usize, sink: &mut S) -> Taken {
        let player = &mut self.players[slot];
        player.present = 0;
        let (id, node) = (player.id, player.node);
        self.header.present -= 1;
        sink.event(&Event { kind: event::LEFT, player: id, from: node, ..self.event() });
        Taken::NOTHING
    }

    /// The player's hunt, if it is open.
    fn open_hunt(&self, slot: usize) -> Result<usize, Code> {
        let hunt = self.players[slot].hunt as usize;
        match self.hunts.get(hunt).map(|hunt| hunt.state) {
            None => Err(Code::UnknownHunt),
            Some(state::OPEN) => Ok(hunt),
            Some(state::PAUSED) => Err(Code::HuntPaused),
            Some(_) => Err(Code::HuntNotOpen),
        }
    }

    fn claim<S: Sink>(&mut self, slot: usize, record: &Move, sink: &mut S) -> Result<Taken, Code> {
        let at = self.open_hunt(slot)?;
        let node = self.players[slot].node;
        let mut first_verdict = Code::NothingHere;
        for number in 0..self.hunts[at].stages {
            let stage = &self.hunts[at].stage[number as usize];
            let named = record.arg == NONE || record.arg == number as u32;
            if stage.form != form::TREASURE || stage.node != node || !named {
                continue;
            }
            match self.verdict(slot, at, number) {
                Ok(()) => return Ok(self.win_treasure(slot, at, number, sink)),
                Err(code) if first_verdict == Code::NothingHere => first_verdict = code,
                Err(_) => {}
            }
        }
        Err(first_verdict)
    }

    /// The player wins this treasure, which it may.
    pub(crate) fn win_treasure<S: Sink>(
        &mut self,
        slot: usize,
        at: usize,
        number: u8,
        sink: &mut S,
    ) -> Taken {
        self.credit_and_tell(slot, at, number);
        let receipt = self.next_receipt(slot, at, number);
        let Player { id: player, team, .. } = self.players[slot];
        let node = self.hunts[at].stage[number as usize].node;
        sink.event(&Event {
            kind: event::CLAIMED,
            flags: team,
            player,
            hunt: at as u16,
            to: node,
            value: number as u32,
            a: receipt.serial,
            ..self.event()
        });
        self.flip_gates(at, number, sink);
        self.last_receipt = receipt;
        Taken { found: number, flags: flag::RECEIPT, ..Taken::NOTHING }
    }

    /// The next link of the receipts' chain (rules, section 7).
    fn next_receipt(&mut self, slot: usize, at: usize, stage: u8) -> Receipt {
        self.header.serial += 1;
        let mut receipt = Receipt {
            kind: kind::RECEIPT,
            stage,
            hunt: at as u16,
            tick: self.header.tick,
            player: self.players[slot].id,
            position: self.header.position,
            serial: self.header.serial,
            hash: [0; 32],
        };
        let mut message = [0u8; 64];
        for (bytes, word) in message.chunks_exact_mut(8).zip(self.header.chain) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        message[32..].copy_from_slice(&receipt.encode()[..32]);
        receipt.hash = sha256(&message);
        for (word, b) in self.header.chain.iter_mut().zip(receipt.hash.chunks_exact(8)) {
            *word = u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
        }
        receipt
    }

    fn hint<S: Sink>(&mut self, slot: usize, sink: &mut S) -> Result<Taken, Code> {
        let at = self.open_hunt(slot)?;
        let player = self.players[slot];
        if player.target == NO_STAGE {
            return Err(Code::NoHint);
        }
        let stage = &self.hunts[at].stage[player.target as usize];
        let next = player.hints as usize;
        if next >= stage.hints_len as usize {
            return Err(Code::NoHint);
        }
        let due = player.since as u64 + stage.hint_delay[next] as u64;
        if (self.hunts[at].elapsed_ticks as u64) < due {
            return Err(Code::HintEarly);
        }
        let cost = stage.hint_cost[next];
        let player = &mut self.players[slot];
        player.score = player.score.wrapping_sub_unsigned(cost);
        player.hints += 1;
        let (id, hints, value) = (player.id, player.hints, player.target as u32);
        sink.event(&Event {
            kind: event::HINTED,
            player: id,
            hunt: at as u16,
            value,
            ..self.event()
        });
        Ok(Taken { hint: hints, ..Taken::NOTHING })
    }
}
