//! What a correction sets, and the records that set it (rules, section 12).

use huntgraph_core::cells::{
    ADDED, COSTS, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE, TRAFFIC, TRAFFIC_COST, parts,
};
use huntgraph_core::mix;
use huntgraph_core::schema::{Correction, GATE_EDGES, GATES, STAGES, kind};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arrays::as_rows;

/// Cells of one row.
const CELLS: usize = 3;
/// The word of a slot that is no edge.
const ABSENT: u64 = 1 << 24;
/// Word 4 of a player in no hunt, not present.
const NOBODY: u64 = 255 << 8 | 255 << 16;
/// A player's number, in word 2.
const SEQ: u64 = u32::MAX as u64;
/// The last code and what lies beside it, in word 4: the game server's.
const LAST_CODE: u64 = 0xFFFF << 40;

/// A cell with its words before and after.
#[derive(Clone, Copy, Debug)]
struct Cell {
    name: u64,
    old: u64,
    new: u64,
    /// Whether the state has such a cell before.
    had: bool,
    /// And after.
    has: bool,
}

impl Cell {
    fn tag(&self) -> u64 {
        parts(self.name).0
    }

    fn index(&self) -> usize {
        parts(self.name).1
    }

    /// Whether this is the word of a player.
    fn is_player(&self, word: usize) -> bool {
        self.tag() == PLAYER && self.index() % 8 == word
    }

    /// Whether this is the word of a hunt.
    fn is_hunt(&self, word: usize) -> bool {
        self.tag() == HUNT && self.index() % 16 == word
    }
}

/// Of all cells in which two states differ those that a correction may set, with the words that it
/// is to give them. `players` and `slots` are the player slots and edge ids in use before.
fn settable(mut cells: Vec<Cell>, players: usize, slots: usize) -> Vec<Cell> {
    find_presence(&mut cells, players, slots);
    let back = came_back(&cells);
    for cell in &mut cells {
        cell.new = kept(cell, back.binary_search(&(cell.name >> 3)).is_ok());
    }
    cells.retain(|cell| {
        let may = match cell.tag() {
            EDGE | PLAYER | HUNT | STAGE | GATE | GATE_EDGE | ADDED => true,
            SINGLE => matches!(cell.index(), TRAFFIC | TRAFFIC_COST | COSTS),
            _ => false,
        };
        may && (cell.old != cell.new || cell.had != cell.has)
    });
    cells
}

/// Finds out which cells the two states have.
fn find_presence(cells: &mut [Cell], players: usize, slots: usize) {
    for cell in cells.iter_mut() {
        cell.had = match cell.tag() {
            PLAYER => cell.index() / 8 < players,
            EDGE | ADDED => cell.index() < slots,
            _ => true,
        };
        cell.has = true;
        if cell.is_hunt(9) {
            (cell.had, cell.has) = (cell.old != 0, cell.new != 0);
        }
    }
    // A hunt's counts tell which stages, gates and edges of gates it has.
    let counts = |word| cells.iter().filter(move |cell| cell.is_hunt(word)).copied();
    let counts: Vec<Cell> = counts(1).chain(counts(6)).collect();
    for count in counts {
        let ranges: &[(u64, usize, usize, u32)] = match count.index() % 16 {
            1 => &[(STAGE, STAGES, 16, 8), (GATE, GATES, 4, 16)],
            _ => &[(GATE_EDGE, GATE_EDGES, 1, 0)],
        };
        for &(tag, size, words, shift) in ranges {
            let hunt = count.index() / 16;
            let mask = if tag == GATE_EDGE { u64::MAX } else { 0xFF };
            let first = |held: u64| (hunt * size + (held >> shift & mask) as usize) * words;
            let mine = hunt * size * words..(hunt + 1) * size * words;
            let (old, new) = (first(count.old), first(count.new));
            let of = |cell: &&mut Cell| cell.tag() == tag && mine.contains(&cell.index());
            for cell in cells.iter_mut().filter(of) {
                cell.had &= cell.index() < old;
                cell.has &= cell.index() < new;
            }
        }
    }
}

