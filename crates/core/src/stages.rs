//! Stages: arriving at clues, who may win what, gates and the next target (rules, section 5).

use crate::apply::Sink;
use crate::hunts::{Hunt, Stage, place};
use crate::image::Partition;
use crate::players::NO_STAGE;
use crate::schema::{Code, Event, event, form, rule, state};

impl Stage {
    fn in_window(&self, elapsed_ticks: u32) -> bool {
        self.opens <= elapsed_ticks && (self.closes == 0 || elapsed_ticks < self.closes)
    }

    fn is_unlocked(&self, progress: u64) -> bool {
        let needs = &self.needs[..self.needs_len as usize];
        needs.is_empty() || needs.iter().any(|&mask| mask & !progress == 0)
    }

    fn is_used_up(&self) -> bool {
        self.stock > 0 && self.wins >= self.stock
    }

    fn is_taken(&self) -> bool {
        (self.rule == rule::EXCLUSIVE && self.wins > 0) || self.is_used_up()
    }

    fn is_won_by(&self, team: u8) -> bool {
        self.rule == rule::TEAM && self.team_bits >> team & 1 == 1
    }
}

impl Hunt {
    /// The lowest stage that is still to do for a player with this progress and team.
    fn next_stage(&self, progress: u64, team: u8) -> u8 {
        let stages = self.stage[..self.stages as usize].iter().enumerate();
        let mut open = stages.filter(|&(number, stage)| {
            progress >> number & 1 == 0
                && stage.in_window(self.elapsed_ticks)
                && !stage.is_taken()
                && !stage.is_won_by(team)
                && stage.is_unlocked(progress)
        });
        open.next().map_or(NO_STAGE, |(number, _)| number as u8)
    }
}

impl Partition<'_> {
    /// Whether the player may win this treasure now; else the first reason against it.
    pub(crate) fn verdict(&self, slot: usize, at: usize, number: u8) -> Result<(), Code> {
        let (player, hunt) = (&self.players[slot], &self.hunts[at]);
        let stage = &hunt.stage[number as usize];
        if player.progress >> number & 1 == 1 {
            Err(Code::AlreadyWon)
        } else if !stage.is_unlocked(player.progress) {
            Err(Code::Locked)
        } else if !stage.in_window(hunt.elapsed_ticks) {
            Err(Code::NotInWindow)
        } else if stage.is_won_by(player.team) {
            Err(Code::TeamWon)
        } else if stage.is_taken() {
            Err(Code::Taken)
        } else if !self.can_tell(at, number, player.team) {
            Err(Code::BorderFull)
        } else {
            Ok(())
        }
    }

    /// Finds the clues at the player's node; the number of the last one found.
    #[inline]
    pub(crate) fn arrive<S: Sink>(&mut self, slot: usize, sink: &mut S) -> u8 {
        let at = self.players[slot].hunt as usize;
        let node = self.players[slot].node;
        let mut found = NO_STAGE;
        let (word, bit) = place(node);
        let may_be = |hunt: &Hunt| hunt.state == state::OPEN && hunt.clue_places[word] & bit != 0;
        if !self.hunts.get(at).is_some_and(may_be) {
            return found;
        }
        for number in 0..self.hunts[at].stages {
            let hunt = &self.hunts[at];
            let stage = &hunt.stage[number as usize];
            if stage.node != node || stage.form != form::CLUE {
                continue;
            }
            let progress = self.players[slot].progress;
            let open = stage.in_window(hunt.elapsed_ticks) && !stage.is_used_up();
            let missing = progress >> number & 1 == 0 && stage.is_unlocked(progress);
            if open && missing && self.can_tell(at, number, self.players[slot].team) {
                self.credit_and_tell(slot, at, number);
                self.tell_found(slot, at, number, sink);
                self.flip_gates(at, number, sink);
                found = number;
            }
        }
        found
    }

    fn tell_found<S: Sink>(&self, slot: usize, at: usize, number: u8, sink: &mut S) {
        let player = &self.players[slot];
        sink.event(&Event {
            kind: event::FOUND,
            player: player.id,
            hunt: at as u16,
            to: player.node,
            value: number as u32,
            ..self.event()
        });
    }

    /// Books a stage as found or won by a player.
    pub(crate) fn credit(&mut self, slot: usize, at: usize, number: u8) {
        self.keep_stage(at, number as usize);
        self.keep_hunt(at);
        let stage = &mut self.hunts[at].stage[number as usize];
        let player = &mut self.players[slot];
        player.progress |= 1 << number;
        player.score = player.score.wrapping_add_unsigned(stage.points);
        stage.wins = stage.wins.saturating_add(1);
        stage.team_bits |= 1 << player.team;
        (stage.winner, stage.position) = (player.id, self.header.position);
        self.hunts[at].revise();
    }

    /// After a win: gates turn if it was the first of its stage, and the hunt runs.
    pub(crate) fn flip_gates<S: Sink>(&mut self, at: usize, number: u8, sink: &mut S) {
        let running = matches!(self.hunts[at].state, state::OPEN | state::PAUSED);
        if running && self.hunts[at].stage[number as usize].wins == 1 {
            self.turn_gates(at, number, sink);
        }
    }

    /// Gates that have this stage in their mask, and all of whose stages have been won, take their
    /// other position.
    pub(crate) fn turn_gates<S: Sink>(&mut self, at: usize, number: u8, sink: &mut S) {
        for gate in 0..self.hunts[at].gates as usize {
            let hunt = &self.hunts[at];
            let (mask, starts_shut) = (hunt.gate[gate].mask, hunt.gate[gate].starts_shut == 1);
            let won = |stage: usize| hunt.stage.get(stage).is_some_and(|stage| stage.wins > 0);
            let whole = (0..64).all(|stage| mask >> stage & 1 == 0 || won(stage));
            if mask >> number & 1 == 1 && whole {
                self.set_gate(at, gate, !starts_shut, sink);
            }
        }
    }

    /// Whether the player's hunt changed since its target was looked for.
    #[inline(always)]
    pub(crate) fn is_revised(&self, slot: usize) -> bool {
        let player = &self.players[slot];
        let hunt = self.hunts.get(player.hunt as usize);
        hunt.map_or(0, |hunt| hunt.revision) != player.revision
    }

    /// Sets the player's target to the lowest stage still to do.
    #[inline]
    pub(crate) fn retarget(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        let hunt = self.hunts.get(player.hunt as usize);
        player.revision = hunt.map_or(0, |hunt| hunt.revision);
        let running = hunt.filter(|hunt| matches!(hunt.state, state::OPEN | state::PAUSED));
        let (target, elapsed_ticks) = match running {
            Some(hunt) if player.present == 1 => {
                (hunt.next_stage(player.progress, player.team), hunt.elapsed_ticks)
            }
            _ => (NO_STAGE, 0),
        };
        if target == player.target {
            return;
        }
        self.guidance.hunter_left(player);
        let player = &mut self.players[slot];
        (player.target, player.hints) = (target, 0);
        player.since = if target == NO_STAGE { 0 } else { elapsed_ticks };
        if target != NO_STAGE {
            let player = self.players[slot];
            let node = self.hunts[player.hunt as usize].stage[target as usize].node;
            self.guidance.hunter_came(&player, node);
        }
    }
}
