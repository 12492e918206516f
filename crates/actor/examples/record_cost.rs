//! What it costs to record a time, beside the same loop without the record.
//!
//! `cargo run --release --example record_cost`

use huntgraph_actor::counters::{Counters, CountersError, Kind};
use std::hint::black_box;
use std::time::Instant;

const TIMES: usize = 4096;
const ROUNDS: usize = 250;
const REPEATS: usize = 41;

fn main() -> Result<(), CountersError> {
    let path = std::env::temp_dir().join(format!("record-cost-{}", std::process::id()));
    let file = Counters::create(&path, &[("time_ns", Kind::Histogram)], 0)?;
    let _ = std::fs::remove_file(&path);
    let histogram = file.histogram("time_ns")?;
    println!("{} records, the quickest and the median of {REPEATS} runs", TIMES * ROUNDS);
    // Times of a frame gather around one value; octaves far apart are the worst the caches see.
    for (name, octaves) in [("around 50 us", 3), ("1 us to 1 s", 20)] {
        let times = spread(octaves);
        let bare = runs(&times, |time_ns| {
            black_box(time_ns);
        });
        let record = runs(&times, |time_ns| histogram.record(black_box(time_ns)));
        let [quickest, median] = [0, REPEATS / 2].map(|rank| record[rank] - bare[rank]);
        println!("{name:14} {quickest:5.2} ns  {median:5.2} ns");
    }
    Ok(())
}

/// Times whose octaves vary by so many, from a fixed seed.
fn spread(octaves: u64) -> Vec<u64> {
    let mut word: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut next = || {
        // xorshift64 (Marsaglia, "Xorshift RNGs", 2003).
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word
    };
    let base = if octaves < 10 { 1 << 15 } else { 1 << 10 };
    (0..TIMES).map(|_| (base + next() % base) << (next() % octaves)).collect()
}

/// Nanoseconds a call in each run, quickest first.
fn runs(times: &[u64], mut call: impl FnMut(u64)) -> Vec<f64> {
    let mut run = || {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            times.iter().for_each(|&time_ns| call(time_ns));
        }
        begun.elapsed().as_nanos() as f64 / (ROUNDS * times.len()) as f64
    };
    let mut costs_ns: Vec<f64> = (0..REPEATS).map(|_| run()).collect();
    costs_ns.sort_by(f64::total_cmp);
    costs_ns
}