/// Slots (names without their words) of players who were away and are so no more, in order.
fn came_back(cells: &[Cell]) -> Vec<u64> {
    let away = |word: u64| word >> 56 != 0;
    let back = |cell: &&Cell| cell.is_player(4) && cell.had && away(cell.old) && !away(cell.new);
    let mut slots: Vec<u64> = cells.iter().filter(back).map(|cell| cell.name >> 3).collect();
    slots.sort_unstable();
    slots
}

/// The new word, with those bits as before that belong to game servers. Who comes back from another
/// partition has the number of its last move there; a number never falls.
fn kept(cell: &Cell, back: bool) -> u64 {
    let place = cell.is_player(2) && cell.had;
    let bits = match cell.index() % 8 {
        _ if cell.tag() != PLAYER => 0,
        5 => u64::MAX,
        4 => LAST_CODE,
        2 if cell.had && !back => SEQ,
        _ => 0,
    };
    let merged = (cell.old & bits) | (cell.new & !bits);
    if place { merged & !SEQ | (cell.old & SEQ).max(merged & SEQ) } else { merged }
}

/// The bare hash after these changes to a state of bare hash `before`.
fn hash_after(cells: &[Cell], before: u64) -> u64 {
    cells.iter().fold(before, |hash, cell| {
        let new = if cell.has { mix(cell.name, cell.new) } else { 0 };
        let old = if cell.had { mix(cell.name, cell.old) } else { 0 };
        hash.wrapping_add(new).wrapping_sub(old)
    })
}

/// The order in which cells can be set: those that others depend on come first. What the state no
/// longer has is emptied and taken away at the end, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    TrafficFirst,
    Slots,
    Counts,
    Shapes,
    HuntsRest,
    Newcomers,
    Seats,
    PlayersRest,
    Edges,
    Leaving,
    Gone,
}

impl Rank {
    fn of(cell: &Cell) -> Self {
        match (cell.tag(), cell.index()) {
            (SINGLE, _) => Self::TrafficFirst,
            (ADDED, _) => Self::Slots,
            (HUNT, index) if matches!(index % 16, 1 | 6 | 7) => Self::Counts,
            (STAGE, index) if index.is_multiple_of(16) => Self::Shapes,
            (PLAYER, index) if matches!(index % 8, 2 | 4) => Self::Seats,
            (PLAYER, index) if index.is_multiple_of(8) && !cell.had => Self::Newcomers,
            (PLAYER, _) => Self::PlayersRest,
            (EDGE, _) => Self::Edges,
            _ => Self::HuntsRest,
        }
    }

    /// Whether a cell takes a row of its own.
    fn stands_alone(self) -> bool {
        use Rank::{Counts, Gone, Newcomers, Shapes, Slots};
        matches!(self, Slots | Counts | Shapes | Newcomers | Gone)
    }
}

/// One cell to be set, or taken away.
#[derive(Clone, Copy, Debug)]
struct Step {
    rank: Rank,
    name: u64,
    word: u64,
}

impl Step {
    fn order(&self) -> (Rank, u64) {
        (self.rank, if self.rank == Rank::Gone { !self.name } else { self.name })
    }

    /// Whether this cell stands in the row that ends with `last`, which has so many.
    fn joins(&self, last: &Step, count: usize) -> bool {
        let fits = match self.rank {
            // A player's seat is one row.
            Rank::Seats => self.name >> 3 == last.name >> 3,
            Rank::Leaving => self.name >> 3 == last.name >> 3 && parts(self.name).0 != EDGE,
            rank => !rank.stands_alone() && count < CELLS,
        };
        self.rank == last.rank && fits
    }
}

/// The CORRECT records that make these changes, in an order that an actor can take.
fn rows(cells: &[Cell], correction: u64) -> Vec<[u8; 64]> {
    let mut steps = steps(cells);
    steps.sort_unstable_by_key(Step::order);
    let mut rows: Vec<Vec<Step>> = Vec::new();
    for step in steps {
        match rows.last_mut() {
            Some(row) if step.joins(&row[row.len() - 1], row.len()) => row.push(step),
            _ => rows.push(vec![step]),
        }
    }
    rows.iter().map(|row| record(row, correction).encode()).collect()
}

