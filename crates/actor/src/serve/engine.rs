//! Partition, log and ring as one: what a batch of records does to all three.

use std::collections::VecDeque;
use std::time::Instant;

use huntgraph_core::Partition;
use huntgraph_core::schema::{Code, Move, NONE, Update, kind};

use super::boot::wall_ms;
use super::emit::{Emit, Tally};
use super::hold::Hold;
use super::session::POPULATED_BYTES;
use crate::counters::Histogram;
use crate::frame::FRAME_BYTES;
use crate::log::{Logger, RawRecord};
use crate::page_faults::populate;
use crate::ring::RingWriter;

/// Frames whose durability is timed at once; further ones go untimed.
const TIMED: usize = 1024;
/// Records kept free in the log for ticks and hashes.
pub(super) const RESERVED: usize = 64;

/// The partition and where its records and events go.
pub struct Engine {
    /// The image at work.
    pub partition: Partition<'static>,
    /// The log.
    pub logger: Logger,
    /// The ring.
    pub ring: RingWriter,
    /// Counts since the last tick.
    pub tally: Tally,
    /// Who holds moves and ticks back.
    pub(super) hold: Hold,
    /// How long a frame's records take to be applied and appended.
    apply_time: Histogram,
    batch: Vec<RawRecord>,
    pub(super) urgent: bool,
    nowhere: Vec<u8>,
    applied: VecDeque<(u64, Instant)>,
}

impl Engine {
    /// Joins the three; the log must stand where the partition stands.
    pub fn new(
        partition: Partition<'static>,
        logger: Logger,
        ring: RingWriter,
        apply_time: Histogram,
    ) -> Self {
        assert_eq!(
            partition.header.position + 1,
            logger.next_position(),
            "log and image must agree"
        );
        let batch: Vec<RawRecord> = Vec::with_capacity(FRAME_BYTES / 64);
        let applied: VecDeque<(u64, Instant)> = VecDeque::with_capacity(TIMED);
        populate(batch.as_ptr().cast(), POPULATED_BYTES);
        populate(applied.as_slices().0.as_ptr().cast(), TIMED * size_of::<(u64, Instant)>());
        let hold = Hold::after_restart(partition.header.correction);
        Self {
            partition,
            logger,
            ring,
            tally: Tally::NONE,
            hold,
            apply_time,
            batch,
            urgent: false,
            nowhere: Vec::new(),
            applied,
        }
    }

    /// Whether the log will have room for so many records soon: they had better wait.
    pub fn must_wait(&self, count: usize) -> bool {
        let stopped = self.logger.failed().is_some() || self.logger.no_space();
        !stopped && self.logger.room() < count + RESERVED
    }

    /// Why records cannot be taken in, if so.
    fn refusal(&self, count: usize) -> Option<Code> {
        if self.logger.failed().is_some() {
            Some(Code::LogFailed)
        } else if self.logger.room() < count + RESERVED {
            Some(Code::LogFull)
        } else {
            None
        }
    }

    /// Hands what was appended to the log's thread; ticks alone only when all must go. To be
    /// called after the answers were sent: waking the thread costs as much as the moves of a frame.
    pub fn commit(&mut self, all: bool) {
        if std::mem::take(&mut self.urgent) || all {
            self.logger.commit();
        }
    }

    /// Applies records in order and appends their answers to `out`. All are answered; when the log
    /// has no room for all of them, none is applied and each is answered with the reason.
    pub fn apply(&mut self, records: &[RawRecord], out: &mut Vec<u8>, now: Instant) {
        if let Some(code) = self.refusal(records.len()) {
            return self.refuse(records, code, out);
        }
        let started = Instant::now();
        let correction = self.partition.header.correction;
        self.batch.clear();
        let Self { partition, ring, tally, batch, .. } = self;
        let mut emit = Emit { ring, out, log: batch, tally };
        partition.apply_batch(records, &mut emit, |emit, raw, answer, receipt| {
            emit.answer(raw, answer, receipt)
        });
        ring.show();
        if self.partition.header.correction != correction || correction != 0 {
            self.hold.note(&self.batch);
        }
        self.append(now);
        self.apply_time.record(started.elapsed().as_nanos() as u64);
    }

    /// Answers records that are not taken in.
    pub fn refuse(&mut self, records: &[RawRecord], code: Code, out: &mut Vec<u8>) {
        for raw in records {
            let record = Move::decode(raw);
            let update = Update {
                kind: record.kind,
                code: code as u16,
                player: record.player,
                echo: record.echo,
                tick: self.partition.header.tick,
                node: NONE,
                next: NONE,
                distance: NONE,
                target: NONE,
                stage: u8::MAX,
                found: u8::MAX,
                ..Update::default()
            };
            out.extend_from_slice(&update.encode());
        }
        self.tally.codes[code as usize] += records.len() as u32;
    }

    /// One tick of logged time; `false` when the log has no room and time stands still.
    pub fn tick(&mut self, with_hash: bool, now: Instant) -> bool {
        if self.logger.failed().is_some() || self.logger.room() < 2 {
            return false;
        }
        let arg = self.partition.header.tick + 1;
        self.own(&Move { kind: kind::TICK, arg, time_ms: wall_ms(), ..Move::default() }.encode());
        if with_hash {
            let a = self.partition.state_hash();
            self.own(&Move { kind: kind::HASH, a, ..Move::default() }.encode());
            self.append(now);
            return true;
        }
        // Ticks alone are in no hurry to be durable: they go with the next moves or the hash.
        self.append_quietly();
        true
    }

    /// Logs that a partition holds all parcels up to a number; not when the log has no room, nor
    /// while a correction is under way.
    pub fn hand_on(&mut self, partition: u16, number: u64) {
        let room = self.logger.failed().is_none() && self.logger.room() >= RESERVED;
        if room && !self.is_fenced() {
            let arg = partition as u32;
            self.own(&Move { kind: kind::HANDED_ON, arg, a: number, ..Move::default() }.encode());
            // In no hurry: until it is durable, a restart sends parcels again.
            self.append_quietly();
            self.urgent |= self.is_held();
        }
    }

    pub(super) fn own(&mut self, raw: &RawRecord) {
        let Self { partition, ring, tally, batch, nowhere, .. } = self;
        let mut emit = Emit { ring, out: nowhere, log: batch, tally };
        let answer = partition.apply(raw, &mut emit);
        ring.show();
        assert!(answer.logged, "the actor's own records are always in order");
        batch.push(*raw);
    }

    fn append(&mut self, now: Instant) {
        if self.batch.is_empty() {
            return;
        }
        self.append_urgently();
        if self.applied.len() < TIMED {
            self.applied.push_back((self.partition.header.position, now));
        }
    }

    /// Appends what is to be durable soon.
    pub(super) fn append_urgently(&mut self) {
        self.append_quietly();
        self.urgent = true;
    }

    fn append_quietly(&mut self) {
        let first = self.logger.append(&self.batch, wall_ms());
        let wanted = self.partition.header.position + 1 - self.batch.len() as u64;
        // Room was checked before anything was applied; a log that fails in between has stopped,
        // and the caller sees that before any answer leaves.
        assert!(first.as_ref().map_or(true, |&first| first == wanted), "log and image must agree");
        self.batch.clear();
    }

    /// Reports how long each frame took to become durable, now that `durable` is.
    pub fn settle(&mut self, durable: u64, now: Instant, mut report: impl FnMut(u64)) {
        while let Some(&(position, since)) = self.applied.front()
            && position <= durable
        {
            self.applied.pop_front();
            report(now.duration_since(since).as_nanos() as u64);
        }
    }
}
