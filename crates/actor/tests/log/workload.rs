//! A deterministic life of a log: appends, commits, drops; and the ledger of what was promised.

use huntgraph_actor::disk::SimulatedDisk;
use huntgraph_actor::log::{
    self, LogError, LogOptions, LogReader, Logger, RawRecord, Recovered, Turn, Worker,
};

pub const WORLD: u64 = 0x1234_5678_9abc_def0;
pub const PARTITION: u16 = 7;

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

pub fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 32 << 10,
        queue_records: 128,
        slice_bytes: 8 << 10,
        space_retry_ms: 1,
        ..LogOptions::new(PARTITION, WORLD)
    }
}

/// The record that `position` gets in life number `life`.
pub fn record(position: u64, life: u64) -> RawRecord {
    let mut random = Random(position ^ (life << 40));
    let mut record = [0; 64];
    for word in record.as_chunks_mut::<8>().0 {
        *word = random.next().to_le_bytes();
    }
    record[..8].copy_from_slice(&position.to_le_bytes());
    record
}

/// What was handed to the log and what it promised.
#[derive(Clone, Default)]
pub struct Ledger {
    /// Life that wrote position `i + 1`.
    pub lives: Vec<u64>,
    /// Greatest watermark seen.
    pub durable: u64,
    /// Greatest position asked to be dropped.
    pub dropped: u64,
}

impl Ledger {
    /// Appends up to `count` records, as many as there is room for.
    pub fn append(&mut self, logger: &mut Logger, life: u64, count: usize) {
        let count = count.min(logger.room());
        let first = self.lives.len() as u64 + 1;
        let records: Vec<_> = (first..).take(count).map(|p| record(p, life)).collect();
        if let Ok(position) = logger.append(&records, first * 10) {
            assert_eq!(position, first);
            self.lives.extend(std::iter::repeat_n(life, count));
        }
    }

    /// Reads the whole log and compares; then what was not recovered is forgotten.
    pub fn check(&mut self, disk: &SimulatedDisk, found: &Recovered) -> Result<(), String> {
        if found.durable < self.durable {
            return Err(format!("lost {}..={}", found.durable + 1, self.durable));
        }
        if found.durable > self.lives.len() as u64 {
            return Err(format!("{} records out of nothing", found.durable));
        }
        if found.first_position > self.dropped + 1 {
            return Err(format!("first {} > {}", found.first_position, self.dropped + 1));
        }
        let from = found.first_position;
        let mut reader = reader(disk, from).map_err(|e| e.to_string())?;
        let mut position = from;
        while let Some(block) = reader.next_block().map_err(|e| e.to_string())? {
            if block.first_position != position {
                return Err(format!("{} after {position}", block.first_position));
            }
            for found in block.records {
                let life = self.lives[position as usize - 1];
                if *found != record(position, life) {
                    return Err(format!("record {position} of life {life} is altered"));
                }
                position += 1;
            }
        }
        if position != found.next_position {
            return Err(format!("reader ends at {position}, not {}", found.next_position));
        }
        self.lives.truncate(found.durable as usize);
        self.durable = found.durable;
        Ok(())
    }
}

pub fn reader(disk: &SimulatedDisk, from: u64) -> Result<LogReader<SimulatedDisk>, LogError> {
    LogReader::open(disk.clone(), PARTITION, WORLD, from)
}

pub fn open(disk: &SimulatedDisk) -> Result<(Recovered, Logger, Worker<SimulatedDisk>), LogError> {
    log::open(disk.clone(), &options())
}

/// Turns until nothing is left to do; whether the log is alive.
pub fn settle(worker: &mut Worker<SimulatedDisk>) -> bool {
    loop {
        match worker.turn() {
            Turn::Again => {}
            Turn::Idle | Turn::Within(_) => return true,
            Turn::Closed | Turn::Failed => return false,
        }
    }
}

/// Opens the log and works for `rounds`; leaves without closing when the disk fails.
pub fn live(
    disk: &SimulatedDisk,
    ledger: &mut Ledger,
    life: u64,
    rounds: usize,
) -> Result<(), LogError> {
    let (found, mut logger, mut worker) = open(disk)?;
    // What a crash left beyond the promises may be gone.
    ledger.lives.truncate(found.durable as usize);
    ledger.durable = ledger.durable.max(found.durable);
    let mut random = Random(life);
    for _ in 0..rounds {
        ledger.append(&mut logger, life, 1 + random.below(90));
        logger.commit();
        for _ in 0..random.below(6) {
            let turn = worker.turn();
            ledger.durable = ledger.durable.max(logger.durable());
            if turn == Turn::Failed {
                return Ok(());
            }
        }
        if random.below(3) == 0 {
            let through = ledger.durable.saturating_sub(random.below(60) as u64);
            ledger.dropped = ledger.dropped.max(through);
            logger.drop_through(through);
        }
    }
    settle(&mut worker);
    ledger.durable = ledger.durable.max(logger.durable());
    Ok(())
}
