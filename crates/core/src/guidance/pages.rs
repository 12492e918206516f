//! Where fields keep their numbers: pages of 64 nodes, taken from one pool.
//!
//! A field is a table of page numbers, one for each 64 nodes. Page 0 stays blank and stands where
//! a field knows nothing, so that reading never asks. Growing a field writes into its own pages,
//! beyond what readers trust; a repair works on a copy of the table and copies a page when it first
//! writes to it, so that readers keep the old numbers until the tables change places.

use super::Guidance;
use crate::memory::prefetch;
use crate::schema::{NONE, UNREACHABLE};
use crate::topology::Onward;

/// Nodes of a page.
pub const PAGE_NODES: usize = 64;

/// Longest distance that a field keeps; what lies further away has no room in it.
const LONGEST: u32 = DISTANCE - 1;
/// The bits of a distance.
const DISTANCE: u32 = (1 << DISTANCE_BITS) - 1;
const DISTANCE_BITS: u32 = 27;

/// What a field knows of 64 nodes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Page([Known; PAGE_NODES]);

/// What a field knows of a node, in five bytes that nearly always lie on one cache line: one more
/// than its distance, 0 when that is not known, and above it where its way goes on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Known([u8; 5]);

const _: () = assert!(DISTANCE_BITS + Onward::BITS == 8 * size_of::<Known>() as u32);

impl Page {
    const BLANK: Self = Self([Known::NOTHING; PAGE_NODES]);
}

impl Known {
    const NOTHING: Self = Self([0; 5]);

    #[inline(always)]
    fn new(distance: u32, onward: Onward) -> Self {
        let distance = distance.wrapping_add(1) as u64;
        let [a, b, c, d, e, ..] = (distance | (onward.0 as u64) << DISTANCE_BITS).to_le_bytes();
        Self([a, b, c, d, e])
    }

    /// The lower four bytes.
    #[inline(always)]
    fn lower(&self) -> u32 {
        let [a, b, c, d, _] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }

    #[inline(always)]
    fn distance(&self) -> u32 {
        const { assert!(0_u32.wrapping_sub(1) == UNREACHABLE) };
        (self.lower() & DISTANCE).wrapping_sub(1)
    }

    #[inline(always)]
    fn onward(&self) -> Onward {
        let above = (self.0[4] as u16) << (u32::BITS - DISTANCE_BITS);
        Onward((self.lower() >> DISTANCE_BITS) as u16 | above)
    }
}

/// Where a table keeps a node's numbers: the same page until guidance is worked on again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The table, NONE for no place.
    pub table: u32,
    /// The page, 0 where the table knows nothing.
    pub page: u32,
}

impl Place {
    /// It was not looked for.
    pub(crate) const UNKNOWN: Self = Self { table: NONE, page: 0 };
}

