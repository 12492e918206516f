//! GRANT: in a fork, a win that its original winner keeps (rules, section 12).

use crate::apply::{Answer, Sink};
use crate::history::Section;
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{Code, Move, form, state};

impl Partition<'_> {
    /// Gives a treasure to a player, wherever it stands.
    pub(crate) fn grant<S: Sink>(&mut self, record: &Move, sink: &mut S) -> Answer {
        let slot = match self.check_grant(record) {
            Ok(slot) => slot,
            Err(code) => return self.refuse(record, code),
        };
        self.header.position += 1;
        let before = self.players[slot];
        self.keep::<Player>(Section::Players, slot, 1);
        if !self.is_in(slot, record.hunt) {
            self.join(slot, record.hunt, record.from as u8);
        }
        let taken = self.win_treasure(slot, record.hunt as usize, record.arg as u8, sink);
        self.retarget(slot);
        self.player_changed(slot, Some(&before));
        let position = self.header.position;
        let mut answer = self.answer(slot, record, Code::Ok as u16, position, taken);
        answer.logged = true;
        answer
    }

    /// The player's slot, if the treasure can be given to it.
    fn check_grant(&self, record: &Move) -> Result<usize, Code> {
        let at = record.hunt as usize;
        let hunt = self.hunts.get(at).ok_or(Code::UnknownHunt)?;
        match hunt.state {
            state::EMPTY | state::LOADING => return Err(Code::UnknownHunt),
            state::READY => return Err(Code::HuntNotOpen),
            _ => {}
        }
        let slot = self.player_slot(record.player).ok_or(Code::UnknownPlayer)?;
        let number = record.arg;
        let stage = hunt.stage[..hunt.stages as usize].get(number as usize);
        let here = stage.is_some_and(|stage| stage.form == form::TREASURE && stage.owner == 0);
        if !here {
            return Err(Code::NothingHere);
        }
        let (player, joins) = (&self.players[slot], !self.is_in(slot, record.hunt));
        if joins && record.from >= hunt.teams.max(1) as u32 {
            return Err(Code::BadTeam);
        }
        if !joins && player.progress >> number & 1 == 1 {
            return Err(Code::AlreadyWon);
        }
        let team = if joins { record.from as u8 } else { player.team };
        if !self.can_tell(at, number as u8, team) {
            return Err(Code::BorderFull);
        }
        Ok(slot)
    }
}
