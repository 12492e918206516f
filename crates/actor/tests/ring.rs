//! One writer, many readers; laps, restarts, and a twin without the seqlock.

use huntgraph_actor::ring::{Gap, PAYLOAD_WORDS, RingError, RingReader, RingWriter, SLOT_WORDS};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let file = format!("huntgraph-ring-{name}-{}", std::process::id());
        let place = Self(std::env::temp_dir().join(file));
        let _ = std::fs::remove_file(&place.0);
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A payload whose words all depend on the sequence, so that a torn one shows.
fn payload(sequence: u64) -> [u64; PAYLOAD_WORDS] {
    std::array::from_fn(|word| {
        sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(word as u32)
    })
}

fn check(entry: &[u64; SLOT_WORDS]) {
    assert_eq!(entry[1..], payload(entry[0]), "a torn or wrong entry");
}

#[test]
fn three_readers_get_everything_or_an_exact_gap() {
    // Otherwise two cores are too few for the readers to be anything but lapped.
    let (read, gaps) = three_readers("paced", 1024, 2_000_000, Some(700));
    println!("{read} entries read, {gaps} gaps");
    assert!(read > 100_000);
}

#[test]
fn three_readers_at_the_heels_of_the_writer_see_nothing_torn() {
    let (read, gaps) = three_readers("chased", 64, 10_000_000, None);
    println!("{read} entries read, {gaps} gaps");
    assert!(gaps > 0);
}

/// Entries read and gaps seen by three threads that check everything, while the writer yields
/// every so many entries.
fn three_readers(name: &str, slots: usize, total: u64, pause: Option<u64>) -> (u64, u64) {
    let place = Place::new(name);
    let mut writer = RingWriter::open(&place.0, slots).expect("writer");
    let mut readers: Vec<_> = (0..3).map(|_| RingReader::open(&place.0).expect("reader")).collect();
    let (gaps, read) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for (index, reader) in readers.iter_mut().enumerate() {
            let (gaps, read) = (&gaps, &read);
            scope.spawn(move || {
                let mut entries = vec![[0; SLOT_WORDS]; [1, 16, 256][index]];
                let mut next = 0;
                while next < total {
                    let batch = reader.read_into(&mut entries);
                    if let Some(gap) = batch.gap {
                        assert_eq!(gap.from, next);
                        assert!(gap.to > gap.from);
                        next = gap.to;
                        gaps.fetch_add(1, Ordering::Relaxed);
                    }
                    assert_eq!(batch.first_sequence, next);
                    for entry in &entries[..batch.count] {
                        assert_eq!(entry[0], next);
                        check(entry);
                        next += 1;
                    }
                    read.fetch_add(batch.count as u64, Ordering::Relaxed);
                    if batch.count == 0 {
                        std::thread::yield_now();
                    }
                }
            });
        }
        for sequence in 0..total {
            assert_eq!(writer.publish(&payload(sequence)), sequence);
            if pause.is_some_and(|pause| sequence % pause == 0) {
                std::thread::yield_now();
            }
        }
    });
    (read.into_inner(), gaps.into_inner())
}

#[test]
fn a_lapped_reader_is_told_and_goes_on() {
    let place = Place::new("lapped");
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    let mut reader = RingReader::open(&place.0).expect("reader");
    let mut entries = [[0; SLOT_WORDS]; 1000];
    for sequence in 0..64 {
        writer.publish(&payload(sequence));
    }
    let whole = reader.read_into(&mut entries);
    assert_eq!((whole.count, whole.first_sequence, whole.gap), (64, 0, None));
    for sequence in 64..64 + 65 {
        writer.publish(&payload(sequence));
    }
    let batch = reader.read_into(&mut entries);
    assert_eq!(batch.gap, Some(Gap { from: 64, to: 129 - 64 + 8 }));
    assert_eq!((batch.first_sequence, batch.count), (73, 56));
    entries[..batch.count].iter().for_each(check);
    assert_eq!(reader.read_into(&mut entries).count, 0);
    reader.seek(0);
    assert_eq!(reader.read_into(&mut entries).gap, Some(Gap { from: 0, to: 73 }));
}

#[test]
fn a_restarted_writer_goes_on_and_a_second_one_is_refused() {
    let place = Place::new("restart");
    assert!(matches!(RingReader::open(&place.0), Err(RingError::NotReady(_))));
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    for sequence in 0..100 {
        writer.publish(&payload(sequence));
    }
    assert!(matches!(RingWriter::open(&place.0, 64), Err(RingError::Busy(_))));
    drop(writer);
    assert!(matches!(RingWriter::open(&place.0, 128), Err(RingError::Foreign(..))));
    // A writer that died after the slot and before the head.
    let bytes = std::fs::read(&place.0).expect("file");
    let mut cut = bytes.clone();
    cut[128..136].copy_from_slice(&99u64.to_le_bytes());
    std::fs::write(&place.0, &cut).expect("file");
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    assert_eq!(writer.publish(&payload(100)), 100);
    let mut reader = RingReader::open(&place.0).expect("reader");
    reader.seek(95);
    let mut entries = [[0; SLOT_WORDS]; 64];
    let batch = reader.read_into(&mut entries);
    assert_eq!((batch.first_sequence, batch.count, batch.gap), (95, 6, None));
    entries[..6].iter().for_each(check);
}

#[test]
fn files_that_are_no_rings_are_refused() {
    let place = Place::new("foreign");
    std::fs::write(&place.0, vec![1; 8192]).expect("file");
    assert!(matches!(RingReader::open(&place.0), Err(RingError::Foreign(..))));
    assert!(matches!(RingWriter::open(&place.0, 64), Err(RingError::Foreign(..))));
    assert!(matches!(RingWriter::open(&place.0, 100), Err(RingError::Slots(100))));
}

/// The same check on slots written without the stamp's 0 and read without the second look.
#[test]
fn the_check_sees_torn_entries_where_the_stamps_are_left_out() {
    let cells: [AtomicU64; PAYLOAD_WORDS] = std::array::from_fn(|_| AtomicU64::new(0));
    let (done, torn) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let entry: [u64; PAYLOAD_WORDS] =
                    std::array::from_fn(|word| cells[word].load(Ordering::Relaxed));
                let whole = (1..PAYLOAD_WORDS).all(|w| entry[0].rotate_left(w as u32) == entry[w]);
                torn.fetch_add(u64::from(!whole), Ordering::Relaxed);
            }
        });
        let mut sequence = 0u64;
        while torn.load(Ordering::Relaxed) == 0 {
            sequence += 1;
            for (cell, word) in cells.iter().zip(payload(sequence)) {
                cell.store(word, Ordering::Relaxed);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(torn.into_inner() > 0);
}
