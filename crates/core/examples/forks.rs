//! Forks, replays and compares the last ten seconds of one partition, as the measurement
//! `timeline` does with each: 6,667 moves a second of 12,500 players who wander to four places,
//! traffic rule in force. `valgrind --tool=callgrind --toggle-collect='*forks::replay*'` counts the
//! instructions of one phase (`rewind`, `replay`, `compare`).
//!
//! `forks [TIMES] [STRUCK]` does it so often, and takes out the moves of each `STRUCK`th player;
//! prints the best time of each phase and the branch's state hash.

use std::time::{Duration, Instant};

use huntgraph_core::history::{Bookmark, Change, Recall, Touched, differ};
use huntgraph_core::schema::{Move, kind};
use huntgraph_core::{Limits, Line, Partition, Silence};

mod scene;
use scene::{Grid, tick_record};

const SIDE: u32 = 1_013;
const PLAYERS: u32 = 12_500;
/// Moves between two ticks, as 6,667 a second are.
const MOVES: usize = 333;
/// Ticks before those that are forked, and of those.
const BEFORE: usize = 1_200;
const FORKED: usize = 200;
/// How far from its place a player enters, on both axes.
const REACH: u32 = 40;
/// Entries of both journals; the branch's keeps nothing.
const JOURNAL: u32 = 1 << 20;
const BRANCH_JOURNAL: u32 = 1;

/// Players who wander to their places, and then anew from elsewhere.
struct Wanderers<'a> {
    grid: &'a Grid,
    at: Vec<Option<(u32, u32)>>,
    made: usize,
    random: u32,
}

impl Wanderers<'_> {
    fn random(&mut self, below: u32) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 8) % below
    }

    /// The place of a player: one of four.
    fn place(&self, player: usize) -> (u32, u32) {
        let quarter = self.grid.side / 4;
        (quarter * (1 + 2 * (player as u32 & 1)), quarter * (1 + (player as u32 & 2)))
    }

    fn near(&mut self, centre: u32) -> u32 {
        centre - REACH + self.random(2 * REACH + 1)
    }

    /// One step towards the place, or now and then anywhere.
    fn step(&mut self, (x, y): (u32, u32), (to_x, to_y): (u32, u32)) -> (u32, u32) {
        if self.random(10) == 0 {
            return [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)][self.random(4) as usize];
        }
        let across = x != to_x && (y == to_y || self.random(2) == 0);
        let towards = |from: u32, to: u32| if to > from { from + 1 } else { from - 1 };
        if across { (towards(x, to_x), y) } else { (x, towards(y, to_y)) }
    }

    fn next(&mut self) -> [u8; 64] {
        let player = self.made % self.at.len();
        let seq = (self.made / self.at.len()) as u32 + 1;
        self.made += 1;
        let (place, side) = (self.place(player), self.grid.side);
        let node = |(x, y): (u32, u32)| y * side + x;
        let blank = Move { player: player as u64 + 1, seq, ..Move::default() };
        let (record, to) = match self.at[player].filter(|&at| at != place) {
            Some(at) => {
                let to = self.step(at, place);
                (Move { kind: kind::GO, from: node(at), to: node(to), ..blank }, to)
            }
            None => {
                let to = (self.near(place.0), self.near(place.1));
                (Move { kind: kind::ENTER, to: node(to), ..blank }, to)
            }
        };
        self.at[player] = Some(to);
        record.encode()
    }
}

/// The records of so many ticks, the first of them `tick`.
fn history(walk: &mut Wanderers, tick: u32, ticks: usize) -> Vec<[u8; 64]> {
    let one = |tick| (0..MOVES).map(|_| walk.next()).chain([tick_record(tick)]).collect::<Vec<_>>();
    (tick..tick + ticks as u32).flat_map(one).collect()
}

/// The branch goes back to `position`.
#[inline(never)]
fn rewind(
    branch: &mut Partition,
    head: &Partition,
    position: u64,
    touched: &mut Touched,
) -> Bookmark {
    branch.copy_from(head, touched);
    touched.clear();
    branch.rewind_by(&head.journal, position, touched).expect("the journal reaches back so far")
}

/// The branch goes on to the head, without the moves of each `struck`th player.
#[inline(never)]
fn replay<'a>(
    branch: &'a mut [Line],
    log: &[[u8; 64]],
    struck: &[usize],
    mut recall: Option<Recall>,
    touched: Touched<'a>,
) {
    let mut branch = Partition::attach(branch).expect("it is one");
    branch.journal.note_in(touched);
    let (first, struck) = (branch.header.position + 1, struck.iter().copied());
    branch.replay_struck(log, first, struck, recall.as_mut(), &mut Silence, |_, _, _, _| {});
}

/// Tells what differs.
#[inline(never)]
fn compare(head: &Partition, branch: &Partition, touched: &mut Touched, found: &mut Vec<Change>) {
    differ(head, branch, touched, &mut |change| found.push(change));
}

