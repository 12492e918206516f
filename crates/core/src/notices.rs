//! Notices: what partitions tell each other of the stages of a hunt they share (rules, section 11).

use crate::apply::{Answer, Sink};
use crate::border::Peer;
use crate::history::Section;
use crate::image::Partition;
use crate::schema::{Event, Move, NONE, Notice, PEERS, Rule, event, kind, state};

impl Partition<'_> {
    /// Node of a stage row: an own one; of a stage elsewhere its copy in the halo, or NONE.
    pub(crate) fn node_of(&self, row: &Rule) -> Option<u32> {
        if row.owner == 0 {
            return Some(row.from).filter(|&node| node < self.header.own_nodes);
        }
        let mut halo = self.border.owner.iter().zip(self.border.twin.iter());
        let copy =
            halo.position(|(&owner, &twin)| owner as u32 + 1 == row.owner && twin == row.from);
        Some(copy.map_or(NONE, |at| self.header.own_nodes + at as u32))
    }

    /// Whether a stage row may name this owner: another partition, or none.
    pub(crate) fn may_own(&self, owner: u32) -> bool {
        owner <= PEERS as u32 && owner != self.border.partition() as u32 + 1
    }

    /// Partitions that have to be told when this team finds or wins a stage now, as bits.
    fn to_tell(&self, at: usize, number: u8, team: u8) -> u64 {
        let hunt = &self.hunts[at];
        let stage = &hunt.stage[number as usize];
        let news = stage.wins == 0
            || stage.team_bits >> team & 1 == 0
            || stage.wins.checked_add(1) == Some(stage.stock);
        if news { hunt.partitions } else { 0 }
    }

    /// Whether the outbox has room for the notices of a find or a win.
    pub(crate) fn can_tell(&self, at: usize, number: u8, team: u8) -> bool {
        self.to_tell(at, number, team).count_ones() <= self.border.room()
    }

    /// Books a find or a win, and tells the partitions that have to know.
    pub(crate) fn credit_and_tell(&mut self, slot: usize, at: usize, number: u8) {
        let mut partitions = self.to_tell(at, number, self.players[slot].team);
        self.credit(slot, at, number);
        let hunt = &self.hunts[at];
        let stage = &hunt.stage[number as usize];
        let mut notice = Notice {
            kind: kind::NOTICE,
            from: self.border.partition(),
            wins: stage.wins,
            winner: stage.winner,
            cause: self.header.position,
            team_bits: stage.team_bits,
            hunt_id: hunt.hunt_id as u32,
            hunt: at as u8,
            stage: number,
            ..Notice::default()
        };
        while partitions != 0 {
            let partition = partitions.trailing_zeros() as u16;
            partitions &= partitions - 1;
            notice.number = self.border.next_number(partition);
            self.keep_outbox(partition);
            let cells = self.border.put(partition, notice.number, notice.encode());
            self.header.cells = self.header.cells.wrapping_add(cells);
        }
    }

    /// Takes what another partition tells of one of its stages.
    pub(crate) fn take_notice<S: Sink>(&mut self, record: &Notice, sink: &mut S) -> Answer {
        let outcome = self.border.check_parcel(record.from, record.number);
        if outcome.is_ok() {
            self.header.position += 1;
            self.keep::<Peer>(Section::Peers, record.from as usize, 1);
            self.border.count_taken(record.from);
            self.note_stage(record, sink);
        }
        self.answer_parcel(&Move { kind: record.kind, ..Move::default() }, record.from, outcome)
    }

    /// Books what is told, if it is of a stage of the same hunt that is the teller's.
    fn note_stage<S: Sink>(&mut self, record: &Notice, sink: &mut S) {
        let (at, number) = (record.hunt as usize, record.stage as usize);
        let Some(hunt) = self.hunts.get(at) else { return };
        let loaded = !matches!(hunt.state, state::EMPTY | state::LOADING);
        let same = loaded && hunt.hunt_id as u32 == record.hunt_id;
        let known = record.stage < hunt.stages;
        if !same || !known || hunt.stage[number].owner as u16 != record.from + 1 {
            return;
        }
        self.keep_stage(at, number);
        self.keep_hunt(at);
        let hunt = &mut self.hunts[at];
        let stage = &mut hunt.stage[number];
        let first = stage.wins == 0;
        (stage.wins, stage.team_bits) = (record.wins, record.team_bits);
        (stage.winner, stage.position) = (record.winner, record.cause);
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        hunt.revise();
        sink.event(&Event {
            kind: event::NOTED,
            player: record.winner,
            hunt: at as u16,
            value: number as u32,
            a: record.wins as u64,
            ..self.event()
        });
        if first && running {
            self.turn_gates(at, record.stage, sink);
        }
    }
}
