//! The way of a record: decode, check, change, answer (rules, section 2).

use crate::guidance::Place;
use crate::history::Section;
use crate::image::Partition;
use crate::players::{NO_STAGE, Player};
use crate::schema::{
    Arrival, Code, Correction, Event, Move, NONE, Notice, Receipt, Rule, Update, event, flag, kind,
};

/// Takes what a partition emits beside its answers: the events of the ring.
pub trait Sink {
    /// Whether anybody reads of new weights (DELTA): where their edges are is found out for that.
    const DELTAS: bool = true;
    /// Whether anybody reads more of answers than whether the record was logged.
    const ANSWERS: bool = true;
    /// Whether the partition may have a journal: where it has none, no step looks for it.
    const JOURNAL: bool = true;

    /// One event; its `stamp` is left to the ring.
    fn event(&mut self, event: &Event);
}

/// Drops all events.
impl Sink for () {
    const DELTAS: bool = false;

    fn event(&mut self, _: &Event) {}
}

/// Drops all events and wants no answers: for replays of which only the state counts.
pub struct Silence;

impl Sink for Silence {
    const DELTAS: bool = false;
    const ANSWERS: bool = false;

    fn event(&mut self, _: &Event) {}
}

/// What a record led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer to whoever sent it. With [`flag::RECEIPT`] the proof is [`Partition::receipt`]
    /// until the next record.
    pub update: Update,
    /// The record took a position: it must be written to the log.
    pub logged: bool,
}

/// What taking a move came to, before it is written into an update.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    pub found: u8,
    pub hint: u8,
    /// Flag bits of the update.
    pub flags: u8,
}

impl Taken {
    pub(crate) const NOTHING: Self = Self { found: NO_STAGE, hint: 0, flags: 0 };
}