impl Guidance<'_> {
    /// All pages free, all tables blank.
    pub(super) fn reset_pages(&mut self) {
        self.tables.fill(0);
        self.pages[0] = Page::BLANK;
        self.work.free = self.pages.len() as u32 - 1;
        for (at, free) in self.free.iter_mut().enumerate() {
            *free = (self.pages.len() - 1 - at) as u32;
        }
    }

    pub(super) fn tiles(&self) -> usize {
        self.touched.len()
    }

    #[inline(always)]
    fn entry(&self, table: u32, node: u32) -> usize {
        table as usize * self.tiles() + node as usize / PAGE_NODES
    }

    /// Where a table keeps a node's numbers.
    #[inline(always)]
    pub(crate) fn place(&self, table: u32, node: u32) -> Place {
        Place { table, page: self.tables[self.entry(table, node)] }
    }

    /// Brings a table's entry for a node towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_entry(&self, table: u32, node: u32) {
        prefetch(self.tables, self.entry(table, node));
    }

    /// Brings a node's numbers towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch(&self, place: Place, node: u32) {
        prefetch(&self.pages[place.page as usize].0, node as usize % PAGE_NODES);
    }

    #[inline(always)]
    fn known_at(&self, place: Place, node: u32) -> &Known {
        &self.pages[place.page as usize].0[node as usize % PAGE_NODES]
    }

    #[inline(always)]
    fn known(&self, table: u32, node: u32) -> &Known {
        self.known_at(self.place(table, node), node)
    }

    /// Distance of a node, and where its way goes on.
    #[inline(always)]
    pub(crate) fn numbers(&self, place: Place, node: u32) -> (u32, Onward) {
        let known = self.known_at(place, node);
        (known.distance(), known.onward())
    }

    /// Distance of a node, UNREACHABLE when not known.
    #[inline(always)]
    pub(crate) fn distance(&self, table: u32, node: u32) -> u32 {
        self.known(table, node).distance()
    }

    /// Where a node's way goes on, NOWHERE when that is not known.
    #[inline(always)]
    pub(crate) fn onward(&self, table: u32, node: u32) -> Onward {
        self.known(table, node).onward()
    }

    /// The page of the table under work that holds a node, made its own first: taken anew, or
    /// copied when a field's table shares it. `None` when there is no page left.
    #[inline(always)]
    fn own_page(&mut self, node: u32) -> Option<usize> {
        let entry = self.entry(self.work.table, node);
        let page = self.tables[entry];
        let shared = if self.work.repairs == 1 {
            self.tables[self.entry(self.fields[self.work.field as usize].table, node)]
        } else {
            0
        };
        if page != shared { Some(page as usize) } else { self.take_page(entry, page as usize) }
    }

    #[inline(never)]
    fn take_page(&mut self, entry: usize, from: usize) -> Option<usize> {
        let kept = if self.work.repairs == 1 { 0 } else { self.work.reserve };
        if self.work.free <= kept {
            self.work.short = 1;
            return None;
        }
        self.work.free -= 1;
        let page = self.free[self.work.free as usize];
        self.pages[page as usize] = self.pages[from];
        self.tables[entry] = page;
        if self.work.repairs == 1 {
            self.touched[self.work.touched as usize] = (entry % self.tiles()) as u32;
            self.work.touched += 1;
        }
        Some(page as usize)
    }

    /// Writes a distance, or UNREACHABLE, in the table under work. Nothing is written when there is
    /// no room for it: no page, or not enough bits.
    #[inline(always)]
    pub(super) fn set_distance(&mut self, node: u32, distance: u32) {
        if distance > LONGEST && distance != UNREACHABLE {
            self.work.short = 1;
            return;
        }
        let Some(page) = self.own_page(node) else { return };
        let known = &mut self.pages[page].0[node as usize % PAGE_NODES];
        *known = Known::new(distance, known.onward());
    }

    /// Writes where a way goes on in the table under work, unless there is no page for it.
    #[inline(always)]
    pub(super) fn set_onward(&mut self, node: u32, onward: Onward) {
        let Some(page) = self.own_page(node) else { return };
        let known = &mut self.pages[page].0[node as usize % PAGE_NODES];
        *known = Known::new(known.distance(), onward);
    }

    fn give_back(&mut self, page: u32) {
        if page != 0 {
            self.free[self.work.free as usize] = page;
            self.work.free += 1;
        }
    }

    /// The table under work becomes a copy of the field's.
    pub(super) fn copy_table(&mut self) {
        let (from, tiles) = (self.fields[self.work.field as usize].table as usize, self.tiles());
        self.work.touched = 0;
        self.tables.copy_within(from * tiles..(from + 1) * tiles, self.work.table as usize * tiles);
    }

    /// Of each page that the repair copied, frees the original (`done`) or the copy.
    pub(super) fn settle_pages(&mut self, done: bool) {
        let field = self.fields[self.work.field as usize].table;
        let table = if done { field } else { self.work.table };
        for at in 0..self.work.touched as usize {
            let entry = table as usize * self.tiles() + self.touched[at] as usize;
            self.give_back(self.tables[entry]);
        }
        self.work.touched = 0;
    }

    /// Forgets what a table knows of one tile beyond `radius`, and frees the page when that is all;
    /// gives how many nodes it still knows.
    pub(super) fn wipe_page(&mut self, table: u32, tile: u32, radius: u32) -> u32 {
        let entry = table as usize * self.tiles() + tile as usize;
        let page = self.tables[entry];
        if page == 0 {
            return 0;
        }
        let Page(nodes) = &mut self.pages[page as usize];
        nodes.iter_mut().filter(|node| node.distance() > radius).for_each(|n| *n = Known::NOTHING);
        let known = nodes.iter().filter(|node| node.distance() != UNREACHABLE).count();
        if known == 0 {
            self.tables[entry] = 0;
            self.give_back(page);
        }
        known as u32
    }

    /// Frees all pages of a table.
    pub(super) fn blank_table(&mut self, table: u32) {
        let tiles = self.tiles();
        for entry in table as usize * tiles..(table as usize + 1) * tiles {
            let page = core::mem::take(&mut self.tables[entry]);
            self.give_back(page);
        }
    }
}