/// The same for two states of which nothing is known.
#[inline(never)]
fn tell_all(head: &Partition, branch: &Partition, touched: &mut Touched, found: &mut Vec<Change>) {
    touched.fill();
    differ(head, branch, touched, &mut |change| found.push(change));
}

/// Numbers of the records of each so-many-th player.
fn struck(log: &[[u8; 64]], every: u64) -> Vec<usize> {
    let is_struck =
        |raw: &[u8; 64]| raw[0] != kind::TICK && Move::decode(raw).player.is_multiple_of(every);
    (0..log.len()).filter(|&at| is_struck(&log[at])).collect()
}

/// Best time of each phase, and what the last fork came to.
struct Outcome {
    best: [Duration; 4],
    changes: Vec<Change>,
    /// Lines of edges and players that were touched.
    touched: [u32; 2],
    hash: u64,
}

fn timed(best: &mut Duration, work: impl FnOnce()) {
    let begun = Instant::now();
    work();
    *best = begun.elapsed().min(*best);
}

/// Forks at `point`, replays the log from there and compares, so many times.
fn measure(
    (head, copy): (&Partition, &mut [Line]),
    (point, log): (u64, &[[u8; 64]]),
    (times, struck): (usize, &[usize]),
) -> Outcome {
    let mut lines = vec![0; Touched::line_words(head.edge_ids())];
    let mut players = vec![0; Touched::player_words(PLAYERS as usize)];
    Touched { lines: &mut lines, players: &mut players }.fill();
    let mut outcome =
        Outcome { best: [Duration::MAX; 4], changes: vec![], touched: [0; 2], hash: 0 };
    for _ in 0..times {
        let [fork, play, tell, all] = &mut outcome.best;
        let mut touched = Touched { lines: &mut lines, players: &mut players };
        let mut branch = Partition::attach(copy).expect("it is one");
        // A branch is kept the same as its head between forks.
        branch.copy_from(head, &mut touched);
        touched.clear();
        let mut at = Bookmark::default();
        timed(fork, || at = rewind(&mut branch, head, point, &mut touched));
        let recall = Recall::new(&head.journal, at, point + 1);
        timed(play, || replay(copy, log, struck, recall, touched));
        let branch = Partition::attach(copy).expect("it is one");
        let mut touched = Touched { lines: &mut lines, players: &mut players };
        let count = |bits: &[u64]| bits.iter().map(|word| word.count_ones()).sum();
        outcome.touched = [count(touched.lines), count(touched.players)];
        outcome.changes.clear();
        timed(tell, || compare(head, &branch, &mut touched, &mut outcome.changes));
        outcome.changes.clear();
        timed(all, || tell_all(head, &branch, &mut touched, &mut outcome.changes));
        outcome.hash = branch.state_hash();
        assert_eq!(outcome.hash, branch.rehash(), "kept and worked out anew");
    }
    outcome
}

/// A partition with the hunt open, and room in its journal for so many entries.
fn open<'a>(block: &'a mut Vec<Line>, grid: &Grid, journal: u32) -> Partition<'a> {
    let limits = Limits { journal, ..Limits::of(&grid.view(), PLAYERS, 0) };
    block.resize(limits.total_lines(), Line::default());
    let mut partition = Partition::create(block, limits, &grid.view()).expect("the grid is sound");
    grid.publish(&mut partition);
    partition.apply(&tick_record(1), &mut Silence);
    partition
}

fn main() {
    let given = |at, otherwise| {
        std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (times, every) = (given(1, 10), given(2, PLAYERS as usize));
    let grid = Grid::new(SIDE);
    let (mut ours, mut theirs) = (vec![], vec![]);
    let mut head = open(&mut ours, &grid, JOURNAL);
    open(&mut theirs, &grid, BRANCH_JOURNAL);
    let mut walk = Wanderers { grid: &grid, at: vec![None; PLAYERS as usize], made: 0, random: 1 };
    let mut apply = |head: &mut Partition, ticks| {
        let records = history(&mut walk, head.header.tick + 1, ticks);
        head.apply_batch(&records, &mut Silence, |_, _, answer, _| assert!(answer.logged));
        records
    };
    apply(&mut head, BEFORE);
    let (point, mark) = (head.header.position, head.journal.marks.next);
    let log = apply(&mut head, FORKED);
    let entries = head.journal.marks.next - mark;
    let struck = struck(&log, every as u64);
    let outcome = measure((&head, &mut theirs), (point, &log), (times, &struck));
    let Outcome { best: [fork, play, tell, all], changes, touched: [lines, players], hash } =
        outcome;
    let rate = log.len() as f64 / play.as_secs_f64() / 1e6;
    let edges = changes.iter().filter(|change| change.name >> 56 == 1).count();
    println!("{} records, {entries} entries, {lines} lines and {players} players", log.len());
    println!("fork {fork:?}, replay {play:?} ({rate:.1} M records/s)");
    println!(
        "diff {tell:?}, of all that there is {all:?}, {edges} edges of {} cells, state {hash:016x}",
        changes.len()
    );
}
