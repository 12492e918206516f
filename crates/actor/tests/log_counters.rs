//! The counters file: round trip, refusals, quantiles.

use huntgraph_actor::counters::{Counters, CountersError, HISTOGRAM_WORDS, Kind};
use std::path::PathBuf;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let file = format!("huntgraph-counters-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const NAMES: [(&str, Kind); 3] = [
    ("moves_applied", Kind::Counter),
    ("apply_ns", Kind::Histogram),
    ("moves_refused", Kind::Counter),
];

#[test]
fn a_reader_sees_what_the_writer_counts() {
    let place = Place::new("round");
    let written = Counters::create(&place.0, &NAMES, 123).expect("create");
    let read = Counters::open(&place.0).expect("open");
    assert!(read.names().eq(NAMES));
    let moves = written.counter("moves_applied").expect("counter");
    moves.add(5);
    moves.add(7);
    written.counter("moves_refused").expect("counter").set(3);
    assert_eq!(read.counter("moves_applied").expect("counter").get(), 12);
    assert_eq!(read.counter("moves_refused").expect("counter").get(), 3);
    let times = written.histogram("apply_ns").expect("histogram");
    for time_ns in 1..=100_000 {
        times.record(time_ns);
    }
    let seen = read.histogram("apply_ns").expect("histogram");
    assert_eq!((seen.count(), seen.max_ns()), (100_000, 100_000));
    for (quantile, exact) in [(0.5, 50_000.0), (0.9, 90_000.0), (0.999, 99_900.0)] {
        let error = seen.quantile_ns(quantile) / exact - 1.0;
        assert!(error.abs() <= 0.011, "{quantile}: {error}");
    }
    assert!((seen.quantile_ns(0.0) - 1.0).abs() <= 0.011);
    // A restarted writer's file is a new one; the old reader is not disturbed.
    let again = Counters::create(&place.0, &NAMES, 124).expect("create again");
    assert_eq!(again.counter("moves_applied").expect("counter").get(), 0);
    assert_eq!(read.counter("moves_applied").expect("counter").get(), 12);
}

#[test]
fn bad_names_and_foreign_files_are_refused() {
    let place = Place::new("bad");
    let long = "x".repeat(41);
    for names in [&["a", "a"][..], &[""], &[&long], &["\u{e9}"]] {
        let names: Vec<_> = names.iter().map(|name| (*name, Kind::Counter)).collect();
        let outcome = Counters::create(&place.0, &names, 0);
        assert!(matches!(outcome, Err(CountersError::Name(_))));
    }
    assert!(matches!(Counters::open(&place.0), Err(CountersError::Io(..))));
    let whole = Counters::create(&place.0, &NAMES, 0).expect("create");
    assert!(matches!(whole.counter("apply_ns"), Err(CountersError::Name(_))));
    let bytes = std::fs::read(&place.0).expect("file");
    // Whatever stands in the header, opening neither panics nor reads outside the file.
    for at in 0..64 + 3 * 64 {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            std::fs::write(&place.0, &damaged).expect("file");
            if let Ok(counters) = Counters::open(&place.0) {
                for (name, kind) in counters.names() {
                    if kind == Kind::Histogram {
                        counters.histogram(name).expect("listed").quantile_ns(0.5);
                    }
                }
            }
        }
    }
    assert!(bytes.len() >= 64 + 3 * 64 + (2 + HISTOGRAM_WORDS) * 8);
    for bytes in [vec![], vec![0; 100], vec![0; 4096]] {
        std::fs::write(&place.0, &bytes).expect("file");
        assert!(matches!(Counters::open(&place.0), Err(CountersError::Foreign(_))));
    }
}
