//! One writer, many readers; laps, restarts, and writers with planted bugs.

use huntgraph_actor::disk::Mapping;
use huntgraph_actor::ring::{Gap, PAYLOAD_WORDS, RingError, RingReader, RingWriter, SLOT_WORDS};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

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
/// every so many entries, until one in 16 was read by one of the three.
fn three_readers(name: &str, slots: usize, total: u64, pause: Option<u64>) -> (u64, u64) {
    let place = Place::new(name);
    let mut writer = RingWriter::open(&place.0, slots).expect("writer");
    let mut readers: Vec<_> = (0..3).map(|_| RingReader::open(&place.0).expect("reader")).collect();
    let (gaps, read) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for (index, reader) in readers.iter_mut().enumerate() {
            let (gaps, read) = (&gaps, &read);
            scope.spawn(move || {
                let (mut entries, mut next) = (vec![[0; SLOT_WORDS]; [1, 16, 256][index]], 0);
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
            // Seven in a row alone, then a batch of up to 43.
            let next = if sequence % 50 < 7 {
                writer.publish(&payload(sequence))
            } else {
                writer.put(&payload(sequence))
            };
            assert_eq!(next, sequence);
            if pause.is_some_and(|pause| sequence % pause == 0) {
                writer.show();
                std::thread::yield_now();
                // Readers that get no core for a while are waited for: they find the last entries.
                while read.load(Ordering::Relaxed) * 16 < sequence {
                    std::thread::yield_now();
                }
            }
        }
        writer.show();
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
    // 132 are claimed, in strides of 4.
    assert_eq!(batch.gap, Some(Gap { from: 64, to: 132 - 64 + 8 }));
    assert_eq!((batch.first_sequence, batch.count), (76, 53));
    entries[..batch.count].iter().for_each(check);
    assert_eq!(reader.read_into(&mut entries).count, 0);
    reader.seek(0);
    assert_eq!(reader.read_into(&mut entries).gap, Some(Gap { from: 0, to: 76 }));
}

#[test]
fn a_batch_shows_all_together_and_before_what_follows_it() {
    let place = Place::new("batch");
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    let mut reader = RingReader::open(&place.0).expect("reader");
    let mut entries = [[0; SLOT_WORDS]; 64];
    for sequence in 0..20 {
        writer.put(&payload(sequence));
        assert_eq!(reader.read_into(&mut entries).count, 0);
    }
    writer.show();
    assert_eq!(reader.read_into(&mut entries[..5]).count, 5);
    writer.put(&payload(20));
    assert_eq!(writer.publish(&payload(21)), 21);
    let batch = reader.read_into(&mut entries);
    assert_eq!((batch.first_sequence, batch.count, batch.gap), (5, 17, None));
    entries[..17].iter().for_each(check);
}

#[test]
fn what_a_dead_writer_had_put_and_not_shown_was_never_there() {
    let place = Place::new("unshown");
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    writer.publish(&payload(0));
    writer.put(&payload(7));
    drop(writer);
    let mut writer = RingWriter::open(&place.0, 64).expect("writer");
    let mut reader = RingReader::open(&place.0).expect("reader");
    let mut entries = [[0; SLOT_WORDS]; 4];
    assert_eq!(reader.read_into(&mut entries).count, 0);
    assert_eq!(writer.publish(&payload(1)), 1);
    assert_eq!(reader.read_into(&mut entries).count, 1);
    check(&entries[0]);
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

/// A bug of a writer.
#[derive(Clone, Copy, PartialEq)]
enum Planted {
    /// The stamp is stored before the payload.
    StampFirst,
    /// Slots are written without having been claimed.
    NoClaim,
}

#[test]
fn a_stamp_before_the_payload_is_caught() {
    assert!(gives_torn_entries(Planted::StampFirst));
}

#[test]
fn slots_written_without_a_claim_are_caught() {
    assert!(gives_torn_entries(Planted::NoClaim));
}

/// Whether the reader, at the heels of a writer with this bug, gives out a torn entry in time.
fn gives_torn_entries(bug: Planted) -> bool {
    const SLOTS: u64 = 64;
    let place = Place::new(if bug == Planted::NoClaim { "no-claim" } else { "stamp-first" });
    drop(RingWriter::open(&place.0, SLOTS as usize).expect("a ring"));
    let mut reader = RingReader::open(&place.0).expect("reader");
    let file = std::fs::File::options().read(true).write(true).open(&place.0).expect("its file");
    let mapping = Mapping::new(&file.into(), 4096 + SLOTS as usize * 64, true).expect("a mapping");
    let (done, torn) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let cells = mapping.cells();
            let mut sequence = 0;
            while !done.load(Ordering::Relaxed) {
                if bug != Planted::NoClaim {
                    cells[32].store(sequence + 1, Ordering::Relaxed);
                    fence(Ordering::Release);
                }
                let slots = cells[512..].as_chunks::<8>().0;
                let [stamp, words @ ..] = &slots[(sequence % SLOTS) as usize];
                if bug == Planted::StampFirst {
                    stamp.store(sequence + 1, Ordering::Release);
                }
                for (at, (cell, word)) in words.iter().zip(payload(sequence)).enumerate() {
                    cell.store(word, Ordering::Relaxed);
                    // On a core that both share the reader would hardly ever come in between.
                    if at == 3 && sequence.is_multiple_of(16) {
                        std::thread::yield_now();
                    }
                }
                stamp.store(sequence + 1, Ordering::Release);
                sequence += 1;
                cells[16].store(sequence, Ordering::Release);
            }
        });
        let patience = Instant::now() + Duration::from_secs(60);
        let mut entries = [[0; SLOT_WORDS]; 16];
        while torn.load(Ordering::Relaxed) == 0 && Instant::now() < patience {
            let count = reader.read_into(&mut entries).count;
            if count == 0 {
                // Lapped, and nothing tells it: that alone would end the test. The oldest entry is
                // the one being overwritten.
                reader.seek(reader.head().saturating_sub(SLOTS));
                std::thread::yield_now();
            }
            let whole = |entry: &[u64; SLOT_WORDS]| entry[1..] == payload(entry[0]);
            let wrong = entries[..count].iter().filter(|entry| !whole(entry)).count();
            torn.fetch_add(wrong as u64, Ordering::Relaxed);
        }
        done.store(true, Ordering::Relaxed);
    });
    torn.into_inner() > 0
}
