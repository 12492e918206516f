//! The ring's protocol in every order that its fences allow, not only in those of this machine.
//!
//! The writer's stores and a reader's loads are a list each; whatever no fence orders happens in
//! any order, drawn at random, interleaved with the other side. A reader never takes a torn entry.
//! Each fence left out, and each step in the wrong place, is a planted bug that must be caught.

use std::collections::BTreeMap;

const SLOTS: u64 = 4;
const STRIDE: u64 = 2;
const ENTRIES: u64 = 12;
const RUNS: u64 = 20_000;
/// Steps that may be under way at once.
const WINDOW: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Claimed,
    Head,
    Stamp(u64),
    Word(u64, u8),
}

/// A way to get the protocol wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    StampFirst,
    HeadFirst,
    NoClaim,
    NoFenceAfterClaim,
    NoFenceBeforeSecondLook,
    NoSecondLook,
    StampedAsAlone,
}

/// A store of the writer: it waits for the first `after` stores, and for all if it is a `release`.
#[derive(Clone, Debug)]
struct Store {
    cell: Cell,
    value: u64,
    after: usize,
    release: bool,
}

/// What a writer stores for `ENTRIES` entries, alone and in batches by turns.
fn stores(bug: Bug) -> Vec<Store> {
    let mut list: Vec<Store> = Vec::new();
    let mut fenced = 0;
    let push = |list: &mut Vec<Store>, cell, value, release, fenced| {
        list.push(Store { cell, value, after: fenced, release });
    };
    for sequence in 0..ENTRIES {
        let batch = sequence % 6 >= 3;
        if sequence % STRIDE == 0 && bug != Bug::NoClaim {
            push(&mut list, Cell::Claimed, sequence + STRIDE, false, fenced);
            if bug != Bug::NoFenceAfterClaim {
                fenced = list.len();
            }
        }
        let slot = sequence % SLOTS;
        let mark = if batch && bug != Bug::StampedAsAlone { 100 } else { 0 };
        if bug == Bug::StampFirst {
            push(&mut list, Cell::Stamp(slot), sequence + 1 + mark, false, fenced);
        }
        if bug == Bug::HeadFirst {
            push(&mut list, Cell::Head, sequence + 1, false, fenced);
        }
        push(&mut list, Cell::Word(slot, 0), sequence, false, fenced);
        push(&mut list, Cell::Word(slot, 1), sequence, false, fenced);
        push(&mut list, Cell::Stamp(slot), sequence + 1 + mark, !batch, fenced);
        if !batch || sequence % 6 == 5 {
            // A batch is fenced before it shows.
            fenced = if batch { list.len() } else { fenced };
            push(&mut list, Cell::Head, sequence + 1, true, fenced);
        }
    }
    list
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

struct Memory {
    cells: BTreeMap<Cell, u64>,
    waiting: Vec<(usize, Store)>,
    random: Random,
}

impl Memory {
    fn load(&mut self, cell: Cell) -> u64 {
        for _ in 0..self.random.below(4) {
            self.commit_one();
        }
        self.cells.get(&cell).copied().unwrap_or(0)
    }

    /// Lets one store of the writer happen that may.
    fn commit_one(&mut self) {
        let ready = |at: usize| {
            let (_, store) = &self.waiting[at];
            let first = self.waiting[0].0;
            let mut before = self.waiting[..at].iter();
            let same = before.clone().all(|(_, other)| other.cell != store.cell);
            same && first >= store.after && (!store.release || before.next().is_none())
        };
        let count = self.waiting.len().min(WINDOW);
        let ready: Vec<usize> = (0..count).filter(|&at| ready(at)).collect();
        if !ready.is_empty() {
            let chosen = ready[self.random.below(ready.len())];
            let (_, store) = self.waiting.remove(chosen);
            self.cells.insert(store.cell, store.value);
        }
    }

    /// One read of `sequence`, as the reader does it: its words, `None` where nothing shows.
    fn read(&mut self, sequence: u64, bug: Bug) -> Option<[u64; 2]> {
        let slot = sequence % SLOTS;
        let stamp = self.load(Cell::Stamp(slot));
        let alone = stamp == sequence + 1;
        if !alone && (stamp != sequence + 1 + 100 || self.load(Cell::Head) <= sequence) {
            return None;
        }
        let early = (bug == Bug::NoFenceBeforeSecondLook).then(|| self.load(Cell::Claimed));
        let order = if self.random.below(2) == 0 { [0, 1] } else { [1, 0] };
        let mut words = [0; 2];
        for word in order {
            words[word as usize] = self.load(Cell::Word(slot, word));
        }
        let claimed = early.unwrap_or_else(|| self.load(Cell::Claimed));
        (claimed <= sequence + SLOTS || bug == Bug::NoSecondLook).then_some(words)
    }
}

/// Entries taken and torn ones among them, over all runs.
fn play(bug: Bug) -> (u64, u64) {
    let (mut taken, mut torn) = (0, 0);
    for seed in 0..RUNS {
        let waiting = stores(bug).into_iter().enumerate().collect();
        let mut memory = Memory { cells: BTreeMap::new(), waiting, random: Random(seed) };
        while !memory.waiting.is_empty() {
            let sequence = memory.random.below(ENTRIES as usize) as u64;
            if let Some(words) = memory.read(sequence, bug) {
                taken += 1;
                torn += u64::from(words != [sequence; 2]);
            }
        }
    }
    (taken, torn)
}

#[test]
fn no_order_that_the_fences_allow_tears_an_entry() {
    let (taken, torn) = play(Bug::None);
    println!("{taken} entries taken");
    assert!(taken > RUNS / 4);
    assert_eq!(torn, 0);
}

#[test]
fn every_planted_bug_is_caught() {
    let bugs = [
        Bug::StampFirst,
        Bug::HeadFirst,
        Bug::NoClaim,
        Bug::NoFenceAfterClaim,
        Bug::NoFenceBeforeSecondLook,
        Bug::NoSecondLook,
        Bug::StampedAsAlone,
    ];
    for bug in bugs {
        let (taken, torn) = play(bug);
        assert!(torn > 0, "{bug:?}: none of {taken} entries taken was torn");
    }
}
