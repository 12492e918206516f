//! What the machine alone costs, measured in the same run as what stands on it.

use std::hint::black_box;
use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Report, Watch, failure, nanoseconds};
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::failure::Failure;

/// Bytes of the file that is written over and over.
const FLOOR_BYTES: u64 = 8 << 20;
/// A piece of work that takes always the same on an undisturbed core: its excess is the jitter.
const WORK: Duration = Duration::from_micros(20);

/// Fixed work of about [`WORK`], begun at set times: the latency of a frame that nothing but the
/// machine disturbs.
pub struct Jitter {
    rounds: u32,
    least_ns: u64,
}

impl Jitter {
    /// Finds how many rounds take [`WORK`] when undisturbed.
    pub fn new() -> Self {
        let trial = 10_000;
        let times = (0..50).map(|_| {
            let started = Instant::now();
            black_box(rounds(trial));
            nanoseconds(started.elapsed())
        });
        let least = times.min().unwrap_or(1).max(1);
        Self { rounds: (nanoseconds(WORK) * u64::from(trial) / least) as u32, least_ns: u64::MAX }
    }

    /// Waits, spinning, for `due`, works, and gives the time from `due` to the end.
    pub fn sample(&mut self, due: Instant) -> u64 {
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        black_box(rounds(self.rounds));
        let time_ns = nanoseconds(due.elapsed());
        self.least_ns = self.least_ns.min(time_ns);
        time_ns
    }

    /// What a piece that was due at `due` and is not begun any more would have taken at least.
    pub fn late(&self, due: Instant) -> u64 {
        nanoseconds(due.elapsed()) + self.least_ns.min(nanoseconds(WORK))
    }

    /// Turns samples into what each took beyond the least.
    pub fn excess(&self, samples_ns: &mut [u64]) {
        for sample in samples_ns {
            *sample -= self.least_ns.min(*sample);
        }
    }
}

/// Round trips of 64 bytes by plain UDP over the loopback, both ends on this thread.
pub fn udp_round_trips(count: usize) -> Result<Vec<u64>, Failure> {
    let io = |e: std::io::Error| failure(e, "a UDP socket on 127.0.0.1");
    let here = UdpSocket::bind("127.0.0.1:0").map_err(io)?;
    let there = UdpSocket::bind("127.0.0.1:0").map_err(io)?;
    here.connect(there.local_addr().map_err(io)?).map_err(io)?;
    there.connect(here.local_addr().map_err(io)?).map_err(io)?;
    let mut samples = Vec::with_capacity(count);
    let mut record = [7; 64];
    for _ in 0..count {
        let started = Instant::now();
        here.send(&record).map_err(io)?;
        there.recv(&mut record).map_err(io)?;
        there.send(&record).map_err(io)?;
        here.recv(&mut record).map_err(io)?;
        samples.push(nanoseconds(started.elapsed()));
    }
    Ok(samples)
}

fn rounds(count: u32) -> u64 {
    (0..count)
        .fold(1, |value: u64, round| value.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(round))
}

/// The bare disk: writes `bytes` (whole pages) into a file of zeros and syncs, for `time`, once
/// each `period`, or as soon as the sync before is done. Samples `sync`.
///
/// # Errors
/// HG3030 when the directory cannot be written.
pub fn sync_floor(
    directory: &Path,
    bytes: usize,
    [period, time]: [Duration; 2],
    watch: Watch,
) -> Result<Report, Failure> {
    let disk = RealDisk::create(directory).map_err(|e| failure(e, directory.display()))?;
    let io = |e: std::io::Error| failure(e, directory.display());
    let file = disk.create("floor").map_err(io)?;
    file.zero_fill(0, FLOOR_BYTES).map_err(io)?;
    file.sync_data().map_err(io)?;
    let block = vec![7; bytes];
    let mut samples = Vec::with_capacity(1 << 18);
    let started = Instant::now();
    let mut offset = 0;
    while started.elapsed() < time && samples.len() < samples.capacity() {
        if samples.len() % 64 == 0 {
            watch("")?;
        }
        let due = started + period * samples.len() as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let begun = Instant::now();
        file.write_at(&block, offset).map_err(io)?;
        file.sync_data().map_err(io)?;
        samples.push(nanoseconds(begun.elapsed()));
        offset = ((offset + bytes as u64) % (FLOOR_BYTES - bytes as u64)) & !4095;
    }
    disk.remove("floor").map_err(io)?;
    Ok(Report { numbers: Vec::new(), samples_ns: vec![("sync", samples)] })
}