fn steps(cells: &[Cell]) -> Vec<Step> {
    let added = cells.iter().filter(|cell| cell.tag() == ADDED).map(Cell::index);
    // Of two slots made together one cell stands for both: pairs follow each other without gaps.
    let start = added.min().unwrap_or(0);
    let leads = |cell: &Cell| (cell.index() - start).is_multiple_of(2);
    let mut steps = Vec::with_capacity(cells.len());
    for cell in cells {
        let mut put = |rank, word| steps.push(Step { rank, name: cell.name, word });
        match cell.tag() {
            ADDED if !leads(cell) => {}
            _ if cell.has => put(Rank::of(cell), cell.new),
            HUNT if cell.is_hunt(9) => put(Rank::of(cell), 0),
            EDGE => put(Rank::Leaving, ABSENT),
            PLAYER if cell.is_player(4) => put(Rank::Leaving, NOBODY),
            PLAYER if cell.is_player(2) => put(Rank::Leaving, 0),
            PLAYER if cell.is_player(0) => put(Rank::Gone, 0),
            ADDED => put(Rank::Gone, 0),
            _ => {}
        }
    }
    steps
}

fn record(row: &[Step], id: u64) -> Correction {
    let at = |number: usize| row.get(number).map_or((0, 0), |step| (step.name, step.word));
    let [(name_1, word_1), (name_2, word_2), (name_3, word_3)] = [at(0), at(1), at(2)];
    Correction {
        kind: kind::CORRECT,
        count: row.len() as u8,
        gone: (row[0].rank == Rank::Gone) as u8,
        id,
        name_1,
        word_1,
        name_2,
        word_2,
        name_3,
        word_3,
        ..Correction::default()
    }
}

/// Words of cells, and whether there are such cells.
type Words<'py> = PyReadonlyArray1<'py, u64>;
type Mask<'py> = PyReadonlyArray1<'py, bool>;

fn cells_of(words: [&Words<'_>; 3], masks: Option<[&Mask<'_>; 2]>) -> Vec<Cell> {
    let [names, old, new] = words.map(|column| column.as_array());
    let cells = names.iter().zip(old).zip(new);
    let cell = |((&name, &old), &new)| Cell { name, old, new, had: true, has: true };
    let mut cells: Vec<Cell> = cells.map(cell).collect();
    if let Some([had, has]) = masks {
        let masks = had.as_array().into_iter().zip(has.as_array());
        for (cell, (&had, &has)) in cells.iter_mut().zip(masks) {
            (cell.had, cell.has) = (had, has);
        }
    }
    cells
}

/// Columns of cells: names, old and new words, whether they were there, whether they are.
type Columns<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<bool>>,
);

/// Of all cells in which two states differ those that a correction may set.
#[pyfunction]
pub fn settable_cells<'py>(
    py: Python<'py>,
    names: Words<'py>,
    old: Words<'py>,
    new: Words<'py>,
    players: usize,
    slots: usize,
) -> Columns<'py> {
    let cells = settable(cells_of([&names, &old, &new], None), players, slots);
    let words = |word: fn(&Cell) -> u64| PyArray1::from_iter(py, cells.iter().map(word));
    let masks = |mask: fn(&Cell) -> bool| PyArray1::from_iter(py, cells.iter().map(mask));
    let columns = (words(|cell| cell.name), words(|cell| cell.old), words(|cell| cell.new));
    (columns.0, columns.1, columns.2, masks(|cell| cell.had), masks(|cell| cell.has))
}

/// The CORRECT records that make these changes, one row each.
#[pyfunction]
pub fn correction_rows<'py>(
    py: Python<'py>,
    names: Words<'py>,
    words: Words<'py>,
    had: Mask<'py>,
    has: Mask<'py>,
    correction: u64,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let cells = cells_of([&names, &words, &words], Some([&had, &has]));
    as_rows(py, rows(&cells, correction).as_flattened())
}

/// The bare hash after these changes to a state of bare hash `before`.
#[pyfunction]
pub fn hash_after_changes<'py>(
    names: Words<'py>,
    old: Words<'py>,
    new: Words<'py>,
    had: Mask<'py>,
    has: Mask<'py>,
    before: u64,
) -> u64 {
    hash_after(&cells_of([&names, &old, &new], Some([&had, &has])), before)
}