impl Partition<'_> {
    /// The receipt that goes with an answer just given.
    #[inline]
    pub fn receipt(&self, answer: &Answer) -> Option<&Receipt> {
        let won = answer.update.flags & flag::RECEIPT != 0;
        won.then_some(&self.last_receipt)
    }

    /// Applies one 64-byte record: a move, a row of a hunt, a tick. Records that are refused
    /// without a position change nothing.
    #[inline]
    pub fn apply<S: Sink>(&mut self, raw: &[u8; 64], sink: &mut S) -> Answer {
        assert!(S::JOURNAL || !self.journal.is_on(), "what has a journal keeps it");
        let plain = self.stride(raw, self.find_ahead(raw), sink);
        plain.unwrap_or_else(|| self.apply_other(raw, sink))
    }

    /// Applies a record that is no plain step.
    #[inline(never)]
    pub(crate) fn apply_other<S: Sink>(&mut self, raw: &[u8; 64], sink: &mut S) -> Answer {
        if self.is_fenced(raw[0]) {
            return self.refuse_fenced(raw);
        }
        match raw[0] {
            kind::ENTER..=kind::STRIKE => self.player_move(&Move::decode(raw), sink),
            _ => self.other_record(raw, sink),
        }
    }

    fn other_record<S: Sink>(&mut self, raw: &[u8; 64], sink: &mut S) -> Answer {
        self.keep_record();
        match raw[0] {
            kind::GRANT => self.grant(&Move::decode(raw), sink),
            kind::HUNT_BEGIN..=kind::HUNT_PUBLISH => self.hunt_row(&Rule::decode(raw), sink),
            kind::ARRIVE => self.take_arrival(&Arrival::decode(raw), sink),
            kind::NOTICE => self.take_notice(&Notice::decode(raw), sink),
            kind::FENCE..=kind::SETTLE => self.take_correction(&Correction::decode(raw), sink),
            _ => self.other_move(&Move { player: 0, ..Move::decode(raw) }, sink),
        }
    }

    fn player_move<S: Sink>(&mut self, record: &Move, sink: &mut S) -> Answer {
        self.keep_record();
        let Some(slot) = self.player_slot(record.player) else {
            return match self.admit(record) {
                Ok(slot) => self.take(slot, None, record, sink),
                Err(code) => self.refuse(record, code),
            };
        };
        let last = self.players[slot].seq;
        let moves = record.kind != kind::STRIKE;
        if record.seq > last && self.players[slot].away != 0 && moves {
            return self.answer(slot, record, Code::Moved as u16, 0, Taken::NOTHING);
        }
        if last.checked_add(1) == Some(record.seq) {
            let before = self.players[slot];
            self.keep::<Player>(Section::Players, slot, 1);
            return self.take(slot, Some(before), record, sink);
        }
        if record.seq > last {
            return self.answer(slot, record, Code::SeqGap as u16, 0, Taken::NOTHING);
        }
        let (code, position) = if record.seq == last {
            (self.players[slot].last_code(), self.players[slot].last_position)
        } else {
            (Code::Duplicate as u16, 0)
        };
        let again = Taken { flags: flag::DUPLICATE, ..Taken::NOTHING };
        self.answer(slot, record, code, position, again)
    }

    /// The move is next in the player's order: it takes a position whatever comes of it.
    fn take<S: Sink>(
        &mut self,
        slot: usize,
        before: Option<Player>,
        record: &Move,
        sink: &mut S,
    ) -> Answer {
        self.header.position += 1;
        self.players[slot].seq = record.seq;
        self.leave_old_edition(slot);
        let outcome = self.act(slot, record, sink);
        let stays = record.kind == kind::GO && self.players[slot].present == 1;
        if !stays || self.is_revised(slot) {
            self.retarget(slot);
        }
        let position = self.header.position;
        let code = outcome.as_ref().err().map_or(Code::Ok, |&code| code);
        let player = &mut self.players[slot];
        player.set_last_code(code as u16);
        player.last_position = position;
        self.player_changed(slot, before.as_ref());
        if code != Code::Ok {
            self.tell_refusal(record, code, sink);
        }
        let taken = outcome.unwrap_or(Taken::NOTHING);
        let mut answer = self.answer(slot, record, code as u16, position, taken);
        answer.logged = true;
        answer
    }

    fn tell_refusal<S: Sink>(&self, record: &Move, code: Code, sink: &mut S) {
        sink.event(&Event {
            kind: event::REFUSED,
            player: record.player,
            value: code as u32,
            ..self.event()
        });
    }

    fn hunt_row<S: Sink>(&mut self, row: &Rule, sink: &mut S) -> Answer {
        let outcome = self.load_row(row);
        if outcome.is_ok() {
            self.header.position += 1;
            if matches!(row.kind, kind::HUNT_BEGIN | kind::HUNT_PUBLISH) {
                self.tell_hunt(row.hunt as usize, sink);
            }
        }
        self.answer_plain(&Move { kind: row.kind, ..Move::default() }, outcome)
    }

    /// The event of a hunt's new state.
    pub(crate) fn tell_hunt<S: Sink>(&self, slot: usize, sink: &mut S) {
        let value = self.hunts[slot].state as u32;
        sink.event(&Event { kind: event::HUNT, hunt: slot as u16, value, ..self.event() });
    }

    fn other_move<S: Sink>(&mut self, record: &Move, sink: &mut S) -> Answer {
        let outcome = match record.kind {
            kind::EDGE_ADD => self.add_edge(record.from, record.to, record.arg, sink),
            kind::EDGE_CLOSE..=kind::EDGE_REMOVE => self.change_edge(record, sink),
            kind::HUNT_PAUSE..=kind::HUNT_CLOSE => {
                self.order_hunt(record).inspect(|()| self.header.position += 1)
            }
            kind::TICK if record.arg != self.header.tick.wrapping_add(1) => Err(Code::BadTick),
            kind::TICK => {
                self.header.position += 1;
                self.tick(sink);
                Ok(())
            }
            kind::HANDED_ON => self.take_receipt_of(record),
            kind::HASH => return self.compare_hash(record, sink),
            _ => Err(Code::BadKind),
        };
        self.answer_plain(record, outcome)
    }

    fn change_edge<S: Sink>(&mut self, record: &Move, sink: &mut S) -> Result<(), Code> {
        let edge = self.find_edge(record.from, record.to)?;
        if record.kind == kind::EDGE_PRICE {
            return self.price_edge(edge, record.arg, sink);
        }
        self.header.position += 1;
        match record.kind {
            kind::EDGE_REMOVE => self.remove_edge(edge, sink),
            _ => self.set_closed(edge, record.kind == kind::EDGE_CLOSE, sink),
        }
        Ok(())
    }

    fn compare_hash<S: Sink>(&mut self, record: &Move, sink: &mut S) -> Answer {
        let code = if record.a == self.state_hash() { Code::Ok } else { Code::HashMismatch };
        self.header.position += 1;
        if code != Code::Ok {
            self.tell_refusal(record, code, sink);
        }
        let mut answer = self.answer_plain(record, Ok(()));
        answer.update.code = code as u16;
        answer
    }

    /// An event of this moment; the emitter fills in what happened.
    #[inline]
    pub(crate) fn event(&self) -> Event {
        Event {
            position: self.header.position,
            tick: self.header.tick,
            hunt: u16::MAX,
            from: NONE,
            to: NONE,
            edge: NONE,
            ..Event::default()
        }
    }

    /// An answer about a known player, guidance included.
    #[inline(always)]
    pub(crate) fn answer(
        &mut self,
        slot: usize,
        record: &Move,
        code: u16,
        position: u64,
        taken: Taken,
    ) -> Answer {
        let player = self.players[slot];
        let Player { seq, node, score, .. } = player;
        let Taken { found, hint, flags } = taken;
        let blank = self.blank(record);
        let update = Update { flags, code, position, found, hint, seq, node, score, ..blank };
        let mut update = self.guide(&player, Place::UNKNOWN).into_update(update);
        self.tell_moved(slot, &mut update);
        Answer { update, logged: false }
    }

    /// An answer that concerns no player.
    pub(crate) fn answer_plain(&self, record: &Move, outcome: Result<(), Code>) -> Answer {
        match outcome {
            Ok(()) => {
                let update = Update { position: self.header.position, ..self.blank(record) };
                Answer { update, logged: true }
            }
            Err(code) => self.refuse(record, code),
        }
    }

    /// A refusal without a position: nothing has changed.
    pub(crate) fn refuse(&self, record: &Move, code: Code) -> Answer {
        let update = Update { code: code as u16, ..self.blank(record) };
        Answer { update, logged: false }
    }

    #[inline]
    pub(crate) fn blank(&self, record: &Move) -> Update {
        Update {
            kind: record.kind,
            player: record.player,
            echo: record.echo,
            tick: self.header.tick,
            node: NONE,
            next: NONE,
            distance: NONE,
            target: NONE,
            stage: NO_STAGE,
            found: NO_STAGE,
            ..Update::default()
        }
    }
}
